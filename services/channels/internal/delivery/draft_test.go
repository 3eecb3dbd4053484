package delivery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
)

func TestDraft(t *testing.T) {
	t.Parallel()

	t.Run("IsShownAndNotStored", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		for _, text := range []string{"uno", "uno y\ndos"} {
			require.NoError(t, b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, ID: 5, Markdown: text}))
		}
		require.Equal(t, []string{"draft 7/5 uno", "draft 7/5 uno y"}, b.Provider.Signals(), "the start, where it is too long")
		var rows int
		require.NoError(t, b.Pool.QueryRow(t.Context(), `select count(*) from deliveries`).Scan(&rows))
		require.Zero(t, rows)
	})

	t.Run("OnlyPrivateTelegramChatsShowIt", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		for name, to := range map[string]channels.Address{
			"group":    {IntegrationID: b.to.IntegrationID, Telegram: &channels.TelegramChat{ID: -7}},
			"business": {IntegrationID: b.to.IntegrationID, Telegram: &channels.TelegramChat{ID: 7, BusinessConnectionID: "bc"}},
			"WhatsApp": {IntegrationID: b.to.IntegrationID, WhatsApp: &channels.WhatsAppUser{Phone: "573001234567"}},
		} {
			err := b.delivery.Draft(t.Context(), delivery.Draft{To: to, ID: 5, Markdown: "hola"})
			require.Equal(t, "DRAFTS_UNSUPPORTED", fault.ReasonOf(err), name)
			require.Equal(t, fault.Precondition, fault.KindOf(err), name)
		}
		requireFault(t, b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, Markdown: "hola"}), fault.Invalid, "DRAFT_ID_MISSING")
		requireFault(t, b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, ID: 5, Markdown: " "}), fault.Invalid, "TEXT_EMPTY")
		require.Empty(t, b.Provider.Signals())
	})

	t.Run("RefusalToWaitEndsDraftsOfTheBotAndNoMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.DraftErr = &channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 33 * time.Second}
		err := b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, ID: 5, Markdown: "hola"})
		requireFault(t, err, fault.Throttled, "THROTTLED")
		after, _ := fault.RetryAfterOf(err)
		require.Equal(t, 33*time.Second, after)

		b.Provider.DraftErr = nil
		other := b.to
		other.Telegram = &channels.TelegramChat{ID: 8}
		requireFault(t, b.service().Draft(t.Context(), delivery.Draft{To: other, ID: 6, Markdown: "hola"}), fault.Throttled, "THROTTLED")
		require.Len(t, b.Provider.Signals(), 1)
		_, err = b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
		b.pass(t, 33*time.Second)
		require.NoError(t, b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, ID: 7, Markdown: "hola"}))
	})

	t.Run("PausedChatShowsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.Telegram)
		b.Provider.Fail(&channels.SendError{Class: channels.ClassThrottled, Code: 429, RetryAfter: 33 * time.Second})
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		requireFault(t, err, fault.Throttled, "THROTTLED")
		requireFault(t, b.delivery.Draft(t.Context(), delivery.Draft{To: b.to, ID: 5, Markdown: "hola"}), fault.Throttled, "THROTTLED")
	})
}
