package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
)

func TestScope(t *testing.T) {
	t.Parallel()
	scope := gateway.NewScope(map[string]gateway.IntegrationID{"1": "c", "2": "a", "3": "b", "4": "a"}, false)

	t.Run("AccountIsAlwaysTheSame", func(t *testing.T) {
		t.Parallel()
		for range 20 {
			require.Equal(t, gateway.IntegrationID("a"), gateway.NewScope(map[string]gateway.IntegrationID{"1": "c", "2": "a"}, true).Account())
		}
	})
	t.Run("EachIntegrationOnce", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []gateway.IntegrationID{"a", "b", "c"}, scope.Integrations())
	})
	t.Run("OtherNumbersAreNotInIt", func(t *testing.T) {
		t.Parallel()
		_, ok := scope.Number("5")
		require.False(t, ok)
		_, ok = gateway.Scope{}.Number("")
		require.False(t, ok)
	})
}

func TestWordsForLogs(t *testing.T) {
	t.Parallel()
	require.Equal(t, "whatsapp", gateway.WhatsApp.String())
	require.Equal(t, "telegram", gateway.Telegram.String())
	require.Equal(t, "unknown", gateway.Platform(9).String())
	require.Equal(t, "body_too_large", gateway.RejectedBodyTooLarge.String())
	require.Equal(t, "foreign_source", gateway.RejectedForeignSource.String())
	require.Equal(t, "unknown", gateway.RejectionReason(99).String())
}
