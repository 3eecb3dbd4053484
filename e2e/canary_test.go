package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/collector"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// canaries are words that no program may print: TestMain searches every log for them in the end. Phone numbers, chats and user
// ids begin with theirs: each message has a customer of its own, so that each is a turn.
type canaries struct {
	text, document, name, file string
	heard                      string
	phone, card, chat, bsuid   string
}

// newCanaries makes words that nothing else contains, and forbids them.
func newCanaries() canaries {
	random := func() string {
		b := make([]byte, 6)
		_, _ = rand.Read(b)
		return hex.EncodeToString(b)
	}
	digits := func(first string) string {
		n := time.Now().UnixNano()
		return first + fmt.Sprint(n)[8:16]
	}
	c := canaries{
		text: "zqtext" + random(), document: "zqdoc" + random(), name: "zqname" + random(), file: "zqfile" + random(),
		heard: "zqheard" + random(),
		phone: digits("57"), card: digits("34"), chat: digits("7"), bsuid: "CO.zq" + random(),
	}
	for name, value := range map[string]string{
		"a customer's text": c.text, "a document's text": c.document, "a customer's name": c.name, "the name of a customer's file": c.file,
		"what a customer says aloud": c.heard,
		"a customer's phone number":  c.phone, "the phone number of a contact": c.card, "a customer's chat": c.chat,
		"a customer's user id": c.bsuid,
	} {
		stores.Watch.Forbid(name, value)
	}
	return c
}

// TestNothingOfCustomersIsPrinted lets customers say every kind of thing to a system at level debug, while the model, the
// platforms and callers fail in ways that hand their words back. What it said is searched for after all tests, with all secrets.
func TestNothingOfCustomersIsPrinted(t *testing.T) {
	t.Parallel()
	c := newCanaries()
	m, ear, traces := model.Start(t), startEar(t, c), collector.Start(t)
	env := m.Environment()
	maps.Copy(env, traces.Environment())
	maps.Copy(env, map[string]string{
		"KNOBOT_TRANSCRIPTION_BASE_URL": ear.URL + "/v1", "KNOBOT_TRANSCRIPTION_MODEL": "ear", "KNOBOT_TRANSCRIPTION_API_KEY": "sk-ear-" + c.bsuid,
		"KNOBOT_LOG_LEVEL": "debug", "KNOBOT_LLM_BASE_URL": startEcho(t, m), "KNOBOT_LLM_API_KEY": "sk-" + hex.EncodeToString([]byte(c.text[6:])),
	})
	s := start(t, env)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours+"\nLas palabras "+c.document+" y "+c.text+" figuran en el horario del sábado.\n"))
	orderTrouble(t, s, c)

	c.sayEverything(t, s)
	c.postEverything(t, s)
	for _, answer := range c.refusals(t, s) {
		leak, leaked := stores.Watch.Text("the caller", answer)
		require.False(t, leaked, "%s", leak)
	}
	c.callEverything(t, s)
	eventually(t, time.Minute, func() bool {
		left, err := s.Simulator.Faults(t.Context())
		require.NoError(t, err)
		return len(left) == 0 && m.Calls.Load() > 0 && ear.calls.Load() > 1 && strings.Contains(s.RAG.Log().String(), "model failed") &&
			strings.Contains(s.Channels.Log().String(), "can't parse entities") &&
			strings.Count(s.Conversation.Log().String(), `"outcome":"answered"`) > 10
	}, "all of the trouble is met, and yet customers are answered")
	c.reportFailure(t, s)
	s.Stop()
	require.Contains(t, s.Logs(), `"level":"debug"`)
	requireSilent(t, traces)
}

// ear writes down what customers say.
type ear struct {
	*httptest.Server
	calls atomic.Int64
}

// startEar starts one that hears the same canary in every voice note, and says it first in an error.
func startEar(t *testing.T, c canaries) *ear {
	t.Helper()
	e := &ear{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if e.calls.Add(1) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprintf(w, `{"error":{"message":"cannot hear %s for %s"}}`, c.heard, r.Header.Get("Authorization"))
			return
		}
		_, _ = fmt.Fprintf(w, `{"text":%q}`, saturday+" "+c.heard)
	}))
	t.Cleanup(e.Close)
	return e
}

