package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

const shipping = `# Envíos

## Costos de envío

El envío a Cali cuesta $5.400.

## Plazos de envío

El envío a Cali tarda tres días.
`

// TestAnswersAreFollowedUp goes from a suggestion to its answer, from a reaction to the count of its document, and from a
// question in vain to the list of those, on both platforms.
func TestAnswersAreFollowedUp(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	require.NoError(t, s.Store(t.Context(), "envios.md", shipping))
	// Telegram tells of reactions only where the webhook asks for them.
	_, err := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels)).SetWebhook(t.Context(), &channelsv1.SetWebhookRequest{
		IntegrationId: integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM).GetId(), Url: s.HTTP,
	})
	require.NoError(t, err)
	for _, c := range []*customer{telegramCustomer(t, s, "7501", ""), whatsAppCustomer(t, s, "573005550175")} {
		followUp(t, s, c)
	}
	book := ragv1.NewFeedbackServiceClient(s.Conn(s.RAG))
	require.Eventually(t, func() bool {
		r, err := book.ListDocumentFeedback(t.Context(), &ragv1.ListDocumentFeedbackRequest{})
		return err == nil && len(r.GetDocuments()) == 1 && r.GetDocuments()[0].GetPositive() == 2
	}, 30*time.Second, 50*time.Millisecond, "rag is told")
	r, err := book.ListUnansweredQuestions(t.Context(), &ragv1.ListUnansweredQuestionsRequest{})
	require.NoError(t, err)
	require.Len(t, r.GetQuestions(), 1)
	require.Equal(t, "¿Reparan relojes? Me llaman al #", r.GetQuestions()[0].GetQuestion())
	require.EqualValues(t, 2, r.GetQuestions()[0].GetCount())
}

func followUp(t *testing.T, s *system.System, c *customer) {
	t.Helper()
	first := c.ask("¿Cuánto cuesta el envío a Cali?")
	require.Contains(t, first.Text, "$5.400")
	require.Len(t, first.Buttons, 1)
	require.Equal(t, "Plazos de envío", first.Buttons[0][0].Text)
	pressed, err := s.Simulator.Press(t.Context(), simulator.Press{Chat: first.Chat, Message: first.ID, Data: first.Buttons[0][0].Data})
	require.NoError(t, err)
	pressed.Chat, pressed.Seq = first.Chat, max(pressed.Seq, first.Seq)
	second := c.awaitAnswer(pressed)
	require.Contains(t, second.Text, "tarda tres días")

	thumb := c.say
	thumb.Kind, thumb.Target, thumb.Emoji = "reaction", first.ID, "👍"
	_, err = s.Simulator.Say(t.Context(), thumb)
	require.NoError(t, err)
	var answers []*conversationv1.Message
	require.Eventually(t, func() bool {
		answers = said(t, s, c.say.From, conversationv1.Message_ROLE_ASSISTANT)
		return len(answers) == 2 && answers[0].GetFeedback() == conversationv1.Feedback_FEEDBACK_POSITIVE
	}, 30*time.Second, 50*time.Millisecond, "the reaction stands with its answer")
	require.Equal(t, "answered", answers[0].GetBasis().GetOutcome())
	require.Len(t, answers[0].GetBasis().GetDocumentIds(), 1)
	require.Positive(t, answers[0].GetBasis().GetConfidence())
	require.Equal(t, conversationv1.Feedback_FEEDBACK_UNSPECIFIED, answers[1].GetFeedback())

	require.Contains(t, c.ask("¿Reparan relojes? Me llaman al 300 123 4567").Text, "no lo sé")
}

// said returns what somebody wrote in the conversation with a customer.
func said(t *testing.T, s *system.System, customer string, role conversationv1.Message_Role) []*conversationv1.Message {
	t.Helper()
	client := conversationv1.NewConversationServiceClient(s.Conn(s.Conversation))
	talks, err := client.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(t, err)
	var out []*conversationv1.Message
	for _, talk := range talks.GetConversations() {
		if talk.GetMetadata()["platform_user_id"] != customer {
			continue
		}
		r, err := client.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: talk.GetId()})
		require.NoError(t, err)
		for _, m := range r.GetMessages() {
			if m.GetRole() == role {
				out = append(out, m)
			}
		}
	}
	return out
}
