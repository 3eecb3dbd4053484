package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/simulator"
)

// TestAnswersThatFailLateAreSentAgain has WhatsApp take answers and then report that it lost them, for each reason that passes:
// the customer gets the answer, and the next one not before it.
func TestAnswersThatFailLateAreSentAgain(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	for phone, code := range map[string]int{
		"573007770011": 131000, // something went wrong
		"573007770012": 131016, // service unavailable
		"573007770013": 130429, // the number sends too much
		"573007770014": 131056, // too much to this customer
	} {
		c := whatsAppCustomer(t, s, phone)
		chat := simulator.Chat{Platform: simulator.WhatsApp, User: phone}
		_, err := s.Simulator.AddFault(t.Context(), simulator.Fault{Kind: simulator.FaultStatusFailed, Chat: chat, Code: code})
		require.NoError(t, err)
		first := c.write(saturday)
		lost := c.awaitAnswer(first)
		require.Eventually(t, func() bool {
			answers := said(t, s, phone, conversationv1.Message_ROLE_ASSISTANT)
			return len(answers) == 1 && answers[0].GetPlatformMessageId() != "" && answers[0].GetState() == conversationv1.Message_STATE_SENDING
		}, 30*time.Second, 20*time.Millisecond, "it is to be sent again")
		c.write("¿Y los domingos?")

		var answers []*conversationv1.Message
		require.Eventually(t, func() bool {
			answers = said(t, s, phone, conversationv1.Message_ROLE_ASSISTANT)
			return len(answers) == 2 && delivered(answers[0]) && delivered(answers[1])
		}, time.Minute, 100*time.Millisecond, "both answers arrive")
		require.False(t, answers[0].GetMaybeDuplicate(), "it is known that the first copy was lost")

		messages, err := s.Simulator.Messages(t.Context(), first.Chat, 0)
		require.NoError(t, err)
		var texts []string
		for _, m := range messages {
			if m.Direction == simulator.Outbound {
				texts = append(texts, m.Text)
			}
		}
		require.Equal(t, []string{lost.Text, lost.Text, answers[1].GetText()}, texts, "code %d: lost, sent again, and then the next", code)
	}
}

func delivered(m *conversationv1.Message) bool {
	return m.GetDeliveryState() >= conversationv1.DeliveryState_DELIVERY_STATE_DELIVERED &&
		m.GetDeliveryState() != conversationv1.DeliveryState_DELIVERY_STATE_FAILED
}
