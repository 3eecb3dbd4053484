package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// reported ingests a delivery report and returns what the queue holds.
func (b *bundle) reported(state conversation.DeliveryState, message string) conversation.Receipt {
	b.t.Helper()
	return b.receive(b.event("status", &conversation.DeliveryReport{MessageID: "wamid.ours", State: state, ErrorMessage: message, Echo: "e/0/1"}))
}

func (b *bundle) queued() []conversation.QueuedReport {
	b.t.Helper()
	out, err := b.store.OldestReports(b.t.Context(), number, 100)
	require.NoError(b.t, err)
	return out
}

func (b *bundle) settle(outcome conversation.ReportOutcome, template *conversation.WindowTemplate) {
	b.t.Helper()
	queued := b.queued()
	outcomes := make([]conversation.ReportOutcome, len(queued))
	for i := range outcomes {
		outcomes[i] = outcome
	}
	require.NoError(b.t, b.store.SettleReports(b.t.Context(), queued, outcomes, template))
}

func TestReports(t *testing.T) {
	t.Parallel()

	t.Run("WaitInTheOrderOfTheWebhook", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(
			b.event("status", &conversation.DeliveryReport{
				MessageID: "a", State: conversation.DeliverySent, Billable: true,
				PricingCategory: "service", PricingModel: "PMP", PricingType: "regular",
			}),
			b.event("status", &conversation.DeliveryReport{MessageID: "b", State: conversation.DeliveryRead}),
			b.event("status", &conversation.DeliveryReport{MessageID: "c", State: conversation.DeliveryFailed, ErrorCode: 131026}),
		)
		pending, err := b.store.PendingReports(t.Context())
		require.NoError(t, err)
		require.Equal(t, []conversation.IntegrationID{number}, pending)
		var ids []string
		for _, r := range b.queued() {
			ids = append(ids, r.MessageID)
		}
		require.Equal(t, []string{"a", "b", "c"}, ids)
		require.EqualValues(t, 131026, b.queued()[2].ErrorCode)
		priced := b.queued()[0]
		require.True(t, priced.Billable)
		require.Equal(t, []string{"service", "PMP", "regular"}, []string{priced.PricingCategory, priced.PricingModel, priced.PricingType})
		require.Zero(t, b.count("turns"), "a status is no message")
	})

	t.Run("StatesOnlyRise", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		a := b.answer("respuesta")
		for _, state := range []conversation.DeliveryState{
			conversation.DeliveryDelivered, conversation.DeliverySent, conversation.DeliveryRead, conversation.DeliveryDelivered,
		} {
			r := b.reported(state, "")
			b.settle(conversation.ReportOutcome{Request: a.Request, State: state}, nil)
			require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, b.outcomes(r.Log))
		}
		require.Equal(t, 1, b.count("messages where delivery_state = $1 and state = 'sent'", conversation.DeliveryRead))
		require.Zero(t, b.count("delivery_reports"))
	})

	t.Run("FailureShowsOnTheQuestionsEvents", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.receive(b.says("hola"))
		a := b.answer("respuesta")
		b.reported(conversation.DeliveryFailed, "Message undeliverable")
		b.settle(conversation.ReportOutcome{Request: a.Request, State: conversation.DeliveryFailed}, nil)
		l, err := b.store.Log(t.Context(), asked.Log)
		require.NoError(t, err)
		require.Equal(t, conversation.OutcomeFailed, l.Events[0].Outcome)
		require.Equal(t, "Message undeliverable", l.ErrorMessage)
		b.reported(conversation.DeliveryDelivered, "")
		b.settle(conversation.ReportOutcome{Request: a.Request, State: conversation.DeliveryDelivered}, nil)
		require.Equal(t, 1, b.count("messages where state = 'failed' and delivery_state = $1", conversation.DeliveryFailed))
	})

	t.Run("UnknownMessagesAreRecorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.reported(conversation.DeliverySent, "")
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.outcomes(r.Log))
		b.settle(conversation.ReportOutcome{}, nil)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeUnknownMessage}, b.outcomes(r.Log))
	})

	t.Run("OneHandsOnAtATimeAndAPauseIsKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token, failures, err := b.store.LeaseReports(t.Context(), number, time.Minute)
		require.NoError(t, err)
		require.Zero(t, failures)
		_, _, err = b.store.LeaseReports(t.Context(), number, time.Minute)
		require.ErrorIs(t, err, conversation.ErrBusy)
		require.NoError(t, b.store.ReleaseReports(t.Context(), number, token, time.Hour, true))
		_, _, err = b.store.LeaseReports(t.Context(), number, time.Minute)
		require.ErrorIs(t, err, conversation.ErrBusy, "the pause")
		b.exec(`update report_leases set lease_until = now() - interval '1 second'`)
		token, failures, err = b.store.LeaseReports(t.Context(), number, time.Minute)
		require.NoError(t, err)
		require.Equal(t, 1, failures)
		require.NoError(t, b.store.ReleaseReports(t.Context(), number, token, 0, false))
	})

	t.Run("WindowClosedLaterHoldsTheAnswerAndInvitesOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		template := &conversation.WindowTemplate{Name: "volver", Languages: []string{"es"}}
		asked := b.receive(b.says("hola"))
		a := b.answer("respuesta")
		for range 2 {
			b.reported(conversation.DeliveryFailed, "Re-engagement message")
			b.settle(conversation.ReportOutcome{Request: a.Request, State: conversation.DeliveryFailed, WindowClosed: true}, template)
		}
		require.Equal(t, []conversation.Outcome{conversation.OutcomeHeld}, b.outcomes(asked.Log))
		turn := b.claimOne()
		require.Equal(t, conversation.Invitation, turn.Answer.Purpose)
		require.Equal(t, "volver", turn.Answer.Template)
		b.finish(turn, *turn.Answer)
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where purpose = 'invitation'"))

		b.receive(b.says("aquí estoy"))
		next := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), next)
		require.NoError(t, err)
		require.Len(t, d.Open, 2, "what was held is asked again")
		require.Empty(t, d.History)
		b.finish(next, b.checkpoint(next, "respuesta nueva"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(asked.Log))
	})

	t.Run("HopelessReportsAreDropped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.reported(conversation.DeliverySent, "")
		require.NoError(t, b.store.DropReports(t.Context(), b.queued(), "REPORT_INVALID"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeFailed}, b.outcomes(r.Log))
		require.Empty(t, b.queued())
	})
}
