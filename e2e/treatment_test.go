package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/provider"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// treatments is the folder of expectations: one file per recorded payload, <platform>/<source>__<name>.json.
const treatments = "testdata/treatment"

// treatment is what becomes of one recorded payload. Ids and texts of the payload do not stand in it: where one was used, the
// treatment names its field.
type treatment struct {
	Events  []treatedEvent  `json:"events"`
	Answers []treatedAnswer `json:"answers"`
	// Courtesies are the other calls that it caused, each once: read, typing, sendChatAction, answerCallbackQuery …
	Courtesies []string `json:"courtesies"`
}

// treatedEvent is one event of the payload's log row.
type treatedEvent struct {
	Kind    string `json:"kind"`
	Outcome string `json:"outcome"`
	// Text is the field that was stored as the message's text: what the answerer reads. "composed" is made of several.
	Text string `json:"text,omitempty"`
}

// treatedAnswer is one message of the business.
type treatedAnswer struct {
	// To are the members that say where it goes, each with the field of the payload that it was taken from.
	To map[string]string `json:"to"`
	// Quotes is the field that names the message which the answer replies to.
	Quotes string `json:"quotes,omitempty"`
	// By is answerer, or sentence for one of our own, greetings included.
	By       string `json:"by"`
	Sentence string `json:"sentence,omitempty"`
}

// updating says that the expectations are to be written anew: go test -run TestTreatment -update
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// TestTreatmentOfRecordedPayloads posts every recorded payload once, with fresh ids and a current time, and holds what the
// system makes of it against the payload's own file.
func TestTreatmentOfRecordedPayloads(t *testing.T) {
	t.Parallel()
	dir := reference(t)
	p, m := provider.Start(t), model.Start(t)
	env := m.Environment()
	maps.Copy(env, p.Environment())
	s := start(t, env)
	addSecondNumber(t, s)
	model.UseOnly(t, s, m)
	awaitBotName(t, s)

	cases := treatedCases(t, s, dir)
	for _, c := range cases {
		status, err := c.post(t.Context(), c.body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, c.path)
	}
	got := settle(t, s, p, cases)
	for _, c := range cases {
		t.Run(c.expectation(), func(t *testing.T) {
			t.Parallel()
			compareTreatment(t, c.expectation(), got[c.path])
		})
	}
	t.Run("NoExpectationIsLeftOver", func(t *testing.T) {
		t.Parallel()
		if updating() {
			t.Skip("they are being written")
		}
		var known []string
		for _, c := range cases {
			known = append(known, filepath.Join(treatments, c.expectation()))
		}
		require.ElementsMatch(t, known, glob(t, treatments, "*/*.json"))
	})
}

func treatedCases(t *testing.T, s *system.System, dir string) []recorded {
	t.Helper()
	var cases []recorded
	for _, source := range []string{"meta", "pywa"} {
		for _, path := range glob(t, dir, "whatsapp/webhooks/"+source+"/*.json") {
			n := len(cases)
			cases = append(cases, recorded{path: path, platform: simulator.WhatsApp, number: n, body: refreshWhatsApp(t, path, n), post: s.PostWhatsApp})
		}
	}
	for _, source := range []string{"authored", "teloxide"} {
		for _, path := range glob(t, dir, "telegram/updates/"+source+"/*.json") {
			n := len(cases)
			cases = append(cases, recorded{path: path, platform: simulator.Telegram, number: n, body: refreshTelegram(t, path, n), post: s.PostTelegram})
		}
	}
	return cases
}

// expectation is the name of the case's file.
func (c recorded) expectation() string {
	return filepath.Join(string(c.platform), filepath.Base(filepath.Dir(c.path))+"__"+filepath.Base(c.path))
}

