package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
	"github.com/knobot/knobot/simulator/internal/reference"
	"github.com/knobot/knobot/simulator/scenario"
)

// everything plays the sample of all kinds and returns the webhooks that it
// made.
func everything(t *testing.T) []object {
	t.Helper()
	text, err := os.ReadFile("../scenarios/todo.yaml")
	require.NoError(t, err)
	s, err := scenario.Load(bytes.NewReader(text))
	require.NoError(t, err)
	sim, e := start(t)
	var out bytes.Buffer
	require.NoError(t, scenario.Run(t.Context(), sim, s, scenario.Options{Out: &out}), out.String())
	require.Eventually(t, func() bool {
		pending, err := sim.PendingWebhooks(t.Context())
		return err == nil && pending == 0
	}, waitFor, tick)
	return e.received()
}

// said is a message or notice of WhatsApp with the word for its kind.
type said struct {
	kind  string
	value object
}

// messagesOf takes a webhook of WhatsApp apart; statuses are left to the tests of package
// graph.
func messagesOf(body object) []said {
	var found []said
	for _, value := range values(body) {
		contacts := value["contacts"]
		for _, field := range []string{"messages", "message_echoes", "user_id_update"} {
			for _, m := range list(value[field]) {
				kind, _ := m["type"].(string)
				if field != "messages" {
					kind = field
				}
				if reply, ok := m["interactive"].(object); ok {
					kind, _ = reply["type"].(string)
				}
				found = append(found, said{kind, object{"message": m, "contacts": contacts}})
			}
		}
	}
	return found
}

// paths lists the members of a value with their JSON types. Lists count once.
func paths(prefix string, v any, into map[string]bool) {
	switch v := v.(type) {
	case object:
		for name, inner := range v {
			paths(prefix+"."+name, inner, into)
		}
	case []any:
		for _, inner := range v {
			paths(prefix+"[]", inner, into)
		}
	case nil:
	default:
		into[fmt.Sprintf("%s %T", prefix, v)] = true
	}
}

// since2026 are members that the references are too old for (business-scoped
// user ids and usernames), and what a contact_request brings.
func since2026(path string) bool {
	return slices.ContainsFunc([]string{
		"user_id string", "username string", ".origin string", ".vcard string", "unsupported.type string",
	}, func(end string) bool { return strings.HasSuffix(path, end) })
}

// notMade are members of the references that the simulator leaves out: the
// parent ids of enrolled companies.
func notMade(path string) bool { return strings.Contains(path, "parent_user_id") }

// TestWhatsAppShapesEqualTheReferences compares each kind of message with the
// recorded ones: no member that they do not know, none missing.
func TestWhatsAppShapesEqualTheReferences(t *testing.T) {
	t.Parallel()
	known := map[string]map[string]bool{}
	for _, pattern := range []string{"whatsapp/webhooks/pywa/*.json", "whatsapp/webhooks/meta/*.json"} {
		for _, file := range reference.Files(t, pattern) {
			var body object
			reference.Read(t, file, &body)
			for _, m := range messagesOf(body) {
				collect(known, m)
			}
		}
	}
	made := map[string]map[string]bool{}
	for _, body := range everything(t) {
		for _, m := range messagesOf(body) {
			collect(made, m)
		}
	}
	for kind, members := range known {
		for path := range members {
			require.True(t, made[kind][path] || notMade(path), "%s lacks %s", kind, path)
		}
		for path := range made[kind] {
			require.True(t, members[path] || since2026(path), "%s has %s", kind, path)
		}
	}
	for _, kind := range []string{"edit", "user_id_update", "request_welcome"} {
		require.NotEmpty(t, made[kind], "no reference has it, and yet it is made")
	}
}

func collect(into map[string]map[string]bool, m said) {
	if into[m.kind] == nil {
		into[m.kind] = map[string]bool{}
	}
	paths("", m.value, into[m.kind])
}

// types is the Bot API's machine-readable specification.
type types map[string]struct {
	Fields []struct {
		Name     string   `json:"name"`
		Types    []string `json:"types"`
		Required bool     `json:"required"`
	} `json:"fields"`
	Subtypes []string `json:"subtypes"`
}

