package telegram_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/telegram"
)

func showDraft(t *testing.T, server *fakeapi.Server, markdown string) error {
	t.Helper()
	part := telegram.Render(channels.Content{Markdown: markdown})[0]
	return telegram.New(telegram.Config{BaseURL: server.URL}).ShowDraft(t.Context(), credentials(), channels.TelegramChat{ID: chatID, ThreadID: 3}, 9, part)
}

func TestShowDraft(t *testing.T) {
	t.Parallel()
	yes := fakeapi.Answer{Status: 200, Body: `{"ok":true,"result":true}`}

	t.Run("FormattedTextIsHTML", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, yes)
		require.NoError(t, showDraft(t, server, "**Hola** a < b"))
		require.Equal(t, map[string]any{
			"chat_id": float64(chatID), "message_thread_id": float64(3), "draft_id": float64(9), "text": "<b>Hola</b> a &lt; b", "parse_mode": "HTML",
		}, server.Only(t).Body)
	})

	t.Run("StartOfALongOneIsKept", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, yes)
		require.NoError(t, showDraft(t, server, "principio 😀 "+strings.Repeat("palabra ", 2000)))
		text, _ := server.Only(t).Body["text"].(string)
		require.True(t, strings.HasPrefix(text, "principio"))
		require.LessOrEqual(t, len(utf16.Encode([]rune(text))), 4096)
	})

	t.Run("TextThatCannotBeParsedIsShownPlain", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Status: 400, Body: `{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: x"}`}, yes)
		require.NoError(t, showDraft(t, server, "**Hola**"))
		calls := server.Calls()
		require.Len(t, calls, 2)
		require.Equal(t, "Hola", calls[1].Body["text"])
		require.NotContains(t, calls[1].Body, "parse_mode")
	})

	t.Run("RequestToWaitIsHandedOn", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Status: 429, Body: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 12","parameters":{"retry_after":12}}`})
		var e *channels.SendError
		require.ErrorAs(t, showDraft(t, server, "hola"), &e)
		require.Equal(t, channels.ClassThrottled, e.Class)
		require.Equal(t, 12*time.Second, e.RetryAfter)
		require.Len(t, server.Calls(), 1)
	})
}
