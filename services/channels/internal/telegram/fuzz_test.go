package telegram

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels/internal/wire"
)

// FuzzAnswer reads what something in Telegram's place answers: it is a success or a failure, never both, and a failure has a
// class and never shows the token.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"ok":true,"result":{"message_id":1}}`, `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":3}}`,
		`{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`, `<html>`, `{"ok":null}`, `{"ok":"yes"}`, `{"ok":false,"parameters":{"retry_after":-9223372036854775808}}`,
		`{"ok":false,"error_code":400,"description":"secreto"}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(502, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		const secret = "secreto"
		result, failed := read(wire.Response{Status: status, Header: http.Header{}, Body: body}, []string{secret})
		if failed == nil {
			return
		}
		require.Empty(t, result)
		require.NotEmpty(t, failed.Class)
		require.GreaterOrEqual(t, failed.RetryAfter.Hours(), 0.0)
		require.LessOrEqual(t, failed.RetryAfter.Hours(), 24.0)
		require.False(t, strings.Contains(failed.Message, secret))
	})
}
