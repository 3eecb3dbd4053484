package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestMailbox(t *testing.T) {
	t.Parallel()

	t.Run("AnswersAMessageOnceAndClosesTheTurn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("¿A qué hora abren?"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, r.Outcomes)
		turn := b.claimOne()
		require.Empty(t, b.claim(10), "a leased turn is nobody else's")
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Len(t, d.Open, 1)
		require.Equal(t, "¿A qué hora abren?", d.Open[0].Text)
		a := b.checkpoint(turn, "A las 9.")
		b.finish(turn, a)
		require.Zero(t, b.count("turns"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
		said := b.messages(turn.Conversation)
		require.Len(t, said, 2)
		require.Equal(t, conversation.MessageAnswered, said[0].State)
		require.Equal(t, conversation.MessageSent, said[1].State)
		require.Equal(t, conversation.Assistant, said[1].Role)
		require.Equal(t, "wamid.ours", said[1].PlatformMessageID)
	})

	t.Run("MessageDuringComposingThrowsTheDraftAwayAtMostTwice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		for range conversation.MaxDiscards {
			turn := b.claimOne()
			b.receive(b.says("y otra cosa"))
			_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
			require.ErrorIs(t, err, conversation.ErrMoved)
		}
		turn := b.claimOne()
		b.receive(b.says("y otra más"))
		a := b.checkpoint(turn, "respuesta")
		b.finish(turn, a)
		next := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), next)
		require.NoError(t, err)
		require.Len(t, d.Open, 1, "only what came after the last draft waits")
		require.Equal(t, "y otra más", d.Open[0].Text)
		require.Equal(t, conversation.PastMessage{Role: conversation.Assistant, Text: "respuesta"}, d.History[len(d.History)-1])
	})

	t.Run("DraftIsKeptOnceTheLongestWaitHasPassed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		turn := b.claimOne()
		b.receive(b.says("dos"))
		b.exec(`update turns set opened_at = now() - interval '11 seconds'`)
		b.finish(turn, b.checkpoint(turn, "respuesta"))
		require.Equal(t, 1, b.count("turns"))
	})

	t.Run("MessageBetweenCheckpointAndSendReopensTheTurn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.receive(b.says("uno"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "respuesta a uno")
		second := b.receive(b.says("dos"))
		b.finish(turn, a)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(first.Log))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(second.Log))
		next := b.claimOne()
		require.Nil(t, next.Answer)
		d, err := b.store.Dialogue(t.Context(), next)
		require.NoError(t, err)
		require.Len(t, d.Open, 1)
		require.Equal(t, "dos", d.Open[0].Text)
	})

	t.Run("LostLeaseStoresNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		old := b.claimOne()
		b.crash(old)
		current := b.claimOne()
		require.Equal(t, 1, current.Crashes)
		_, err := b.store.Checkpoint(t.Context(), old, draft(old, "tarde"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		a := b.checkpoint(current, "a tiempo")
		require.ErrorIs(t, b.store.Finish(t.Context(), old, a, conversation.Sent{}), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Fail(t.Context(), old, "x", 0), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Postpone(t.Context(), old, 0), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Release(t.Context(), old), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Bury(t.Context(), old, "x", "perdón"), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Hold(t.Context(), old, a, nil), conversation.ErrLeaseLost)
		require.ErrorIs(t, b.store.Dismiss(t.Context(), old), conversation.ErrLeaseLost)
		lost, err := b.store.Extend(t.Context(), lease, []conversation.Lease{old.Lease})
		require.NoError(t, err)
		require.Equal(t, []conversation.Lease{old.Lease}, lost)
		b.finish(current, a)
		require.Len(t, b.messages(current.Conversation), 2, "one question, one answer")
	})

	t.Run("CrashAfterTheCheckpointSendsTheSameAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "respuesta")
		b.receive(b.says("dos"))
		b.crash(turn)
		again := b.claimOne()
		require.NotNil(t, again.Answer, "a decided answer is settled before anything is composed")
		require.Equal(t, a.Request, again.Answer.Request)
		require.Equal(t, "respuesta", again.Answer.Text)
		b.finish(again, *again.Answer)
		require.Nil(t, b.claimOne().Answer)
	})

	t.Run("CrashAfterFinishLeavesNothingToDo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		b.answer("respuesta")
		require.Empty(t, b.claim(10))
	})

	t.Run("GracefulReleaseIsNoCrash", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		require.NoError(t, b.store.Release(t.Context(), b.claimOne()))
		require.Zero(t, b.claimOne().Crashes)
	})

	t.Run("BurstIsOneTurnDueAfterTheDebounceButNotBeyondTheLongestWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno", debounced(time.Hour)))
		require.Empty(t, b.claim(10))
		var due float64
		query := `select extract(epoch from due_at - opened_at)::float8 from turns`
		require.NoError(t, b.pool.QueryRow(t.Context(), query).Scan(&due))
		require.InDelta(t, 10, due, 0.01, "the longest wait")
		b.exec(`update turns set opened_at = now() - interval '9 seconds', due_at = now() + interval '1 millisecond'`)
		b.receive(b.says("dos", debounced(time.Hour)))
		require.NoError(t, b.pool.QueryRow(t.Context(), query).Scan(&due))
		require.InDelta(t, 10, due, 0.01)
		require.Equal(t, 1, b.count("turns"))
	})

	t.Run("NewMessageDoesNotShortenABackoff", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		require.NoError(t, b.store.Fail(t.Context(), b.claimOne(), "UNAVAILABLE", time.Hour))
		b.receive(b.says("dos"))
		require.Empty(t, b.claim(10))
		b.due()
		require.Equal(t, 1, b.claimOne().Attempt)
	})

	t.Run("PostponingUsesNoAttempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		require.NoError(t, b.store.Postpone(t.Context(), b.claimOne(), time.Hour))
		require.Empty(t, b.claim(10))
		b.due()
		turn := b.claimOne()
		require.Zero(t, turn.Attempt)
		require.Zero(t, turn.Crashes)
	})

	t.Run("TwoCrashesMakeATurnRunAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("veneno"))
		b.crash(b.claimOne())
		b.crash(b.claimOne())
		require.Empty(t, b.claim(10), "not beside others")
		w, err := b.store.Waiting(t.Context(), []conversation.IntegrationID{number})
		require.NoError(t, err)
		require.True(t, w.Solo)
		turns, err := b.store.Claim(t.Context(), conversation.ClaimRequest{
			Lease: lease, Limit: 1, Solo: true, Rooms: []conversation.Room{{Integration: number, Free: 1}},
		})
		require.NoError(t, err)
		require.Len(t, turns, 1)
		require.Equal(t, 2, turns[0].Crashes)
	})

	t.Run("ClaimsAreSharedOutBetweenIntegrations", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for i := range 20 {
			b.receive(b.says("uno", from("", "57300000000"+string(rune('0'+i%10))+string(rune('0'+i/10)))))
		}
		b.receive(b.says("hola", telegram("7", "eva", conversation.Chat{ID: 7}, false)))
		b.exec(`update turns set due_at = now() - interval '1 hour' where integration_id = $1`, string(number))
		turns, err := b.store.Claim(t.Context(), conversation.ClaimRequest{Lease: lease, Limit: 3, Rooms: []conversation.Room{
			{Integration: number, Free: 10, Held: 5}, {Integration: bot, Free: 10},
		}})
		require.NoError(t, err)
		require.Len(t, turns, 3)
		var integrations []conversation.IntegrationID
		for _, turn := range turns {
			integrations = append(integrations, turn.Integration)
		}
		require.Contains(t, integrations, bot, "one with nothing in hand does not wait behind a backlog")
	})

	t.Run("WaitingSaysWhenToLookAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w, err := b.store.Waiting(t.Context(), []conversation.IntegrationID{number})
		require.NoError(t, err)
		require.False(t, w.Any)
		b.receive(b.says("uno", debounced(5*time.Second)))
		w, err = b.store.Waiting(t.Context(), []conversation.IntegrationID{number})
		require.NoError(t, err)
		require.True(t, w.Any)
		require.InDelta(t, 5*time.Second, w.Next, float64(2*time.Second))
	})
}
