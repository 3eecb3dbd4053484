package e2e

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/knobot/knobot/e2e/internal/collector"
	"github.com/knobot/knobot/e2e/internal/system"
)

const whatsAppSpan = "POST /api/integrations/webhooks/whatsapp"

// TestAQuestionIsFollowedFromItsLogLine goes the way of somebody on duty: from the line of a turn to its trace, from there to
// the webhook that asked, through every service, and to the report that the answer reached the phone.
func TestAQuestionIsFollowedFromItsLogLine(t *testing.T) {
	t.Parallel()
	traces, c := collector.Start(t), newCanaries()
	s := start(t, traces.Environment())
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	whatsAppCustomer(t, s, c.phone+"01").ask(saturday + " " + c.text)

	turn := lineOf(t, s.Conversation, "turn", "answered")
	require.Len(t, turn.RequestID, 26)
	require.NotEmpty(t, turn.Integration)
	await := func(what string, conditions ...func(collector.Span) bool) collector.Span {
		var found []collector.Span
		eventually(t, 30*time.Second, func() bool { found = traces.Spans(conditions...); return len(found) > 0 }, what)
		return found[0]
	}

	answered := await("the turn", collector.In(turn.TraceID), collector.Named("conversation", "turn"))
	require.Len(t, answered.GetLinks(), 1)
	asked := hex.EncodeToString(answered.GetLinks()[0].GetTraceId())
	await("the webhook that asked", collector.In(asked), collector.Named("gateway", whatsAppSpan))
	stored := await("its storing", collector.In(asked), collector.Named("conversation", "knobot.conversation.v1.IngestService/IngestWebhook"))
	require.Equal(t, answered.GetLinks()[0].GetSpanId(), stored.GetSpanId())
	require.Equal(t, asked, lineOf(t, s.Conversation, "webhook", turn.Conversation).TraceID)

	await("the read receipt", collector.In(asked), collector.Named("channels", "knobot.channels.v1.ChannelService/MarkMessageRead"))

	for service, name := range map[string]string{
		"conversation": "knobot.rag.v1.AnswerService/GenerateAnswer",
		"rag":          "search",
		"channels":     "POST messages",
	} {
		await(service, collector.In(turn.TraceID), collector.Named(service, name))
	}
	await("Weaviate", collector.In(turn.TraceID), collector.Named("rag", "weaviate.v1.Weaviate/Search"))
	await("the send", collector.In(turn.TraceID), collector.Named("channels", "knobot.channels.v1.ChannelService/SendMessage"))

	report := await("the report", collector.LinkedTo(turn.TraceID), collector.Named("conversation", "delivery_report"))
	told := hex.EncodeToString(report.GetLinks()[0].GetTraceId())
	require.NotEqual(t, asked, told, "the report came in a webhook of its own")
	await("the webhook that told", collector.In(told), collector.Named("gateway", whatsAppSpan))
	requireSilent(t, traces)
}

// line is what the lines of webhooks and turns have in common.
type line struct {
	Msg           string   `json:"msg"`
	RequestID     string   `json:"request_id"`
	TraceID       string   `json:"trace_id"`
	Conversation  string   `json:"conversation"`
	Conversations []string `json:"conversations"`
	Integration   string   `json:"integration"`
	Outcome       string   `json:"outcome"`
}

// lineOf waits for a line with a message, and an outcome or one of its conversations.
func lineOf(t *testing.T, p *system.Program, msg, about string) line {
	t.Helper()
	var found line
	eventually(t, 20*time.Second, func() bool {
		for text := range strings.Lines(p.Log().String()) {
			var l line
			if json.Unmarshal([]byte(text), &l) == nil && l.Msg == msg && (l.Outcome == about || slices.Contains(l.Conversations, about)) {
				found = l
				return true
			}
		}
		return false
	}, "a line "+msg+" about "+about)
	return found
}

// requireSilent holds every span against what nobody may print.
func requireSilent(t *testing.T, traces *collector.Server) {
	t.Helper()
	spans := traces.Spans()
	require.NotEmpty(t, spans)
	for _, span := range spans {
		leak, leaked := stores.Watch.Text(span.Service, prototext.Format(span.Span))
		require.False(t, leaked, "%s: %s", span.GetName(), leak)
	}
}