// startEcho puts in front of a model what fails three calls of four, with the whole request in its error, and returns its base URL.
func startEcho(t *testing.T, m *model.Server) string {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%4 == 0 {
			m.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		answer, _ := json.Marshal(map[string]any{"error": map[string]any{
			"message": "cannot answer " + string(body) + " for " + r.Header.Get("Authorization"), "type": "server_error",
		}})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// orderTrouble lets sends fail in every way, among them with the customer's words in the platform's description.
func orderTrouble(t *testing.T, s *system.System, c canaries) {
	t.Helper()
	for _, f := range []simulator.Fault{
		{Kind: simulator.FaultReset, Count: 2},
		{Kind: simulator.FaultServerError, Count: 2},
		{Kind: simulator.FaultEmpty},
		{Kind: simulator.FaultThrottled, RetryAfter: 1},
		{Kind: simulator.FaultError, Chat: simulator.Chat{Platform: simulator.Telegram}, Code: 400, Count: 2, Description: "Bad Request: can't parse entities: Unsupported start tag \"" + c.text + "\" at byte offset 5"},
		{Kind: simulator.FaultError, Chat: simulator.Chat{Platform: simulator.Telegram}, Code: 400, Description: "Bad Request: inline keyboard button URL '" + c.text + "' is invalid in " + c.chat},
		{Kind: simulator.FaultError, Chat: simulator.Chat{Platform: simulator.WhatsApp}, Code: 131009, Description: "Parameter text['body'] of \"" + c.text + "\" to " + c.phone},
		{Kind: simulator.FaultReset, Method: "sendChatAction", Count: 2},
		{Kind: simulator.FaultServerError, Method: "read", Count: 2},
	} {
		_, err := s.Simulator.AddFault(t.Context(), f)
		require.NoError(t, err)
	}
}

// sayEverything says every kind of thing that the simulated phones can say, each by a customer of its own.
func (c canaries) sayEverything(t *testing.T, s *system.System) {
	t.Helper()
	file, err := s.Simulator.Upload(t.Context(), []byte("%PDF-1.4 "+c.text), "application/pdf", c.file+".pdf")
	require.NoError(t, err)
	question := saturday + " " + c.document + " " + c.text
	utterances := []simulator.Utterance{{Text: question}, {Text: "/start " + c.text}, {Text: c.text}}
	for _, kind := range []string{"image", "audio", "voice", "video", "document", "sticker"} {
		utterances = append(utterances, simulator.Utterance{Kind: kind, Media: file.ID, Text: question})
	}
	for n, u := range append(utterances, c.bodies()...) {
		for _, platform := range []simulator.Platform{simulator.WhatsApp, simulator.Telegram} {
			if u.Platform == "" || u.Platform == platform {
				c.say(t, s, platform, n, u)
			}
		}
	}
}

func (c canaries) say(t *testing.T, s *system.System, platform simulator.Platform, n int, u simulator.Utterance) {
	t.Helper()
	customer := func(begin string) string { return fmt.Sprintf("%s%02d", begin, n) }
	u.Platform, u.From = platform, customer(c.chat)
	u.Person = simulator.Person{Name: "Ana " + c.name, Username: customer(c.name), Language: "es"}
	if platform == simulator.WhatsApp {
		u.From, u.UserID = customer(c.phone), customer(c.bsuid)
	}
	_, err := s.Simulator.Say(t.Context(), u)
	require.NoError(t, err, "%s %s", platform, u.Kind)
}

// bodies are the kinds that the simulator sends as they stand.
func (c canaries) bodies() []simulator.Utterance {
	var all []simulator.Utterance
	for _, b := range []struct {
		platform simulator.Platform
		kind     string
		body     string
	}{
		{simulator.WhatsApp, "location", `{"latitude":1.5,"longitude":2.5,"name":"%text","address":"%name"}`},
		{simulator.WhatsApp, "contacts", `[{"name":{"formatted_name":"%name"},"phones":[{"phone":"+%card"}]}]`},
		{simulator.WhatsApp, "reaction", `{"message_id":"wamid.x","emoji":"%text"}`},
		{simulator.WhatsApp, "button", `{"payload":"p","text":"%text"}`},
		{simulator.WhatsApp, "interactive", `{"type":"list_reply","list_reply":{"id":"1","title":"%text","description":"%text"}}`},
		{simulator.WhatsApp, "interactive", `{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"a\":\"%text\"}"}}`},
		{simulator.WhatsApp, "order", `{"catalog_id":"1","text":"%text","product_items":[]}`},
		{simulator.WhatsApp, "system", `{"body":"User %name changed from %card to 34600000000","wa_id":"34600000000","type":"user_changed_number"}`},
		{simulator.WhatsApp, "edit", `{"original_message_id":"wamid.x","message":{"type":"text","text":{"body":"%text"}}}`},
		{simulator.WhatsApp, "unsupported", `{"type":"%text"}`},
		{simulator.Telegram, "location", `{"latitude":1.5,"longitude":2.5}`},
		{simulator.Telegram, "venue", `{"location":{"latitude":1.5,"longitude":2.5},"title":"%text","address":"%name"}`},
		{simulator.Telegram, "contact", `{"phone_number":"+%card","first_name":"%name","user_id":1}`},
		{simulator.Telegram, "web_app_data", `{"data":"%text","button_text":"x"}`},
		{simulator.Telegram, "poll", `{"id":"1","question":"%text","options":[]}`},
	} {
		body := strings.NewReplacer("%text", c.text, "%name", c.name, "%card", c.card).Replace(b.body)
		all = append(all, simulator.Utterance{Platform: b.platform, Kind: b.kind, Body: json.RawMessage(body)})
	}
	return all
}

// postEverything posts what the simulator's customers cannot do: edits, what is said in groups, presses, broken elements.
func (c canaries) postEverything(t *testing.T, s *system.System) {
	t.Helper()
	now := time.Now().Unix()
	from := fmt.Sprintf(`"from":{"id":%s,"is_bot":false,"first_name":%q,"username":%q}`, c.chat, c.name, c.name)
	private := fmt.Sprintf(`"chat":{"id":%s,"type":"private","first_name":%q}`, c.chat, c.name)
	for n, update := range []string{
		fmt.Sprintf(`"edited_message":{"message_id":1,"date":%d,"edit_date":%d,%s,%s,"text":%q}`, now, now, from, private, c.text),
		fmt.Sprintf(`"message":{"message_id":2,"date":%d,%s,"chat":{"id":-9,"type":"group","title":%q},"text":%q}`, now, from, c.text, c.text),
		fmt.Sprintf(`"callback_query":{"id":"1%d",%s,"chat_instance":"1","data":%q,"message":{"message_id":1,"date":%d,%s}}`, now, from, c.text, now, private),
		fmt.Sprintf(`"inline_query":{"id":"1",%s,"query":%q,"offset":""}`, from, c.text),
		fmt.Sprintf(`"message":{"message_id":%q,"date":%q,%s,%s,"text":{"a":%q}}`, c.text, c.text, from, private, c.text),
		fmt.Sprintf(`%q:{"a":%q}`, c.text, c.text),
	} {
		status, err := s.PostTelegram(t.Context(), fmt.Appendf(nil, `{"update_id":%d,%s}`, 8_000_000+n, update))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	body := system.WhatsAppText(s.Credentials.PhoneNumberID, c.phone, "wamid."+c.text, c.text, time.Now())
	status, err := s.PostWhatsApp(t.Context(), body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// refusals are the bodies with which the webhook edge refuses what holds these words and secrets.
func (c canaries) refusals(t *testing.T, s *system.System) []string {
	t.Helper()
	var answers []string
	post := func(want int, path string, body []byte, header http.Header) {
		status, text, err := system.Post(t.Context(), http.DefaultClient, s.HTTP+path, body, header)
		require.NoError(t, err)
		require.Equal(t, want, status, text)
		answers = append(answers, text)
	}
	broken := []byte(`{"entry":["` + c.text)
	post(http.StatusUnauthorized, system.WhatsAppPath, broken, http.Header{signatureHeader: {system.Sign("wrong", broken)}})
	post(http.StatusUnauthorized, system.WhatsAppPath, broken, http.Header{signatureHeader: {s.Credentials.AppSecret}})
	post(http.StatusBadRequest, system.WhatsAppPath, broken, http.Header{signatureHeader: {system.Sign(s.Credentials.AppSecret, broken)}})
	post(http.StatusUnauthorized, system.TelegramPath, broken, http.Header{secretHeader: {s.Credentials.SecretToken + "x"}})
	post(http.StatusBadRequest, system.TelegramPath, broken, http.Header{secretHeader: {s.Credentials.SecretToken}})
	post(http.StatusRequestEntityTooLarge, system.TelegramPath, []byte(strings.Repeat(c.text, 1<<19)), http.Header{secretHeader: {s.Credentials.SecretToken}})
	query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {c.text}, "hub.verify_token": {s.Credentials.VerifyToken + "x"}}
	response, err := http.Get(s.HTTP + system.WhatsAppPath + "?" + query.Encode())
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return append(answers, string(text))
}

// reportFailure lets WhatsApp say later, in the customer's words, that a message was not delivered.
func (c canaries) reportFailure(t *testing.T, s *system.System) {
	t.Helper()
	var sent simulator.Call
	eventually(t, 30*time.Second, func() bool {
		calls, err := s.Simulator.Journal(t.Context(), client.Filter{Chat: simulator.Chat{Platform: simulator.WhatsApp}, Method: "messages"})
		require.NoError(t, err)
		taken := slices.IndexFunc(calls, func(c simulator.Call) bool { return c.Message != "" && c.Status == http.StatusOK })
		if taken >= 0 {
			sent = calls[taken]
		}
		return taken >= 0
	}, "WhatsApp takes a message")
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"metadata":{"phone_number_id":%q},"statuses":[{"id":%q,"status":"failed","timestamp":"%d","recipient_id":%q,"errors":[`+
		`{"code":131026,"title":"Message undeliverable","error_data":{"details":"'%s' to %s"}}]}]}}]}]}`,
		s.Credentials.PhoneNumberID, sent.Message, time.Now().Unix(), sent.User, c.text, c.phone)
	status, err := s.PostWhatsApp(t.Context(), []byte(body))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	eventually(t, 20*time.Second, func() bool {
		return strings.Contains(s.Channels.Log().String(), "message failed after it was sent")
	}, "the report arrives")
}
