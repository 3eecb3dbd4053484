package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// bury makes the one due turn dead, without an apology.
func (b *bundle) bury(cause string) conversation.Turn {
	b.t.Helper()
	turn := b.claimOne()
	require.NoError(b.t, b.store.Bury(b.t.Context(), turn, cause, ""))
	return turn
}

func TestLogs(t *testing.T) {
	t.Parallel()

	t.Run("AreNewestFirstByPlatformAndPaged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var want []conversation.LogID
		for range 5 {
			want = append([]conversation.LogID{b.receive(b.says("hola")).Log}, want...)
		}
		other := b.webhook(b.says("hola", telegram("7", "eva", conversation.Chat{ID: 7}, false)))
		other.Platform = conversation.Telegram
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{other})
		require.NoError(t, err)
		var got []conversation.LogID
		var after *conversation.Cursor
		for range 3 {
			page, err := b.store.Logs(t.Context(), conversation.LogFilter{Platform: conversation.WhatsApp, Limit: 2, After: after})
			require.NoError(t, err)
			for _, l := range page {
				got = append(got, l.ID)
				after = &conversation.Cursor{Time: l.CreateTime, ID: string(l.ID)}
			}
		}
		require.Equal(t, want, got)
		all, err := b.store.Logs(t.Context(), conversation.LogFilter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, all, 6)
		require.Equal(t, other.Log, all[0].ID)
	})

	t.Run("SumUpTheirEvents", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola"), b.event("account_update", nil))
		l, err := b.store.Log(t.Context(), r.Log)
		require.NoError(t, err)
		require.Equal(t, "open, recorded", l.Response)
		require.True(t, l.ProcessedTime.IsZero(), "one event is open")
		require.Equal(t, "text", l.EventType)
		require.EqualValues(t, 200, l.ResponseStatus)
		a := b.answer("respuesta")
		l, err = b.store.Log(t.Context(), r.Log)
		require.NoError(t, err)
		require.Equal(t, "answered, recorded", l.Response)
		require.Equal(t, string(a.Request), l.Events[0].Response)
		require.WithinDuration(t, time.Now(), l.ProcessedTime, time.Minute)
	})

	t.Run("AreFoundByTheirDeadEvents", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("bien"))
		b.answer("respuesta")
		dead := b.receive(b.says("mal"))
		b.bury("MODEL_UNAVAILABLE")
		page, err := b.store.Logs(t.Context(), conversation.LogFilter{Outcome: conversation.OutcomeDead, Limit: 10})
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, dead.Log, page[0].ID)
		require.Equal(t, "MODEL_UNAVAILABLE", page[0].ErrorMessage)
	})

	t.Run("AreCountedByPlatform", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		b.receive(b.says("hola"))
		refusal := conversation.Rejection{Platform: conversation.Telegram, RemoteAddress: "203.0.113.9", Reason: conversation.Forged}
		require.NoError(t, b.store.RecordRejections(t.Context(), []conversation.RejectionCount{
			{Platform: conversation.Telegram, Reason: conversation.Forged, Count: 300},
		}, []conversation.Rejection{refusal}))
		counts, err := b.store.CountLogs(t.Context(), conversation.TimeRange{})
		require.NoError(t, err)
		require.Equal(t, []conversation.PlatformCount{
			{Platform: conversation.Telegram, Rejected: 300}, {Platform: conversation.WhatsApp, Total: 2},
		}, counts)
		page, err := b.store.Logs(t.Context(), conversation.LogFilter{Platform: conversation.Telegram, Limit: 10})
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, "rejected", page[0].EventType)
		require.EqualValues(t, 401, page[0].ResponseStatus)
		require.Equal(t, "wrong_credential", page[0].ErrorMessage)
		l, err := b.store.Log(t.Context(), page[0].ID)
		require.NoError(t, err)
		require.Empty(t, l.Payload, "no body of who forges")
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()

	t.Run("OpensDeadEventsAndAnswersThemOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola"))
		b.bury("MODEL_UNAVAILABLE")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeDead}, b.outcomes(r.Log))
		n, err := b.store.Replay(t.Context(), r.Log)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		b.answer("por fin")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
		_, err = b.store.Replay(t.Context(), r.Log)
		require.ErrorIs(t, err, conversation.ErrNothingDead)
	})

	t.Run("SendsAFailedAnswerAgainUnderItsOldRequest", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "quizás llegó")
		turn.Answer = &a
		require.NoError(t, b.store.Bury(t.Context(), turn, "UNAVAILABLE", ""))
		_, err := b.store.Replay(t.Context(), r.Log)
		require.NoError(t, err)
		again := b.claimOne()
		require.NotNil(t, again.Answer)
		require.Equal(t, a.Request, again.Answer.Request)
		b.finish(again, *again.Answer)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
	})

	t.Run("SendsAnAnswerOfUnknownOutcomeAgainUnderANewRequest", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola"))
		turn := b.claimOne()
		a := b.checkpoint(turn, "quizás llegó dos veces")
		turn.Answer = &a
		require.NoError(t, b.store.Bury(t.Context(), turn, conversation.ReasonOutcomeUnknown, ""))
		require.Equal(t, 1, b.count("messages where state = 'failed' and maybe_duplicate"), "shown as a possible repeat")
		_, err := b.store.Replay(t.Context(), r.Log)
		require.NoError(t, err)
		again := b.claimOne()
		require.Equal(t, a.ID, again.Answer.ID)
		require.NotEqual(t, a.Request, again.Answer.Request, "channels takes the old one for done")
		b.finish(again, *again.Answer)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
		require.Equal(t, 1, b.count("messages where state = 'sent' and maybe_duplicate"), "the mark stays")
	})

	t.Run("WaitsForAConversationThatIsBeingAnswered", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("mal"))
		b.bury("X")
		b.receive(b.says("otra"))
		turn := b.claimOne()
		_, err := b.store.Replay(t.Context(), r.Log)
		require.ErrorIs(t, err, conversation.ErrBusy)
		require.NoError(t, b.store.Release(t.Context(), turn))
		_, err = b.store.Replay(t.Context(), r.Log)
		require.NoError(t, err)
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Len(t, d.Open, 2, "the replayed one joins what waits")
	})

	t.Run("KnowsNoOtherLogs", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.Replay(t.Context(), conversation.LogID(uuid.NewString()))
		require.ErrorIs(t, err, conversation.ErrNotFound)
	})
}

