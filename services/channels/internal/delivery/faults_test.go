package delivery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

func TestProviderRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class  channels.Class
		kind   fault.Kind
		reason string
	}{
		{channels.ClassRetry, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
		{channels.ClassThrottled, fault.Throttled, "THROTTLED"},
		{channels.ClassPairThrottled, fault.Throttled, "THROTTLED"},
		{channels.ClassInDoubt, fault.InFlight, "DELIVERY_IN_DOUBT"},
		{channels.ClassDropRecipient, fault.Precondition, "RECIPIENT_UNREACHABLE"},
		{channels.ClassBotBlocked, fault.Precondition, "BOT_BLOCKED"},
		{channels.ClassWindowClosed, fault.Precondition, "WHATSAPP_WINDOW_CLOSED"},
		{channels.ClassStopIntegration, fault.Precondition, "INTEGRATION_STOPPED"},
		{channels.ClassInvalid, fault.Invalid, "MESSAGE_REFUSED"},
	} {
		t.Run(c.class.String(), func(t *testing.T) {
			t.Parallel()
			b := setup(t, channels.WhatsApp)
			b.Provider.Fail(&channels.SendError{Class: c.class, Code: 1, Message: "as the provider says"})
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			requireFault(t, err, c.kind, c.reason)
			_, hasRetry := fault.RetryAfterOf(err)
			require.Equal(t, c.kind == fault.Throttled || c.kind == fault.InFlight, hasRetry)
		})
	}
}

func TestStoppedIntegration(t *testing.T) {
	t.Parallel()
	b := setup(t, channels.WhatsApp)
	b.Provider.Fail(&channels.SendError{Class: channels.ClassStopIntegration, Code: 190, Message: "token expired"})
	for range 2 {
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.Precondition, "INTEGRATION_STOPPED")
	}
	require.Len(t, b.Provider.Calls(), 1, "a stopped integration burns no calls")

	_, err := b.Integrations.Update(t.Context(), b.integration.ID, []integration.Edit{
		func(i *channels.Integration, now time.Time) { i.SetSecret(channels.AccessToken, "EAAG-new", now) },
	})
	require.NoError(t, err)
	_, err = b.delivery.Send(t.Context(), b.message("hola"))
	require.NoError(t, err, "new credentials start it again, and the message is still there")

	require.NoError(t, b.Integrations.Stop(t.Context(), b.integration.ID, time.Now().Add(-time.Hour), "token expired"))
	_, err = b.delivery.Send(t.Context(), b.message("hola"))
	require.NoError(t, err, "a refusal of the old credentials does not stop the new ones")
}

func TestIntegrationThatMayNotSend(t *testing.T) {
	t.Parallel()
	b := setup(t, channels.Telegram)
	disable := func(i *channels.Integration, _ time.Time) { i.Enable(false) }
	_, err := b.delivery.Send(t.Context(), b.message("antes"))
	require.NoError(t, err)
	_, err = b.Integrations.Update(t.Context(), b.integration.ID, []integration.Edit{disable})
	require.NoError(t, err)
	_, err = b.delivery.Send(t.Context(), b.message("antes"))
	require.NoError(t, err, "what was sent is still known")
	m := b.message("después")
	m.RequestID = "request-2"
	_, err = b.delivery.Send(t.Context(), m)
	requireFault(t, err, fault.Precondition, "INTEGRATION_DISABLED")
	_, err = b.delivery.Get(t.Context(), m.RequestID)
	requireFault(t, err, fault.NotFound, "DELIVERY_NOT_FOUND")

	m.To.IntegrationID = "00000000-0000-0000-0000-000000000000"
	_, err = b.delivery.Send(t.Context(), m)
	requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")

	incomplete := b.Create(t, channels.WhatsApp, func(i *channels.Integration, _ time.Time) { i.Name = "incompleta" })
	m.To = channels.Address{IntegrationID: incomplete.ID, WhatsApp: &channels.WhatsAppUser{Phone: "573001234567"}}
	_, err = b.delivery.Send(t.Context(), m)
	requireFault(t, err, fault.Precondition, "INTEGRATION_INCOMPLETE")

	m.To = channels.Address{IntegrationID: incomplete.ID, Telegram: &channels.TelegramChat{ID: 7}}
	_, err = b.delivery.Send(t.Context(), m)
	requireFault(t, err, fault.Invalid, "WRONG_PLATFORM")
}

func TestPauses(t *testing.T) {
	t.Parallel()

	t.Run("WholeNumberWaitsWhenMetaSaysSo", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.Provider.Fail(&channels.SendError{Class: channels.ClassThrottled, Code: 130429, RetryAfter: 20 * time.Second})
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.Throttled, "THROTTLED")
		other := b.message("otro")
		other.RequestID, other.To.WhatsApp = "request-2", &channels.WhatsAppUser{UserID: "CC.abc"}
		_, err = b.delivery.Send(t.Context(), other)
		requireFault(t, err, fault.Throttled, "THROTTLED")
		require.Len(t, b.Provider.Calls(), 1)
		b.pass(t, 20*time.Second)
		_, err = b.delivery.Send(t.Context(), other)
		require.NoError(t, err)
	})

	t.Run("TelegramPausesOneChatOnly", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.Fail(&channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 33 * time.Second})
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		after, _ := fault.RetryAfterOf(err)
		require.Equal(t, 33*time.Second, after)
		other := b.message("otro")
		other.RequestID, other.To.Telegram = "request-2", &channels.TelegramChat{ID: 8}
		_, err = b.delivery.Send(t.Context(), other)
		require.NoError(t, err)
	})

	t.Run("PairWaitsFourToThePowerOfN", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		pair := &channels.SendError{Class: channels.ClassPairThrottled, Code: 131056}
		b.Provider.Fail(pair, pair, pair)
		for _, want := range []time.Duration{4 * time.Second, 16 * time.Second, 64 * time.Second} {
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			after, _ := fault.RetryAfterOf(err)
			require.InDelta(t, want, after, float64(100*time.Millisecond))
			b.pass(t, want)
		}
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
	})
}

func TestSignals(t *testing.T) {
	t.Parallel()
	whatsApp, telegram := setup(t, channels.WhatsApp), setup(t, channels.Telegram)
	ctx := t.Context()
	require.NoError(t, whatsApp.delivery.MarkRead(ctx, whatsApp.to, "wamid.1", false))
	require.NoError(t, whatsApp.delivery.Type(ctx, whatsApp.to, "wamid.1"))
	requireFault(t, whatsApp.delivery.Type(ctx, whatsApp.to, ""), fault.Invalid, "MESSAGE_ID_MISSING")
	require.Equal(t, []string{"read wamid.1 typing=false", "read wamid.1 typing=true"}, whatsApp.Provider.Signals())

	require.NoError(t, telegram.delivery.Type(ctx, telegram.to, ""))
	require.NoError(t, telegram.delivery.MarkRead(ctx, telegram.to, "1", true))
	require.NoError(t, telegram.delivery.AnswerButton(ctx, telegram.integration.ID, "cb", "listo"))
	require.Equal(t, []string{"typing 7", `answer cb "listo"`}, telegram.Provider.Signals())
	requireFault(t, whatsApp.delivery.AnswerButton(ctx, whatsApp.integration.ID, "cb", ""), fault.Invalid, "WRONG_PLATFORM")
}
