package botapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/botapi"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/ring"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

const (
	token = "7000000001:AAtest-token"
	user  = "8123456789"
)

// hooks receives updates in memory.
type hooks struct {
	mu      sync.Mutex
	status  int
	headers []http.Header
	bodies  []string
}

func (h *hooks) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.headers, h.bodies = append(h.headers, r.Header), append(h.bodies, string(body))
	return &http.Response{StatusCode: h.status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func (h *hooks) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// updates returns the updates received so far.
func (h *hooks) updates(t *testing.T) []map[string]any {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	updates := make([]map[string]any, len(h.bodies))
	for i, body := range h.bodies {
		require.NoError(t, json.Unmarshal([]byte(body), &updates[i]))
	}
	return updates
}

type bundle struct {
	api    *botapi.API
	store  *chat.Store
	shelf  *media.Shelf
	faults *faults.Set
	calls  *ring.Log[simulator.Call]
	hooks  *hooks
}

// inBubble runs a test on its own clock against an API with one bot, whose
// webhook is set.
func inBubble(t *testing.T, test func(t *testing.T, b bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := bundle{
			store: chat.NewStore(chat.Limits{Messages: 100, Chats: 100, Events: 1000}), shelf: media.NewShelf(),
			faults: faults.NewSet(), calls: ring.New[simulator.Call](100), hooks: &hooks{status: http.StatusOK},
		}
		deliverer := webhook.New(b.hooks, ring.New[simulator.Delivery](100), func() float64 { return 1 })
		defer deliverer.Close()
		b.api = botapi.New(exchange.Desk{Faults: b.faults, Journal: b.calls}, b.store, b.shelf, deliverer, "http://bot.test")
		_, err := b.api.AddBot(simulator.Bot{Token: token, Username: "knobot_test_bot", SecretToken: "s3cret"})
		require.NoError(t, err)
		test(t, b)
	})
}

// greet lets the customer write, which makes the chat known to the bot.
func (b bundle) greet(t *testing.T) simulator.Message {
	t.Helper()
	return b.say(t, "Hola")
}

func (b bundle) say(t *testing.T, text string) simulator.Message {
	t.Helper()
	person := simulator.Person{Name: "Ana Ñúñez", Username: "ana_prueba", Language: "es"}
	m, err := b.api.Say(simulator.Utterance{From: user, Text: text, Person: person})
	require.NoError(t, err)
	return m
}

// call calls a method with a JSON body.
func (b bundle) call(t *testing.T, method string, args any) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := json.Marshal(args)
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/bot"+token+"/"+method, strings.NewReader(string(raw)))
	r.Header.Set("Content-Type", "application/json")
	return b.serve(r)
}

func (b bundle) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	return w
}

type object = map[string]any

func message(text string) object { return object{"chat_id": json.Number(user), "text": text} }

