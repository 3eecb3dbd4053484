package botapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/reference"
)

type specification struct {
	Methods map[string]struct {
		Fields []struct {
			Name     string `json:"name"`
			Required bool   `json:"required"`
		} `json:"fields"`
	} `json:"methods"`
}

// supported are the methods that the simulator knows.
func supported() []string {
	return []string{
		"getMe", "setWebhook", "deleteWebhook", "getWebhookInfo", "getUpdates", "setMyCommands", "sendMessage", "sendPhoto",
		"sendDocument", "sendMessageDraft", "sendChatAction", "editMessageText", "editMessageReplyMarkup",
		"setMessageReaction", "answerCallbackQuery", "getFile",
	}
}

// TestMethodsThatAreNotImitatedSaySo: a method that would seem to work would
// prove nothing.
func TestMethodsThatAreNotImitatedSaySo(t *testing.T) {
	t.Parallel()
	var spec specification
	reference.Read(t, "telegram/botapi-10.1.subset.json", &spec)
	inBubble(t, func(t *testing.T, b bundle) {
		for name := range spec.Methods {
			known := b.call(t, name, nil).Code != http.StatusNotFound
			require.Equal(t, slices.Contains(supported(), name), known, name)
		}
	})
}

// TestMissingParametersAreRefused takes each parameter away that the Bot API's
// machine-readable specification marks as required.
func TestMissingParametersAreRefused(t *testing.T) {
	t.Parallel()
	var spec specification
	reference.Read(t, "telegram/botapi-10.1.subset.json", &spec)
	valid := object{
		"chat_id": json.Number(user), "text": "hola", "action": "typing", "callback_query_id": "1", "file_id": "1",
		"message_id": "1", "draft_id": 1, "photo": "https://x.co/a.jpg", "document": "https://x.co/a.pdf",
		"url": "https://bot.example.com/", "commands": []any{},
	}
	for _, name := range supported() {
		method, ok := spec.Methods[name]
		require.True(t, ok, "%s is no method of the Bot API", name)
		for _, field := range method.Fields {
			if !field.Required {
				continue
			}
			t.Run(name+"/"+field.Name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, b bundle) {
					b.greet(t)
					require.Contains(t, valid, field.Name, "the test knows no valid value")
					args := object{}
					for _, other := range method.Fields {
						if value, ok := valid[other.Name]; ok && other.Required && other.Name != field.Name {
							args[other.Name] = value
						}
					}
					w := b.call(t, name, args)
					require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
					require.Equal(t, false, decoded(t, w)["ok"])
					require.Len(t, b.shown(), 1)
				})
			})
		}
	}
}

// TestAcceptsWhatAnIndependentSDKSends posts the recorded bodies of grammY to
// the methods that the simulator knows.
func TestAcceptsWhatAnIndependentSDKSends(t *testing.T) {
	t.Parallel()
	for _, path := range reference.Files(t, "telegram/outbound/grammy/*.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var sent struct {
				Path string `json:"path"`
				Body object `json:"body"`
			}
			reference.Read(t, path, &sent)
			method := filepath.Base(sent.Path)
			inBubble(t, func(t *testing.T, b bundle) {
				b.greet(t)
				switch method {
				case "editMessageText":
					b.call(t, "sendMessage", message("antes"))
					sent.Body["message_id"] = b.shown()[1].ID
				case "getFile":
					sent.Body["file_id"] = b.shelf.Put([]byte("x"), "image/png", "").ID
				case "answerCallbackQuery":
					sent.Body["callback_query_id"] = pressed(t, b)
				case "sendRichMessage":
					require.Equal(t, http.StatusNotFound, b.call(t, method, sent.Body).Code, "not imitated, and says so")
					return
				}
				w := b.call(t, method, sent.Body)
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			})
		})
	}
}

// pressed lets the customer press a button and returns the query's id.
func pressed(t *testing.T, b bundle) any {
	t.Helper()
	args := message("Elige")
	args["reply_markup"] = object{"inline_keyboard": []any{[]any{object{"text": "a", "callback_data": "a"}}}}
	b.call(t, "sendMessage", args)
	menu := b.shown()[1]
	before := len(b.hooks.updates(t))
	_, err := b.api.Press(simulator.Press{Chat: menu.Chat, Message: menu.ID, Data: "a"})
	require.NoError(t, err)
	return b.hooks.updates(t)[before]["callback_query"].(object)["id"]
}

