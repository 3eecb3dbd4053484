package whatsapp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels/internal/wire"
)

// FuzzAnswer reads what something in Meta's place answers: a failure has a class and never shows the token, and nothing but 2xx
// is a success.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"messages":[{"id":"wamid.x"}]}`, `{"error":{"message":"(#130429) Rate limit hit","code":130429}}`, `{"error":{"code":190,"message":"secreto"}}`,
		`{"error":{"code":"131056"}}`, `{"error":{}}`, `{"error":null}`, `<html>`, `{"error":{"code":131026,"error_data":{"details":"secreto"}}}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(500, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		const secret = "secreto"
		failed := failureOf(wire.Response{Status: status, Header: http.Header{}, Body: body}, secret)
		if failed == nil {
			require.Equal(t, 2, status/100)
			return
		}
		require.NotEmpty(t, failed.Class)
		require.GreaterOrEqual(t, failed.RetryAfter.Hours(), 0.0)
		require.False(t, strings.Contains(failed.Message, secret))
	})
}
