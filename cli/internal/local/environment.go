package local

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// environment holds what is set for the programs: first what the person set (process, then .env), then what we choose.
// A variable that is set wins over what we would choose.
type environment map[string]string

// loadEnvironment reads the process environment and, below it, a .env file where there is one.
func loadEnvironment(dotenv string) (environment, error) {
	env := environment{}
	values, err := godotenv.Read(dotenv)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", dotenv, err)
	}
	for name, value := range values {
		env[name] = value
	}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env, nil
}

// set says whether a variable or its NAME_FILE twin has a value.
func (e environment) set(name string) bool { return e[name] != "" || e[name+"_FILE"] != "" }

// choose gives a variable a value unless it has one, and returns its value.
func (e environment) choose(name, value string) string {
	if !e.set(name) {
		e[name] = value
	}
	return e[name]
}

// with returns a copy in which the pairs are set; an empty value removes a name.
func (e environment) with(pairs map[string]string) environment {
	c := environment{}
	for name, value := range e {
		c[name] = value
	}
	for name, value := range pairs {
		delete(c, name)
		if value != "" {
			c[name] = value
		}
	}
	return c
}

// list is the form that exec wants.
func (e environment) list() []string {
	pairs := make([]string, 0, len(e))
	for name, value := range e {
		pairs = append(pairs, name+"="+value)
	}
	slices.Sort(pairs)
	return pairs
}

// demoCredentials are those of the simulator's number and bot. They are made once and kept, because the first start
// stores them in the database.
func demoCredentials(dataDir string) (map[string]string, error) {
	path := filepath.Join(dataDir, "demo.env")
	values, err := godotenv.Read(path)
	if err == nil {
		return values, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	values = map[string]string{
		"WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
		"WHATSAPP_ACCESS_TOKEN":    "demo-" + randomHex(),
		"WHATSAPP_VERIFY_TOKEN":    "demo-" + randomHex(),
		"WHATSAPP_APP_SECRET":      randomHex(),
		"TELEGRAM_BOT_TOKEN":       "1000001:demo" + randomHex(),
		"TELEGRAM_SECRET_TOKEN":    randomHex(),
	}
	text, err := godotenv.Marshal(values)
	if err != nil {
		return nil, err
	}
	return values, os.WriteFile(path, []byte(text+"\n"), 0o600)
}

func randomHex() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}

// simulated says which platforms the simulator stands in for: those of which the person set nothing.
func (e environment) simulated() (whatsapp, telegram bool) {
	return !e.anySet("WHATSAPP_"), !e.anySet("TELEGRAM_")
}

func (e environment) anySet(prefix string) bool {
	for name, value := range e {
		if strings.HasPrefix(name, prefix) && value != "" {
			return true
		}
	}
	return false
}