// TestResponsesEqualTheReference provokes each recorded answer and compares it
// as JSON, leaving out numbers and names that differ from call to call.
func TestResponsesEqualTheReference(t *testing.T) {
	t.Parallel()
	for _, path := range reference.Files(t, "telegram/responses/*.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want struct {
				Status  int               `json:"status"`
				Headers map[string]string `json:"headers"`
				Body    any               `json:"body"`
			}
			reference.Read(t, path, &want)
			inBubble(t, func(t *testing.T, b bundle) {
				got := provoke(t, b, name)
				require.Equal(t, want.Status, got.Code)
				for header, value := range want.Headers {
					require.Equal(t, value, got.Header().Get(header))
				}
				if text, ok := want.Body.(string); ok {
					require.Equal(t, text, got.Body.String())
					return
				}
				require.Equal(t, blur(want.Body), blur(any(decoded(t, got))))
			})
		})
	}
}

// ordered are the answers that only a fault can provoke.
func ordered() map[string]simulator.Fault {
	refusal := func(code int, description string) simulator.Fault {
		return simulator.Fault{Kind: simulator.FaultError, Code: code, Description: description}
	}
	migrated := refusal(400, "Bad Request: group chat was upgraded to a supergroup chat")
	migrated.Migrate = -1009876543210
	return map[string]simulator.Fault{
		"err_400_migrated":       migrated,
		"err_400_parse_entities": refusal(400, "Bad Request: can't parse entities: Can't find end of Bold entity at byte offset 0"),
		"err_403_deactivated":    refusal(403, "Forbidden: user is deactivated"),
		"err_403_blocked":        refusal(403, ""),
		"err_403_kicked":         refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
		"err_429":                {Kind: simulator.FaultThrottled, RetryAfter: 7},
		"err_502_html":           {Kind: simulator.FaultBadGateway},
	}
}

func provoke(t *testing.T, b bundle, name string) *httptest.ResponseRecorder {
	t.Helper()
	b.greet(t)
	if fault, ok := ordered()[name]; ok {
		_, err := b.faults.Add(fault)
		require.NoError(t, err)
		return b.call(t, "sendMessage", message("Hola"))
	}
	args := message("Hola")
	switch name {
	case "ok_message":
		return b.call(t, "sendMessage", args)
	case "ok_true":
		return b.call(t, "sendChatAction", object{"chat_id": user, "action": "typing"})
	case "err_400_chat_not_found":
		args["chat_id"] = 1
	case "err_400_text_empty":
		args["text"] = ""
	case "err_400_too_long":
		args["text"] = strings.Repeat("a", 4097)
	case "err_400_reply_not_found":
		args["reply_parameters"] = object{"message_id": 1}
	case "err_400_button_data_invalid":
		args["reply_markup"] = object{"inline_keyboard": []any{[]any{object{"text": "a", "callback_data": strings.Repeat("a", 65)}}}}
	case "err_400_not_modified":
		b.call(t, "sendMessage", args)
		args["message_id"] = b.shown()[1].ID
		return b.call(t, "editMessageText", args)
	case "err_401":
		return b.serve(httptest.NewRequest(http.MethodGet, "/bot1:a/getMe", nil))
	default:
		return provokeOthers(t, b, name)
	}
	return b.call(t, "sendMessage", args)
}

// provokeOthers calls other methods than sendMessage.
func provokeOthers(t *testing.T, b bundle, name string) *httptest.ResponseRecorder {
	t.Helper()
	hook := object{"url": "https://203.0.113.10/webhooks/telegram", "max_connections": 40}
	switch name {
	case "ok_webhook_set":
		return b.call(t, "setWebhook", hook)
	case "webhook_info":
		b.call(t, "setWebhook", hook)
		synctest.Wait()
	case "webhook_info_failing":
		b.call(t, "setWebhook", hook)
		b.hooks.answer(http.StatusInternalServerError)
		for range 11 {
			b.greet(t)
		}
		<-time.After(time.Second)
	case "err_409_webhook_active":
		return b.call(t, "getUpdates", nil)
	case "err_404_method":
		return b.call(t, "sendPigeon", nil)
	case "err_400_query_too_old":
		return b.call(t, "answerCallbackQuery", object{"callback_query_id": "1"})
	case "err_400_file_too_big":
		file := b.shelf.Put(make([]byte, 20<<20+1), "video/mp4", "")
		return b.call(t, "getFile", object{"file_id": file.ID})
	case "get_file":
		file := b.shelf.Put([]byte("x"), "application/pdf", "a.pdf")
		return b.call(t, "getFile", object{"file_id": file.ID})
	default:
		require.Fail(t, "nothing provokes this answer yet")
	}
	return b.call(t, "getWebhookInfo", nil)
}

// blur replaces what differs from call to call.
func blur(v any) any {
	m, ok := v.(object)
	if !ok {
		return v
	}
	for key, inner := range m {
		switch key {
		case "message_id", "date", "file_id", "file_unique_id", "file_size", "file_path", "url", "last_error_date":
			m[key] = "…"
		default:
			m[key] = blur(inner)
		}
	}
	return m
}
