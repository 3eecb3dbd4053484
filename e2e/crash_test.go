package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/simulator"
)

// TestChannelsKilledBetweenSendingAndRecording kills channels with SIGKILL when the platform has put the answer on the phone but
// has not told so yet. WhatsApp's status tells which message it was, so that nothing is sent again; Telegram tells nothing: the
// answer goes out once more and is marked.
func TestChannelsKilledBetweenSendingAndRecording(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	crash := func(c *customer) (question simulator.Message, answer *conversationv1.Message) {
		_, err := s.Simulator.AddFault(t.Context(), simulator.Fault{Kind: simulator.FaultSlow, Delay: simulator.Duration(20 * time.Second)})
		require.NoError(t, err)
		question = c.write(saturday)
		c.awaitAnswer(question)
		s.Channels.Kill()
		require.NoError(t, s.Channels.Start())
		require.Eventually(t, func() bool {
			answers := said(t, s, c.say.From, conversationv1.Message_ROLE_ASSISTANT)
			if len(answers) != 1 || answers[0].GetDeliveryState() == conversationv1.DeliveryState_DELIVERY_STATE_UNSPECIFIED {
				return false
			}
			answer = answers[0]
			return true
		}, 50*time.Second, 50*time.Millisecond, "the answer is recorded as sent")
		return question, answer
	}
	shown := func(question simulator.Message) (n int) {
		messages, err := s.Simulator.Messages(t.Context(), question.Chat, 0)
		require.NoError(t, err)
		for _, m := range messages {
			if m.Direction == simulator.Outbound {
				n++
			}
		}
		return n
	}

	question, answer := crash(whatsAppCustomer(t, s, "573007770001"))
	require.False(t, answer.GetMaybeDuplicate())
	require.Equal(t, 1, shown(question))

	question, answer = crash(telegramCustomer(t, s, "7771", ""))
	require.True(t, answer.GetMaybeDuplicate())
	require.Equal(t, 2, shown(question))
}
