package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// loses reports that an answer was lost at the platform, for a reason that passes.
func (b *bundle) loses(a conversation.Answer) {
	b.t.Helper()
	b.reported(conversation.DeliveryFailed, "Something went wrong")
	b.settle(conversation.ReportOutcome{Request: a.Request, State: conversation.DeliveryFailed, RetryAfter: time.Minute}, nil)
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()

	t.Run("GoOutAgainUnderTheirRequestAfterThePause", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("hola"))
		a := b.answer("respuesta")
		for range 2 { // a report may be handed on twice
			b.loses(a)
		}
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(asked.Log), "it is not answered")
		require.Empty(t, b.claim(1), "the pause")
		b.due()
		turn := b.claimOne()
		require.Equal(t, a.Request, turn.Answer.Request)
		require.Equal(t, "respuesta", turn.Answer.Text)
		b.finish(turn, *turn.Answer)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(asked.Log))
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where role = 'assistant' and state = 'sent' and delivery_state = $1", conversation.DeliverySent))
	})

	t.Run("GoOutBeforeTheAnswerToWhatCameLater", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"))
		a := b.answer("respuesta uno")
		second := b.receive(b.says("dos"))
		b.due()
		composing := b.claimOne()
		b.loses(a)
		_, err := b.store.Checkpoint(t.Context(), composing, draft(composing, "respuesta dos"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost, "what is being composed comes after it")
		b.due()
		first := b.claimOne()
		require.Equal(t, a.Request, first.Answer.Request)
		b.finish(first, *first.Answer)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(second.Log))
		b.answer("respuesta dos")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(second.Log))
		require.Zero(t, b.count("turns"))
	})

	t.Run("AreAnsweredAnewWhereTheNextAnswerIsOnItsWay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.receive(b.says("uno"))
		a := b.answer("respuesta uno")
		second := b.receive(b.says("dos"))
		b.due()
		turn := b.claimOne()
		next := b.checkpoint(turn, "respuesta dos")
		b.loses(a)
		b.finish(turn, next)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(second.Log))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(first.Log))
		b.due()
		anew := b.claimOne()
		require.Nil(t, anew.Answer)
		d, err := b.store.Dialogue(t.Context(), anew)
		require.NoError(t, err)
		require.Len(t, d.Open, 1)
		require.Equal(t, "uno", d.Open[0].Text)
		b.finish(anew, b.checkpoint(anew, "respuesta uno, otra vez"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(first.Log))
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where role = 'assistant' and state = 'failed' and request_id = $1", a.Request))
	})

	t.Run("WaitForTheirRecord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		b.due()
		turn := b.claimOne()
		a := b.checkpoint(turn, "respuesta")
		b.loses(a)
		require.Len(t, b.queued(), 1, "the worker that sends it has to store that first")
		b.finish(turn, a)
		b.settle(conversation.ReportOutcome{Request: a.Request, State: conversation.DeliveryFailed, RetryAfter: time.Minute}, nil)
		require.Empty(t, b.queued())
		b.due()
		require.Equal(t, a.Request, b.claimOne().Answer.Request)
	})

	t.Run("StayWithTheirWorkerIfItDidNotStoreThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		b.due()
		turn := b.claimOne()
		a := b.checkpoint(turn, "respuesta")
		require.NoError(t, b.store.Postpone(t.Context(), turn, 0))
		b.loses(a)
		require.Empty(t, b.queued())
		b.due()
		require.Equal(t, a.Request, b.claimOne().Answer.Request)
		require.Zero(t, b.count("messages where delivery_state = $1", conversation.DeliveryFailed))
	})

	t.Run("AreLeftToStaffWhoHasTheWord", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("hola"))
		a := b.answer("respuesta")
		b.receive(b.staff("yo me encargo"))
		b.loses(a)
		require.Zero(t, b.count("turns"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeFailed}, b.outcomes(asked.Log))
	})

	t.Run("ApologyGoesOutAgainToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		b.due()
		require.NoError(t, b.store.Bury(t.Context(), b.claimOne(), "MODEL_DOWN", "Lo sentimos"))
		apology := b.claimOne()
		b.finish(apology, *apology.Answer)
		b.loses(*apology.Answer)
		b.due()
		again := b.claimOne()
		require.Equal(t, apology.Answer.Request, again.Answer.Request)
		b.finish(again, *again.Answer)
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where state = 'dead'"))
	})
}