// check compares a value with a type of the specification: no unknown member,
// none of the required missing, each of the right type.
func (s types) check(path, name string, v any) []string {
	if inner, ok := strings.CutPrefix(name, "Array of "); ok {
		entries, isList := v.([]any)
		if !isList {
			return []string{path + " is no list"}
		}
		var faults []string
		for _, entry := range entries {
			faults = append(faults, s.check(path+"[]", inner, entry)...)
		}
		return faults
	}
	spec, ok := s[name]
	if !ok {
		return basic(path, name, v)
	}
	o, isObject := v.(object)
	switch {
	case !isObject:
		return []string{path + " is no " + name}
	case len(spec.Subtypes) > 0:
		return s.checkOneOf(path, spec.Subtypes, o)
	}
	var faults []string
	seen := map[string]bool{}
	for _, field := range spec.Fields {
		value, given := o[field.Name]
		seen[field.Name] = true
		if !given && field.Required {
			faults = append(faults, path+" lacks "+field.Name)
		}
		if given {
			faults = append(faults, s.checkOneOf(path+"."+field.Name, field.Types, value)...)
		}
	}
	for member := range o {
		if !seen[member] {
			faults = append(faults, path+" has "+member)
		}
	}
	return faults
}

func (s types) checkOneOf(path string, names []string, v any) []string {
	var faults []string
	for _, name := range names {
		found := s.check(path, name, v)
		if len(found) == 0 {
			return nil
		}
		faults = append(faults, found...)
	}
	return faults
}

func basic(path, name string, v any) []string {
	ok := false
	switch v := v.(type) {
	case string:
		ok = name == "String"
	case float64:
		ok = name == "Float" || name == "Integer" && v == float64(int64(v))
	case bool:
		ok = name == "Boolean" || name == "True" || name == "False"
	}
	if ok {
		return nil
	}
	return []string{path + " is no " + name}
}

// TestTelegramUpdatesFollowTheSpecification checks every update that the sample
// makes, and that it makes every kind.
func TestTelegramUpdatesFollowTheSpecification(t *testing.T) {
	t.Parallel()
	var spec struct {
		Types types `json:"types"`
	}
	reference.Read(t, "telegram/botapi-10.1.subset.json", &spec)
	kinds := map[string]bool{}
	for _, body := range everything(t) {
		if body["update_id"] == nil {
			continue
		}
		require.Empty(t, spec.Types.check("update", "Update", body), encoded(t, body))
		for name, value := range body {
			kinds[name] = true
			if m, ok := value.(object); ok {
				for part := range m {
					kinds["."+part] = true
				}
			}
		}
	}
	for _, kind := range []string{
		"message", "edited_message", "my_chat_member", "business_connection", "business_message", "edited_business_message",
		"deleted_business_messages", ".photo", ".video", ".video_note", ".animation", ".voice", ".audio", ".document", ".sticker",
		".contact", ".location", ".venue", ".dice", ".web_app_data", ".media_group_id", ".reply_to_message", ".quote",
		".forward_origin", ".entities", ".message_thread_id", ".is_topic_message", ".migrate_to_chat_id", ".migrate_from_chat_id",
		".business_connection_id", ".caption",
	} {
		require.True(t, kinds[kind], kind)
	}
}

// TestTelegramAnswersFollowTheSpecification checks what the methods give back.
func TestTelegramAnswersFollowTheSpecification(t *testing.T) {
	t.Parallel()
	var spec struct {
		Types types `json:"types"`
	}
	reference.Read(t, "telegram/botapi-10.1.subset.json", &spec)
	s, err := scenario.Load(strings.NewReader(two + `
- {as: beto, say: los botones, expect: [{}]}
- {as: beto, say: pida el número, expect: [{}]}
- {as: beto, say: la foto, expect: [{kind: photo}]}`))
	require.NoError(t, err)
	sim, _ := start(t)
	dir := fstest.MapFS{"nota.txt": {Data: []byte("hola")}}
	require.NoError(t, scenario.Run(t.Context(), sim, s, scenario.Options{Dir: dir, Out: io.Discard}))
	require.Eventually(t, func() bool { // a call is noted after its message is seen
		calls, err := sim.Journal(t.Context(), client.Filter{Chat: simulator.Chat{Platform: simulator.Telegram}})
		require.NoError(t, err)
		checked := 0
		for _, call := range calls {
			var answer object
			require.NoError(t, json.Unmarshal(call.Response, &answer))
			if result, ok := answer["result"].(object); ok {
				require.Empty(t, spec.Types.check("result", "Message", result), string(call.Response))
				checked++
			}
		}
		return checked == 3
	}, waitFor, tick)
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}
