// Package golden compares what a decoder makes of recorded payloads with what it is known to make of them. It is for tests.
package golden

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
)

// Update says that the expectations are to be written anew: go test ./internal/... -update
func Update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// Payloads lists the recorded payloads of a folder.
func Payloads(t testing.TB, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	return paths
}

// Compare holds the events of a payload against the file beside it that ends in .golden.
func Compare(t testing.TB, payload string, events []gateway.Event) {
	t.Helper()
	got := render(t, events)
	path := strings.TrimSuffix(payload, ".json") + ".golden"
	if Update() {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path) //nolint:gosec // a test's own file.
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

type rendered struct {
	gateway.Event
	OccurTime string
	Type      string `json:",omitempty"`
}

// render shows only what is set, so that a golden file reads as what the payload means.
func render(t testing.TB, events []gateway.Event) []byte {
	t.Helper()
	var out []any
	for _, e := range events {
		r := rendered{Event: e}
		if !e.OccurTime.IsZero() {
			r.OccurTime = e.OccurTime.UTC().Format("2006-01-02T15:04:05Z")
		}
		if e.Content != nil {
			r.Type = strings.TrimPrefix(fmt.Sprintf("%T", e.Content), "*gateway.")
		}
		raw, err := json.Marshal(r)
		require.NoError(t, err)
		var tree any
		require.NoError(t, json.Unmarshal(raw, &tree))
		out = append(out, prune(tree))
	}
	raw, err := json.MarshalIndent(out, "", "  ")
	require.NoError(t, err)
	return append(raw, '\n')
}

func prune(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for name, value := range object {
		switch value := prune(value).(type) {
		case nil, map[string]any:
			if m, isMap := value.(map[string]any); !isMap || len(m) == 0 {
				delete(object, name)
			}
		case string, bool, float64:
			if value == "" || value == false || value == 0.0 {
				delete(object, name)
			}
		}
	}
	return object
}

// RequireStorable holds events against what the conversation service takes: bounded keys, and no string that PostgreSQL
// or protobuf would refuse.
func RequireStorable(t testing.TB, events []gateway.Event) {
	t.Helper()
	require.NotEmpty(t, events)
	for _, e := range events {
		require.NotEmpty(t, e.Key)
		require.LessOrEqual(t, len(e.Key), 256)
		require.NotEmpty(t, e.Kind)
		require.NotEqual(t, e.Integration == "", e.ForeignNumber == "", "an event is ours or foreign")
		requireText(t, reflect.ValueOf(e))
	}
}

func requireText(t testing.TB, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		require.True(t, utf8.ValidString(v.String()))
		require.NotContains(t, v.String(), "\x00")
		require.LessOrEqual(t, v.Len(), 1<<20)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			requireText(t, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			requireText(t, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			requireText(t, v.Index(i))
		}
	default:
	}
}
