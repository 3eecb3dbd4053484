// Package env reads a program's configuration from the environment and
// reports every fault of it at once.
package env

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

const fileSuffix = "_FILE"

// Validator is implemented by a configuration, or by a part of it, that has
// rules beyond the types of its fields. It is asked once everything parsed.
// It may join several errors.
type Validator interface{ Validate() error }

// Load fills cfg from the process's environment, as its tags say
// (`env:"NAME"`, `envDefault:"x"`, `env:"NAME,required"`). An empty variable
// counts as unset, so that a shared .env may hold blank lines.
//
// A [Secret] NAME may instead be read from the file that NAME_FILE names.
// The error holds every fault, one per line, and no secret: values that don't
// parse, what is required and missing, unreadable files, and KNOBOT_ names
// that no KnoBot program knows.
func Load[C any](cfg *C) error { return LoadFrom(cfg, os.Environ()) }

// LoadFrom is [Load] from an environment in the form of os.Environ.
func LoadFrom[C any](cfg *C, environ []string) error {
	vars := toMap(environ)
	fields := fieldsOf(reflect.TypeFor[C](), "")
	faults := unknownNames(vars)
	faults = append(faults, undeclared(fields)...)
	faults = append(faults, readFiles(vars, fields)...)

	parse := parseFaults(env.ParseWithOptions(cfg, env.Options{Environment: vars}), fields)
	faults = append(faults, parse...)
	for _, f := range validate(reflect.ValueOf(cfg).Elem()) {
		if !slices.ContainsFunc(parse, func(p string) bool { return subject(p) == subject(f) }) {
			faults = append(faults, f)
		}
	}
	return join(faults)
}

// subject is the variable that a fault is about. One that did not parse is empty and fails its checks as well, which says
// nothing new.
func subject(fault string) string {
	return fault[:max(0, strings.IndexAny(fault, ": ,"))]
}

// Error is a configuration that cannot be used.
type Error struct{ Faults []string }

// Error lists the faults, one per line.
func (e *Error) Error() string {
	return "the environment has faults:\n  " + strings.Join(e.Faults, "\n  ")
}

func join(faults []string) error {
	slices.Sort(faults)
	faults = slices.Compact(faults)
	if len(faults) == 0 {
		return nil
	}
	return &Error{Faults: faults}
}

func toMap(environ []string) map[string]string {
	vars := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && value != "" {
			vars[name] = value
		}
	}
	return vars
}

// readFiles puts the content of NAME_FILE into NAME for every secret field.
func readFiles(vars map[string]string, fields []field) []string {
	var faults []string
	for _, f := range fields {
		path := vars[f.name+fileSuffix]
		if !f.secret || path == "" {
			continue
		}
		if vars[f.name] != "" {
			faults = append(faults, fmt.Sprintf("%s and %s%s are both set: keep one", f.name, f.name, fileSuffix))
			continue
		}
		value, err := readSecret(path)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s%s: %v", f.name, fileSuffix, err))
			value = masked // it is configured, so don't also call it missing
		}
		vars[f.name] = value
	}
	return faults
}

func readSecret(path string) (string, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if value == "" {
		return "", errors.New("the file is empty")
	}
	return value, nil
}

// parseFaults names the variable, where the library names the Go field.
func parseFaults(err error, fields []field) []string {
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []string{err.Error()}
	}
	faults := make([]string, 0, len(all.Errors))
	for _, e := range all.Errors {
		faults = append(faults, sentence(e, fields))
	}
	return faults
}

func sentence(err error, fields []field) string {
	var parse env.ParseError
	var missing env.VarIsNotSetError
	var empty env.EmptyVarError
	switch {
	case errors.As(err, &parse):
		return fmt.Sprintf("%s: %v", nameOf(parse, fields), parse.Err)
	case errors.As(err, &missing):
		return missing.Key + " is required and not set"
	case errors.As(err, &empty):
		return empty.Key + " is required and empty"
	default:
		return err.Error()
	}
}

func nameOf(e env.ParseError, fields []field) string {
	for _, f := range fields {
		if f.goName == e.Name && f.typ == e.Type {
			return f.name
		}
	}
	return e.Name
}

// validate asks cfg and every struct inside it. An outer struct that embeds a
// Validator has its method promoted; join drops the doubled sentences.
func validate(v reflect.Value) []string {
	if v.Kind() != reflect.Struct {
		return nil
	}
	var faults []string
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			faults = append(faults, validate(v.Field(i))...)
		}
	}
	if val, ok := v.Addr().Interface().(Validator); ok {
		if err := val.Validate(); err != nil {
			faults = append(faults, strings.Split(err.Error(), "\n")...)
		}
	}
	return faults
}
