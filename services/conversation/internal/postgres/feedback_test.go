package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// reacts is a reaction to a message of ours.
func (b *bundle) reacts(to, emoji string, changes ...arrival) conversation.Arrival {
	return b.says(emoji, append([]arrival{func(a *conversation.Arrival) {
		a.Plan.Answer = false
		a.Message.Kind, a.Message.ReplyToMessageID = conversation.KindReaction, to
	}}, changes...)...)
}

func TestFeedback(t *testing.T) {
	t.Parallel()

	// answered has an answer that went out in two messages.
	answered := func(t *testing.T) (*bundle, conversation.Turn) {
		t.Helper()
		b := setup(t)
		b.receive(b.says("¿abren?"))
		turn := b.claimOne()
		d := draft(turn, "sí")
		d.Basis = &conversation.Basis{Outcome: "answered", KnowledgeBase: "tienda", Documents: []string{"d1", "d2"}}
		a, err := b.store.Checkpoint(t.Context(), turn, d)
		require.NoError(t, err)
		require.NoError(t, b.store.Finish(t.Context(), turn, a, conversation.Sent{PlatformMessageID: "wamid.ours", Parts: []string{"wamid.more"}}))
		return b, turn
	}
	feedback := func(b *bundle, turn conversation.Turn) conversation.Feedback {
		for _, m := range b.messages(turn.Conversation) {
			if m.Role == conversation.Assistant {
				return m.Feedback
			}
		}
		return 9
	}

	t.Run("ReactionIsKeptWithTheAnswerAndReplaced", func(t *testing.T) {
		t.Parallel()
		b, turn := answered(t)
		for _, c := range []struct {
			to, emoji string
			want      conversation.Feedback
		}{
			{"wamid.ours", "👍", conversation.Liked},
			{"wamid.ours", "👎", conversation.Disliked},
			{"wamid.more", "❤️", conversation.Liked},
			{"wamid.other", "👎", conversation.Liked},
			{"", "👎", conversation.Liked},
			{"wamid.ours", "", conversation.Unrated},
		} {
			require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, b.receive(b.reacts(c.to, c.emoji)).Outcomes)
			require.Equal(t, c.want, feedback(b, turn), "%s %s", c.to, c.emoji)
		}
		require.Empty(t, b.claim(1), "a reaction asks for nothing")
	})

	t.Run("OnlyTheCustomersCounts", func(t *testing.T) {
		t.Parallel()
		b, turn := answered(t)
		b.receive(b.reacts("wamid.ours", "👎", func(a *conversation.Arrival) { a.Message.Echo = true }))
		require.Equal(t, conversation.Unrated, feedback(b, turn))
		b.receive(b.reacts("wamid.ours", "👎", func(a *conversation.Arrival) {
			a.Message.Sender = conversation.Sender{UserID: "CO.eva", PhoneNumber: "573009999999"}
			a.Message.Address = conversation.Address{UserID: "CO.eva", PhoneNumber: "573009999999"}
		}))
		require.Equal(t, conversation.Unrated, feedback(b, turn))
	})

	t.Run("ReactionToAnEarlierConversationFindsItsAnswer", func(t *testing.T) {
		t.Parallel()
		b, turn := answered(t)
		_, err := b.store.CloseConversation(t.Context(), turn.Conversation)
		require.NoError(t, err)
		b.receive(b.reacts("wamid.ours", "👍"))
		require.Equal(t, conversation.Liked, feedback(b, turn))
	})

	t.Run("LateNewsOfAnOlderReactionChangesNothing", func(t *testing.T) {
		t.Parallel()
		b, turn := answered(t)
		at := func(d time.Duration) arrival {
			return func(a *conversation.Arrival) { a.OccurTime = time.Now().Add(d) }
		}
		b.receive(b.reacts("wamid.ours", "", at(-time.Second)))
		b.receive(b.reacts("wamid.ours", "👍", at(-2*time.Second)))
		require.Equal(t, conversation.Unrated, feedback(b, turn))
		b.receive(b.reacts("wamid.ours", "👎"), b.reacts("wamid.ours", "👍", at(-500*time.Millisecond)))
		require.Equal(t, conversation.Disliked, feedback(b, turn), "also within one webhook")
	})

	t.Run("IsToldUntilRagKnowsTheLast", func(t *testing.T) {
		t.Parallel()
		b, turn := answered(t)
		untold := func() []conversation.Opinion {
			list, err := b.store.UntoldFeedback(t.Context(), 10)
			require.NoError(t, err)
			return list
		}
		require.Empty(t, untold())
		b.receive(b.reacts("wamid.ours", "👎"))
		list := untold()
		require.Len(t, list, 1)
		require.Equal(t, "tienda", list[0].KnowledgeBase)
		require.Equal(t, []string{"d1", "d2"}, list[0].Documents)
		require.Equal(t, conversation.Disliked, list[0].Feedback)
		require.NotEmpty(t, list[0].Request)
		b.receive(b.reacts("wamid.ours", ""))
		require.Empty(t, untold(), "taken back before anybody was told")
		b.receive(b.reacts("wamid.ours", "👍"))
		require.NoError(t, b.store.FeedbackTold(t.Context(), list[0]))
		require.Equal(t, conversation.Liked, untold()[0].Feedback, "what was told late is told again")
		require.NoError(t, b.store.FeedbackTold(t.Context(), untold()[0]))
		require.Empty(t, untold())
		require.Equal(t, conversation.Liked, feedback(b, turn))
	})

	t.Run("OfOurOwnSentencesIsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		turn := b.claimOne()
		b.finish(turn, b.checkpoint(turn, "¡Hola!"))
		b.receive(b.reacts("wamid.ours", "👍"))
		require.Equal(t, conversation.Unrated, feedback(b, turn))
	})
}
