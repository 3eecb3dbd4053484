package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/provider"
	"github.com/knobot/knobot/simulator"
)

// payloadFields are the scalars of a payload, each with the keys that lead to it.
type payloadFields map[string]string

func fieldsOf(t *testing.T, body []byte) payloadFields {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	require.NoError(t, decoder.Decode(&document))
	fields := payloadFields{}
	fields.collect("", document)
	return fields
}

func (f payloadFields) collect(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f.collect(strings.TrimPrefix(path+"."+key, "."), v[key])
		}
	case []any:
		for _, element := range v {
			f.collect(path, element)
		}
	default:
		value, name := fmt.Sprint(v), strings.TrimPrefix(path, "entry.changes.value.")
		if known, taken := f[value]; !taken || rank(name) < rank(known) {
			f[value] = name
		}
	}
}

// rank orders fields that hold the same value: the chat before who wrote in it, a message's own fields before its contact's,
// a button's label before what is behind it, and the shorter name before the longer one.
func rank(name string) int {
	const last = 100
	switch {
	case strings.HasSuffix(name, ".chat.id"):
		return 0
	case strings.HasPrefix(name, "contacts.") || strings.HasSuffix(name, ".payload"):
		return last
	default:
		return strings.Count(name, ".")
	}
}

// of names the field that holds a value.
func (f payloadFields) of(value string) string {
	name, ok := f[value]
	switch {
	case value == "":
		return ""
	case ok:
		return name
	default:
		return "composed"
	}
}

// mine says that a call speaks to, or of, what stands in this payload.
func (f payloadFields) mine(c provider.Call) bool {
	names := []string{"to", "recipient", "chat_id", "callback_query_id", "guest_query_id"}
	if c.Platform == simulator.WhatsApp {
		names = append(names, "message_id")
	}
	return slices.ContainsFunc(names, func(name string) bool {
		value := strings.TrimPrefix(c.Text(name), "+")
		return value != "" && f[value] != ""
	})
}
