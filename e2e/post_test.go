package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/simulator"
)

// acquaintance is a customer who has been answered before, so that both platforms let the business write. What is posted in
// the customer's name does not pass through the simulator, which would never make such bodies.
type acquaintance struct {
	*customer
	seen  simulator.Message // the last message of the business
	posts int
}

func acquainted(c *customer) *acquaintance {
	c.t.Helper()
	return &acquaintance{customer: c, seen: c.ask("/start")}
}

// body is a webhook of a message whose text is any JSON value or a piece of what only looks like one. The second result
// marks it: no other body holds that id.
func (a *acquaintance) body(text string) ([]byte, string) {
	a.posts++
	if a.say.Platform == simulator.WhatsApp {
		mark := "wamid.posted." + a.say.From + "." + strconv.Itoa(a.posts)
		return withText(system.WhatsAppText(a.s.Credentials.PhoneNumberID, a.say.From, mark, "@", time.Now()), text), mark
	}
	from, err := strconv.ParseInt(a.say.From, 10, 64)
	require.NoError(a.t, err)
	update := 9_000_000 + 100*from + int64(a.posts)
	return withText(system.TelegramText(update, from, 500_000+a.posts, "@", time.Now()), text), fmt.Sprintf(`"update_id":%d,`, update)
}

func withText(body []byte, text string) []byte {
	return bytes.Replace(body, []byte(`"@"`), []byte(text), 1)
}

// post posts a body with the right credential and returns the status.
func (a *acquaintance) post(body []byte) int {
	a.t.Helper()
	send := a.s.PostTelegram
	if a.say.Platform == simulator.WhatsApp {
		send = a.s.PostWhatsApp
	}
	status, err := send(a.t.Context(), body)
	require.NoError(a.t, err)
	return status
}

// hear waits for the next message of the business.
func (a *acquaintance) hear() simulator.Message {
	a.t.Helper()
	a.seen = a.awaitAnswer(a.seen)
	return a.seen
}

// reaction is a webhook of a kind that is never answered, to see what becomes of webhooks at the moment.
func (a *acquaintance) reaction() ([]byte, string) {
	body, mark := a.body(`"@"`)
	if a.say.Platform == simulator.WhatsApp {
		return bytes.Replace(body, []byte(`"type":"text","text":{"body":"@"}`),
			[]byte(`"type":"reaction","reaction":{"message_id":"wamid.none","emoji":"x"}`), 1), mark
	}
	body = bytes.Replace(body, []byte(`"message":`), []byte(`"edited_message":`), 1)
	return bytes.Replace(body, []byte(`"date":`), fmt.Appendf(nil, `"edit_date":%d,"date":`, time.Now().Unix()), 1), mark
}

// answers returns what the business has sent into the chat.
func (a *acquaintance) answers() []simulator.Message {
	a.t.Helper()
	messages, err := a.s.Simulator.Messages(a.t.Context(), a.seen.Chat, 0)
	require.NoError(a.t, err)
	return slices.DeleteFunc(messages, func(m simulator.Message) bool { return m.Direction != simulator.Outbound })
}

// eventually tries until ok, on the test's own goroutine, so that ok may itself end the test.
func eventually(t *testing.T, within time.Duration, ok func() bool, what string) {
	t.Helper()
	late := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			require.Fail(t, "never happened", what)
		}
	}
}

// logOf returns the row of the webhook whose payload holds a mark. It must have been acknowledged: then the row is there.
func logOf(t *testing.T, s *system.System, platform typev1.Platform, mark string) *conversationv1.WebhookLog {
	t.Helper()
	logs := conversationv1.NewWebhookLogServiceClient(s.Conn(s.Conversation))
	list, err := logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{Platform: platform, PageSize: 1000})
	require.NoError(t, err)
	for _, row := range list.GetWebhookLogs() {
		got, err := logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: row.GetId()})
		require.NoError(t, err)
		if bytes.Contains(got.GetWebhookLog().GetPayload(), []byte(mark)) {
			return got.GetWebhookLog()
		}
	}
	require.Fail(t, "no log row", "of %d holds %s", len(list.GetWebhookLogs()), mark)
	return nil
}

// log is logOf for what this customer posted.
func (a *acquaintance) log(mark string) *conversationv1.WebhookLog {
	a.t.Helper()
	return logOf(a.t, a.s, a.platform(), mark)
}

func (a *acquaintance) platform() typev1.Platform {
	if a.say.Platform == simulator.WhatsApp {
		return typev1.Platform_PLATFORM_WHATSAPP
	}
	return typev1.Platform_PLATFORM_TELEGRAM
}

// outcomes are those of a row's events in their order.
func outcomes(l *conversationv1.WebhookLog) []string {
	var out []string
	for _, e := range l.GetEvents() {
		out = append(out, e.GetOutcome())
	}
	return out
}

// stored returns what is stored of the customer's own messages.
func (a *acquaintance) stored() []*conversationv1.Message {
	a.t.Helper()
	client := conversationv1.NewConversationServiceClient(a.s.Conn(a.s.Conversation))
	all, err := client.ListConversations(a.t.Context(), &conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(a.t, err)
	for _, c := range all.GetConversations() {
		if c.GetMetadata()["platform_user_id"] != a.say.From {
			continue
		}
		messages, err := client.ListMessages(a.t.Context(), &conversationv1.ListMessagesRequest{ConversationId: c.GetId(), PageSize: 1000})
		require.NoError(a.t, err)
		var own []*conversationv1.Message
		for _, m := range messages.GetMessages() {
			if m.GetRole() == conversationv1.Message_ROLE_CUSTOMER {
				own = append(own, m)
			}
		}
		return own
	}
	require.Fail(a.t, "no conversation", "of %s", a.say.From)
	return nil
}

// postTo posts a body with exactly these headers to a route and returns the status.
func postTo(t *testing.T, s *system.System, path string, body []byte, header http.Header) int {
	t.Helper()
	status, _, err := system.Post(t.Context(), http.DefaultClient, s.HTTP+path, body, header)
	require.NoError(t, err)
	return status
}
