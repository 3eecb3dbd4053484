package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/client"
	"github.com/knobot/knobot/simulator/internal/server"
)

const (
	numberID = "106540352242922"
	botToken = "7000000001:AAtest"
)

type object = map[string]any

// echo is a small program under test: it repeats what it is asked, and sends
// one of everything when it is told to.
type echo struct {
	api  string
	mu   sync.Mutex
	seen map[string]bool
	// bodies are all webhooks that came in.
	bodies []object
}

// start runs a simulator with one number, one bot and an echo.
func start(t *testing.T) (*client.Client, *echo) {
	t.Helper()
	e := &echo{seen: map[string]bool{}}
	program := httptest.NewServer(e)
	settings := server.DefaultSettings()
	settings.SentDelay, settings.DeliveredDelay, settings.ReadDelay = 0, 0, 0
	s := server.New(server.Options{WebhookURL: program.URL, History: 5000, Settings: settings})
	require.NoError(t, s.Seed(server.Config{
		PhoneNumberID: numberID, AccessToken: "TOKEN", AppSecret: "secret", BotToken: botToken, SecretToken: "s3cret",
	}))
	listener := httptest.NewServer(s)
	e.api = listener.URL
	t.Cleanup(func() {
		listener.CloseClientConnections()
		s.Close()
		listener.Close()
		program.Close()
	})
	return client.New(listener.URL, listener.Client()), e
}

func (e *echo) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body object
	if json.Unmarshal(raw, &body) != nil {
		return
	}
	e.mu.Lock()
	e.bodies = append(e.bodies, body)
	e.mu.Unlock()
	if strings.Contains(r.URL.Path, "whatsapp") {
		for _, value := range values(body) {
			for _, m := range list(value["messages"]) {
				go e.answerWhatsApp(m)
			}
		}
		return
	}
	if !e.first(fmt.Sprint(body["update_id"])) {
		return
	}
	for _, kind := range []string{"message", "business_message"} {
		if m, ok := body[kind].(object); ok {
			go e.answerTelegram(m)
		}
	}
}

func (e *echo) received() []object {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]object{}, e.bodies...)
}

func values(body object) []object {
	var found []object
	for _, entry := range list(body["entry"]) {
		for _, change := range list(entry["changes"]) {
			value, _ := change["value"].(object)
			found = append(found, value)
		}
	}
	return found
}

func list(v any) []object {
	var found []object
	entries, _ := v.([]any)
	for _, entry := range entries {
		if o, ok := entry.(object); ok {
			found = append(found, o)
		}
	}
	return found
}

// first says that a message was not seen before.
func (e *echo) first(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.seen[id] = true }()
	return !e.seen[id]
}

func (e *echo) answerWhatsApp(m object) {
	id, _ := m["id"].(string)
	text, _ := m["text"].(object)
	said, _ := text["body"].(string)
	if said == "" || !e.first(id) {
		return
	}
	answer := object{"messaging_product": "whatsapp", "type": "text", "text": object{"body": "eco: " + said}, "context": object{"message_id": id}}
	if phone, ok := m["from"].(string); ok {
		answer["to"] = "+" + phone
	} else {
		answer["recipient"] = m["from_user_id"]
	}
	for word, part := range whatsAppReplies(id) {
		if strings.Contains(said, word) {
			delete(answer, "text")
			for key, value := range part {
				answer[key] = value
			}
		}
	}
	e.whatsApp(object{"messaging_product": "whatsapp", "status": "read", "message_id": id, "typing_indicator": object{"type": "text"}})
	e.whatsApp(answer)
}

func whatsAppReplies(id string) map[string]object {
	reply := func(id string) object {
		return object{"type": "reply", "reply": object{"id": id, "title": strings.ToUpper(id)}}
	}
	return map[string]object{
		"botones": {"type": "interactive", "interactive": object{
			"type": "button", "body": object{"text": "Elige"}, "action": object{"buttons": []any{reply("sí"), reply("no")}},
		}},
		"lista": {"type": "interactive", "interactive": object{
			"type": "list", "body": object{"text": "Elige"},
			"action": object{"button": "Ver", "sections": []any{object{"rows": []any{object{"id": "r1", "title": "Envíos"}}}}},
		}},
		"número": {"type": "interactive", "interactive": object{
			"type": "request_contact_info", "body": object{"text": "¿Nos da su número?"}, "action": object{"name": "request_contact_info"},
		}},
		"plantilla": {"type": "template", "template": object{
			"name": "aviso", "language": object{"code": "es"}, "components": []any{
				object{"type": "header", "parameters": []any{object{"type": "image", "image": object{"link": "https://x.example/a.jpg"}}}},
				object{"type": "body", "parameters": []any{object{"type": "text", "text": "Ana"}}},
				object{"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": []any{object{"type": "payload", "payload": "SEGUIR"}}},
			},
		}},
		"foto":     {"type": "image", "image": object{"link": "https://x.example/a.jpg", "caption": "La foto"}},
		"reacción": {"type": "reaction", "reaction": object{"message_id": id, "emoji": "🙏"}},
	}
}

func (e *echo) whatsApp(body object) {
	e.call(e.api+"/v26.0/"+numberID+"/messages", body)
}

func (e *echo) answerTelegram(m object) {
	chat, _ := m["chat"].(object)
	said, _ := m["text"].(string)
	if said == "" || chat["type"] != "private" && !strings.HasPrefix(said, "/") {
		return
	}
	args := object{"chat_id": chat["id"], "text": "eco: " + said, "reply_parameters": object{"message_id": m["message_id"]}}
	for _, name := range []string{"business_connection_id", "message_thread_id"} {
		if value, ok := m[name]; ok {
			args[name] = value
		}
	}
	e.telegram("sendChatAction", object{"chat_id": chat["id"], "action": "typing"})
	method := "sendMessage"
	switch {
	case strings.Contains(said, "botones"):
		args["reply_markup"] = object{"inline_keyboard": []any{[]any{object{"text": "Sí", "callback_data": "yes"}}}}
	case strings.Contains(said, "número"):
		args["reply_markup"] = object{"keyboard": []any{[]any{object{"text": "Compartir", "request_contact": true}}}}
	case strings.Contains(said, "borrador"):
		e.telegram("sendMessageDraft", object{"chat_id": chat["id"], "draft_id": 7, "text": "eco: …", "can_stop": true})
	case strings.Contains(said, "foto"):
		method, args["photo"], args["caption"] = "sendPhoto", "https://x.example/a.jpg", "La foto"
	case strings.Contains(said, "reacción"):
		reaction := []any{object{"type": "emoji", "emoji": "🙏"}}
		e.telegram("setMessageReaction", object{"chat_id": chat["id"], "message_id": m["message_id"], "reaction": reaction})
		return
	}
	e.telegram(method, args)
}

func (e *echo) telegram(method string, args object) {
	e.call(e.api+"/bot"+botToken+"/"+method, args)
}

// call tries once more when the first answer is no success, as a patient
// program does.
func (e *echo) call(address string, body object) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	for range 2 {
		r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(string(raw)))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer TOKEN")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
}