func TestUpkeep(t *testing.T) {
	t.Parallel()

	t.Run("OldKeysArePruned", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("vieja"))
		b.exec(`update inbound_keys set received_time = now() - interval '11 days'`)
		b.receive(b.says("nueva"))
		n, err := b.store.PruneKeys(t.Context(), 10*24*time.Hour, 100)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Equal(t, 1, b.count("inbound_keys"))
	})

	t.Run("OldDeliveriesAreForgottenUnlessTheyWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		answered := b.receive(b.says("respondida"))
		b.answer("respuesta")
		repeated := b.webhook(b.says("repetida"))
		_, err := b.store.Ingest(t.Context(), []conversation.Delivery{repeated})
		require.NoError(t, err)
		b.answer("respuesta")
		waits := b.receive(b.says("espera"))
		b.exec(`update webhook_logs set create_time = now() - interval '91 days'`)
		again := repeated
		again.Log = conversation.LogID("00000000-0000-7000-8000-0000000000aa")
		_, err = b.store.Ingest(t.Context(), []conversation.Delivery{again})
		require.NoError(t, err)

		pruned := int64(0)
		for range 3 {
			n, err := b.store.PruneLogs(t.Context(), 90*24*time.Hour, 1)
			require.NoError(t, err)
			pruned += n
		}
		require.EqualValues(t, 2, pruned)
		_, err = b.store.Log(t.Context(), answered.Log)
		require.ErrorIs(t, err, conversation.ErrNotFound)
		l, err := b.store.Log(t.Context(), again.Log)
		require.NoError(t, err)
		require.Empty(t, l.Payload, "it was its first delivery's, and is gone with that")
		l, err = b.store.Log(t.Context(), waits.Log)
		require.NoError(t, err)
		require.NotEmpty(t, l.Payload)
		require.Equal(t, 1, b.count("webhook_payloads"))
		require.Equal(t, 2, b.count("webhook_events"))
		require.Equal(t, 3, b.count("messages where role = 'customer'"), "the conversation stays")
	})

	t.Run("TurnsOfDeletedIntegrationsAreClosed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("hola"))
		other := b.receive(b.says("hola", of("wa-2")))
		require.NoError(t, b.store.ForsakeTurns(t.Context(), []conversation.IntegrationID{number}))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeIgnored}, b.outcomes(r.Log))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(other.Log))
		require.Equal(t, 1, b.count("turns"))
	})

	t.Run("DepthCountsWhatWaits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		b.reported(conversation.DeliverySent, "")
		b.exec(`update turns set opened_at = now() - interval '1 minute'`)
		d, err := b.store.Depth(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, d.Turns)
		require.EqualValues(t, 1, d.Reports)
		require.InDelta(t, 60, d.Oldest, 5)
	})

	t.Run("DepthTellsWhatWaitsForAWorkerFromWhatIsPutOff", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		overdue := func(due, lease string) float64 {
			b.exec(`update turns set opened_at = now() - interval '1 hour', due_at = now() + $1::interval, lease_until = now() + $2::interval`,
				due, lease)
			d, err := b.store.Depth(t.Context())
			require.NoError(t, err)
			return d.Overdue
		}
		require.Zero(t, overdue("0s", "0s"), "nothing waits")
		b.receive(b.says("hola"))
		require.InDelta(t, 60, overdue("-1 minute", "-1 second"), 5)
		require.Zero(t, overdue("1 minute", "-1 second"), "put off")
		require.Zero(t, overdue("-1 minute", "1 minute"), "a worker has it")
	})
}
