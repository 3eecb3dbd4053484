package env

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// field is a leaf of a configuration struct that has a variable.
type field struct {
	goName   string
	name     string // of the variable
	typ      reflect.Type
	secret   bool
	fallback string
	required bool
}

// Field describes one setting of a configuration, for documentation.
type Field struct {
	Name     string
	Default  string
	Required bool
	Secret   bool
}

// FieldsOf lists the settings that the configuration type C reads.
func FieldsOf[C any]() []Field {
	var out []Field
	for _, f := range fieldsOf(reflect.TypeFor[C](), "") {
		out = append(out, Field{Name: f.name, Default: f.fallback, Required: f.required, Secret: f.secret})
	}
	return out
}

func fieldsOf(t reflect.Type, prefix string) []field {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, options, _ := strings.Cut(sf.Tag.Get("env"), ",")
		switch {
		case !sf.IsExported(), tag == "-":
		case tag != "":
			out = append(out, leaf(sf, prefix+tag, options))
		default:
			out = append(out, fieldsOf(sf.Type, prefix+sf.Tag.Get("envPrefix"))...)
		}
	}
	return out
}

func leaf(sf reflect.StructField, name, options string) field {
	set := strings.Split(options, ",")
	return field{
		goName:   sf.Name,
		name:     name,
		typ:      sf.Type,
		secret:   sf.Type == reflect.TypeFor[Secret](),
		fallback: sf.Tag.Get("envDefault"),
		required: slices.Contains(set, "required") || slices.Contains(set, "notEmpty"),
	}
}

// undeclared reports settings of the program itself that are missing in the
// table: another program with the same .env would refuse their names.
func undeclared(fields []field) []string {
	var faults []string
	for _, f := range fields {
		n, ok := lookup(f.name)
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s is read by this program and missing in platform/env/names.go", f.name))
		case n.Secret && !f.secret:
			faults = append(faults, fmt.Sprintf("%s is a secret in platform/env/names.go: its field must be an env.Secret", f.name))
		case !n.Secret && f.secret:
			faults = append(faults, fmt.Sprintf("%s must be marked as a secret in platform/env/names.go", f.name))
		}
	}
	return faults
}