func decoded(t *testing.T, w *httptest.ResponseRecorder) object {
	t.Helper()
	var v object
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

func (b bundle) shown() []simulator.Message {
	return b.store.Messages(simulator.Chat{Platform: simulator.Telegram, Account: "7000000001", User: user}, 0)
}

func TestCalls(t *testing.T) {
	t.Parallel()

	t.Run("JSONFormAndQueryMeanTheSame", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			form := url.Values{"chat_id": {user}, "text": {"hola"}}.Encode()
			posted := httptest.NewRequest(http.MethodPost, "/bot"+token+"/SENDMESSAGE", strings.NewReader(form))
			posted.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, w := range []*httptest.ResponseRecorder{
				b.call(t, "sendmessage", message("hola")), b.serve(posted),
				b.serve(httptest.NewRequest(http.MethodGet, "/bot"+token+"/sendMessage?"+form, nil)),
			} {
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			}
			shown := b.shown()
			require.Len(t, shown, 4)
			calls, _ := b.calls.Since(0)
			for i, m := range shown[1:] {
				require.Equal(t, "hola", m.Text)
				require.Equal(t, "sendMessage", calls[i].Method)
				require.JSONEq(t, `{"chat_id":`+user+`,"text":"hola"}`, string(m.Request))
			}
		})
	})

	t.Run("WrongTokenAndUnknownMethod", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			for path, status := range map[string]int{
				"/bot7000000001:other/getMe": 401, "/botnonsense/getMe": 404, "/bot" + token + "/sendPigeon": 404, "/bot" + token + "/getMe": 200,
			} {
				require.Equal(t, status, b.serve(httptest.NewRequest(http.MethodGet, path, nil)).Code, path)
			}
		})
	})

	t.Run("FormattedTextIsShownWithItsEntities", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			args := message("  <b>Abierto</b> 👍")
			args["parse_mode"] = "html"
			require.Equal(t, http.StatusOK, b.call(t, "sendMessage", args).Code)
			m := b.shown()[1]
			require.Equal(t, "Abierto 👍", m.Text)
			require.Equal(t, []simulator.Entity{{Type: "bold", Length: 7}}, m.Entities)
			require.Equal(t, simulator.StateRead, m.State, "the phone is open")
		})
	})

	t.Run("TypingLastsFiveSecondsOrUntilTheAnswer", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			require.Equal(t, http.StatusOK, b.call(t, "sendChatAction", object{"chat_id": user, "action": "typing"}).Code)
			info, _ := b.store.Info(m.Chat)
			require.False(t, info.TypingUntil.IsZero())
			b.call(t, "sendMessage", message("hola"))
			info, _ = b.store.Info(m.Chat)
			require.True(t, info.TypingUntil.IsZero())
		})
	})

	t.Run("LimitsHoldWhenAskedFor", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			_, err := b.api.AddBot(simulator.Bot{Token: token, SecretToken: "s3cret", Limits: true})
			require.NoError(t, err)
			b.greet(t)
			for range 4 {
				require.Equal(t, http.StatusOK, b.call(t, "sendMessage", message("hola")).Code)
			}
			w := b.call(t, "sendMessage", message("hola"))
			require.Equal(t, http.StatusTooManyRequests, w.Code)
			require.Equal(t, "2", w.Header().Get("Retry-After"))
		})
	})

	t.Run("TheJournalKeepsNoSecret", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.call(t, "setWebhook", object{"url": "https://bot.example.com/", "secret_token": "very-secret"})
			calls, _ := b.calls.Since(0)
			raw, err := json.Marshal(calls)
			require.NoError(t, err)
			require.NotContains(t, string(raw), "very-secret")
			require.NotContains(t, string(raw), token)
		})
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	keyboard := func(button object) object { return object{"inline_keyboard": []any{[]any{button}}} }
	cases := map[string]struct {
		method      string
		change      object
		description string
	}{
		"UnknownChat":         {"sendMessage", object{"chat_id": 1}, "chat not found"},
		"ChatThatIsNoNumber":  {"sendMessage", object{"chat_id": "ana"}, "chat not found"},
		"BrokenMarkup":        {"sendMessage", object{"text": "<b>a", "parse_mode": "HTML"}, `can't parse entities: Can't find end tag corresponding to start tag "b"`},
		"UnknownMode":         {"sendMessage", object{"parse_mode": "rtf"}, "unsupported parse_mode"},
		"EmptyText":           {"sendMessage", object{"text": " \n"}, "message text is empty"},
		"EmptyAfterParsing":   {"sendMessage", object{"text": "<b></b>", "parse_mode": "HTML"}, "message text is empty"},
		"LongText":            {"sendMessage", object{"text": strings.Repeat("👍", 2049)}, "message is too long"},
		"VeryLongText":        {"sendMessage", object{"text": strings.Repeat("a", 33<<10)}, "text is too long"},
		"EmptyButtonData":     {"sendMessage", object{"reply_markup": keyboard(object{"text": "a", "callback_data": ""})}, "BUTTON_DATA_INVALID"},
		"LongButtonData":      {"sendMessage", object{"reply_markup": keyboard(object{"text": "a", "callback_data": strings.Repeat("ñ", 33)})}, "BUTTON_DATA_INVALID"},
		"ButtonThatDoesNone":  {"sendMessage", object{"reply_markup": keyboard(object{"text": "a"})}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		"ButtonWithoutText":   {"sendMessage", object{"reply_markup": keyboard(object{"callback_data": "a"})}, `can't parse inline keyboard button: field "text" must be non-empty`},
		"MarkupOfWrongShape":  {"sendMessage", object{"reply_markup": "a"}, "object expected as reply markup"},
		"ReplyToNothing":      {"sendMessage", object{"reply_parameters": object{"message_id": 1}}, "message to be replied not found"},
		"UnknownAction":       {"sendChatAction", object{"action": "dancing"}, "wrong parameter action in request"},
		"PressThatNeverWas":   {"answerCallbackQuery", object{"callback_query_id": "1"}, "query is too old and response timeout expired or query ID is invalid"},
		"FileThatIsNotThere":  {"getFile", object{"file_id": "1"}, "invalid file_id"},
		"DraftNumberZero":     {"sendMessageDraft", object{"draft_id": 0}, "draft_id must be non-zero"},
		"EditOfNothing":       {"editMessageText", object{"message_id": 1}, "message to edit not found"},
		"EditWithoutMessage":  {"editMessageText", object{}, "message identifier is not specified"},
		"WebhookWithoutTLS":   {"setWebhook", object{"url": "http://example.com/"}, "bad webhook: An HTTPS URL must be provided for webhook"},
		"WebhookOnOddPort":    {"setWebhook", object{"url": "https://example.com:9000/"}, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		"SecretWithSpace":     {"setWebhook", object{"url": "https://example.com/", "secret_token": "a b"}, "secret token contains unallowed characters"},
		"SecretTooLong":       {"setWebhook", object{"url": "https://example.com/", "secret_token": strings.Repeat("a", 257)}, "secret token is too long"},
		"PhotoThatIsNoFile":   {"sendPhoto", object{"photo": "1"}, "wrong file identifier/HTTP URL specified"},
		"CaptionTooLong":      {"sendPhoto", object{"photo": "https://x.co/a.jpg", "caption": strings.Repeat("a", 1025)}, "message caption is too long"},
		"LongestTextIsTaken":  {"sendMessage", object{"text": strings.Repeat("👍", 2048)}, ""},
		"ReplyToNothingIfTol": {"sendMessage", object{"reply_parameters": object{"message_id": 1, "allow_sending_without_reply": true}}, ""},
		"UnknownParameters":   {"sendMessage", object{"colour": "blue"}, ""},
		"LongestButtonData":   {"sendMessage", object{"reply_markup": keyboard(object{"text": "a", "callback_data": strings.Repeat("ñ", 32)})}, ""},
		"PlainHTTPOnLoopback": {"setWebhook", object{"url": "http://127.0.0.1:9000/"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, b bundle) {
				b.greet(t)
				args := message("hola")
				for key, value := range c.change {
					args[key] = value
				}
				w := b.call(t, c.method, args)
				if c.description == "" {
					require.Equal(t, http.StatusOK, w.Code, w.Body.String())
					return
				}
				require.Equal(t, object{
					"ok": false, "error_code": 400.0, "description": "Bad Request: " + c.description,
				}, decoded(t, w))
				require.Len(t, b.shown(), 1, "what is refused does not show")
			})
		})
	}
}