// awaitBotName waits until the gateway knows what the bot is called: before that nobody in a group can address it.
func awaitBotName(t *testing.T, s *system.System) {
	t.Helper()
	for n := 0; ; n++ {
		require.Less(t, n, 100, "the bot's name is not known")
		mark := fmt.Sprintf(`"update_id":%d`, 7_000_000+n)
		body := fmt.Appendf(nil, `{%s,"message":{"message_id":%d,"from":{"id":%s,"is_bot":false,"first_name":"P"},"date":%d,`+
			`"chat":{"id":-7,"type":"group","title":"P"},"text":"@%s ?","entities":[{"type":"mention","offset":0,"length":%d}]}}`,
			mark, 700+n, model.ProbeUser, time.Now().Unix(), provider.BotUsername, 1+len(provider.BotUsername))
		status, err := s.PostTelegram(t.Context(), body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		if outcomes(logOf(t, s, 0, mark))[0] != "recorded" {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
}

// settle waits until everything posted was dealt with and is as expected, or until it has not changed for a while.
func settle(t *testing.T, s *system.System, p *provider.Provider, cases []recorded) map[string]treatment {
	t.Helper()
	var got map[string]treatment
	quiet := time.Now()
	eventually(t, time.Minute, func() bool {
		now, finished := treated(t, s, p, cases)
		if !finished || fmt.Sprint(now) != fmt.Sprint(got) {
			got, quiet = now, time.Now()
			return false
		}
		return time.Since(quiet) > 5*time.Second || !updating() && asExpected(got, cases)
	}, "every event is dealt with")
	return got
}

func asExpected(got map[string]treatment, cases []recorded) bool {
	return !slices.ContainsFunc(cases, func(c recorded) bool {
		want, err := os.ReadFile(filepath.Join(treatments, c.expectation()))
		return err != nil || !bytes.Equal(want, written(got[c.path]))
	})
}

// treated reads what became of each payload. The second result says that none of their events is open.
func treated(t *testing.T, s *system.System, p *provider.Provider, cases []recorded) (map[string]treatment, bool) {
	t.Helper()
	rows, texts, calls := logRows(t, s), customerTexts(t, s), p.Calls()
	all, finished := map[string]treatment{}, true
	for _, c := range cases {
		fields := fieldsOf(t, c.body)
		made := treatment{Events: []treatedEvent{}, Answers: []treatedAnswer{}, Courtesies: []string{}}
		row := rows[string(c.body)]
		require.NotNil(t, row, "no log row of %s", c.path)
		finished = finished && row.GetProcessedTime() != nil
		for _, e := range row.GetEvents() {
			made.Events = append(made.Events, treatedEvent{Kind: e.GetKind(), Outcome: e.GetOutcome(), Text: fields.of(texts[e.GetMessageId()])})
		}
		for _, call := range calls {
			if call.Platform == c.platform && fields.mine(call) {
				made.add(call, fields)
			}
		}
		slices.Sort(made.Courtesies)
		made.Courtesies = slices.Compact(made.Courtesies)
		all[c.path] = made
	}
	return all, finished
}

// addressing are the members of outgoing bodies that say where a message goes.
var addressing = []string{ //nolint:gochecknoglobals // a table
	"to", "recipient", "chat_id", "message_thread_id", "business_connection_id", "guest_query_id",
}

func (made *treatment) add(c provider.Call, fields payloadFields) {
	text := sentText(c)
	if text == "" {
		made.Courtesies = append(made.Courtesies, c.Method)
		return
	}
	answer := treatedAnswer{To: map[string]string{}, By: "answerer", Quotes: fields.of(quoted(c))}
	for _, name := range addressing {
		if value := c.Text(name); value != "" {
			answer.To[name] = fields.of(strings.TrimPrefix(value, "+"))
		}
	}
	if !strings.HasPrefix(text, modelAnswer) {
		answer.By, answer.Sentence = "sentence", text
	}
	made.Answers = append(made.Answers, answer)
}

// quoted is the id of the message that a message of the business replies to.
func quoted(c provider.Call) string {
	var body struct {
		Telegram struct {
			ID json.Number `json:"message_id"`
		} `json:"reply_parameters"`
		WhatsApp struct {
			ID string `json:"message_id"`
		} `json:"context"`
	}
	_ = json.Unmarshal(c.Body, &body)
	return body.Telegram.ID.String() + body.WhatsApp.ID
}

// modelAnswer begins every answer of the model.
const modelAnswer = "Respuesta a"

// sentText is the text of a message of the business, whatever kind it has; empty for a call that shows no text.
func sentText(c provider.Call) string {
	if c.Method != "messages" && !strings.HasPrefix(c.Method, "send") {
		return ""
	}
	var body struct {
		Text    json.RawMessage `json:"text"`
		Caption string          `json:"caption"`
	}
	_ = json.Unmarshal(c.Body, &body)
	var object struct {
		Body string `json:"body"`
	}
	var text string
	if json.Unmarshal(body.Text, &text) != nil {
		_ = json.Unmarshal(body.Text, &object)
	}
	return text + object.Body + body.Caption
}

// logRows returns the log rows by payload.
func logRows(t *testing.T, s *system.System) map[string]*conversationv1.WebhookLog {
	t.Helper()
	logs := conversationv1.NewWebhookLogServiceClient(s.Conn(s.Conversation))
	list, err := logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{PageSize: 1000})
	require.NoError(t, err)
	rows := map[string]*conversationv1.WebhookLog{}
	for _, row := range list.GetWebhookLogs() {
		got, err := logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: row.GetId()})
		require.NoError(t, err)
		rows[string(got.GetWebhookLog().GetPayload())] = got.GetWebhookLog()
	}
	return rows
}

// customerTexts returns the text of every stored message by its id.
func customerTexts(t *testing.T, s *system.System) map[string]string {
	t.Helper()
	client := conversationv1.NewConversationServiceClient(s.Conn(s.Conversation))
	all, err := client.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(t, err)
	texts := map[string]string{}
	for _, c := range all.GetConversations() {
		list, err := client.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: c.GetId(), PageSize: 1000})
		require.NoError(t, err)
		for _, m := range list.GetMessages() {
			texts[m.GetId()] = m.GetText()
		}
	}
	return texts
}

func written(made treatment) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(made)
	return out.Bytes()
}

func compareTreatment(t *testing.T, name string, got treatment) {
	t.Helper()
	path := filepath.Join(treatments, name)
	if updating() {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, written(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "the payload has no expectation: run with -update, then review the file that it writes")
	require.Equal(t, string(want), string(written(got)))
}
