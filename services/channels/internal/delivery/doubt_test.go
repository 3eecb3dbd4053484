package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

func inDoubt() *channels.SendError {
	return &channels.SendError{Class: channels.ClassInDoubt, Message: "timeout"}
}

func TestDoubt(t *testing.T) {
	t.Parallel()

	t.Run("WhatsAppWaitsForTheEchoThenSendsOnceMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.Provider.Fail(inDoubt())
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		after, ok := fault.RetryAfterOf(err)
		require.True(t, ok)
		require.InDelta(t, time.Minute, after, float64(10*time.Second))
		_, err = b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		require.Len(t, b.Provider.Calls(), 1)

		b.pass(t, time.Minute)
		d, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		require.True(t, d.MaybeDuplicate)
		require.Equal(t, "request-1/0/2", b.Provider.Calls()[1].Echo)
	})

	t.Run("EchoOfADoubtSparesTheResend", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.Provider.Fail(inDoubt())
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		outcomes, err := b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{
			{MessageID: "wamid.9", State: channels.DeliverySent, Echo: "request-1/0/1"},
		})
		require.NoError(t, err)
		require.Equal(t, []channels.ReportOutcome{{RequestID: "request-1", State: channels.DeliverySent}}, outcomes)
		d, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		require.Equal(t, "wamid.9", d.Parts[0].MessageID)
		require.False(t, d.MaybeDuplicate)
		require.Len(t, b.Provider.Calls(), 1)
	})

	t.Run("TelegramIsSentOnceMoreByTheNextCall", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.Fail(inDoubt())
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		after, _ := fault.RetryAfterOf(err)
		require.LessOrEqual(t, after, time.Second)
		d, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		require.True(t, d.MaybeDuplicate)
		require.Len(t, b.Provider.Calls(), 2)
	})

	t.Run("TheRepeatIsNotSpentOnAProviderThatIsAway", func(t *testing.T) {
		t.Parallel()
		for _, platform := range []channels.Platform{channels.WhatsApp, channels.Telegram} {
			b := setup(t, platform)
			b.Provider.Fail(inDoubt())
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
			b.pass(t, time.Minute)
			for _, away := range []channels.Class{channels.ClassInDoubt, channels.ClassRetry} {
				b.Provider.Away(&channels.SendError{Class: away, Message: "502 Bad Gateway"})
				_, err := b.delivery.Send(t.Context(), b.message("hola"))
				requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
				require.Len(t, b.Provider.Calls(), 1, "it waits, however long that takes")
			}
			b.Provider.Away(&channels.SendError{Class: channels.ClassStopIntegration, Message: "no right to ask that"})
			d, err := b.delivery.Send(t.Context(), b.message("hola"))
			require.NoError(t, err, "who says no is there")
			require.True(t, d.MaybeDuplicate)
			require.Len(t, b.Provider.Calls(), 2)
		}
	})

	t.Run("SecondDoubtIsLeftToAPerson", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.Fail(inDoubt(), inDoubt())
		for range 2 {
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		}
		for range 2 {
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			requireFault(t, err, fault.Precondition, "OUTCOME_UNKNOWN")
			require.Len(t, b.Provider.Calls(), 2, "never a third copy")
		}
	})

	t.Run("ProcessKilledBetweenIntentAndRecordLeavesADoubt", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		killed := make(chan struct{})
		b.Provider.Answer(func(_ context.Context, n int, _ channels.SendRequest) (string, error) {
			if n == 1 {
				close(killed)
				<-t.Context().Done() // This call never comes back while the test runs.
				return "", inDoubt()
			}
			return "wamid.2", nil
		})
		go func() { _, _ = b.service().Send(context.Background(), b.message("hola")) }()
		<-killed
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "IN_FLIGHT")
		b.pass(t, 30*time.Second) // its lease is over
		_, err = b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		b.pass(t, 30*time.Second)
		d, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		require.True(t, d.MaybeDuplicate)
		require.Len(t, b.Provider.Calls(), 2)
	})
}

func TestReports(t *testing.T) {
	t.Parallel()

	t.Run("MessageIDFindsTheDeliveryWhereThereIsNoEcho", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		for _, state := range []channels.DeliveryState{channels.DeliveryRead, channels.DeliveryDelivered} {
			outcomes, err := b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{{MessageID: "message-1", State: state}})
			require.NoError(t, err)
			require.Equal(t, channels.DeliveryRead, outcomes[0].State)
		}
	})

	t.Run("PriceOfAMessageIsKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		price := channels.Pricing{Billable: true, Model: "PMP", Type: "regular", Category: "service"}
		_, err = b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{
			{MessageID: "message-1", State: channels.DeliverySent, Pricing: price}, {MessageID: "message-1", State: channels.DeliveryRead},
		})
		require.NoError(t, err)
		d, err := b.delivery.Get(t.Context(), "request-1")
		require.NoError(t, err)
		require.Equal(t, price, d.Parts[0].Pricing)
		require.Equal(t, channels.DeliveryRead, d.State())
	})

	t.Run("ForeignReportsDoNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		other := b.Telegram(t)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		failed := channels.Report{MessageID: "message-1", State: channels.DeliveryFailed, Echo: "request-1/0/1"}
		outcomes, err := b.delivery.RecordReports(t.Context(), other.ID, []channels.Report{failed, {MessageID: "wamid.unknown", State: channels.DeliveryRead}})
		require.NoError(t, err)
		require.Equal(t, make([]channels.ReportOutcome, 2), outcomes)
		d, err := b.delivery.Get(t.Context(), "request-1")
		require.NoError(t, err)
		require.Equal(t, channels.DeliverySent, d.State())
	})

	t.Run("LateClosedWindowIsTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		outcomes, err := b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{
			{MessageID: "message-1", State: channels.DeliveryFailed, ErrorCode: 131047, ErrorMessage: "Re-engagement message"},
		})
		require.NoError(t, err)
		require.Equal(t, []channels.ReportOutcome{{RequestID: "request-1", State: channels.DeliveryFailed, WindowClosed: true}}, outcomes)
	})

	t.Run("LateRefusalOfTheAccountStopsTheIntegration", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		_, err = b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{
			{MessageID: "message-1", State: channels.DeliveryFailed, ErrorCode: 131042, ErrorMessage: "Business eligibility payment issue"},
		})
		require.NoError(t, err)
		i, err := b.Integrations.Get(t.Context(), b.integration.ID)
		require.NoError(t, err)
		state, reason := i.State()
		require.Equal(t, channels.StateStopped, state)
		require.Contains(t, reason, "payment issue")
	})
}
