package wire_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

const secret = "123:CANARY-secret"

// post calls a server whose address holds the secret, and returns the failure.
func post(ctx context.Context, t *testing.T, base string) *channels.SendError {
	t.Helper()
	_, err := wire.NewCaller(nil).Post(ctx, wire.Request{
		URL: base + "/bot" + secret + "/m", Header: http.Header{"Authorization": {secret}}, Secrets: []string{secret},
	})
	var failure *channels.SendError
	require.ErrorAs(t, err, &failure)
	for e := error(failure); e != nil; {
		require.NotContains(t, e.Error(), "CANARY")
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	return failure
}

func TestWhatCannotHaveBeenSentIsRetried(t *testing.T) {
	t.Parallel()

	t.Run("ConnectionRefused", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		require.Equal(t, channels.ClassRetry, post(t.Context(), t, "http://"+listener.Addr().String()).Class)
	})
	t.Run("CanceledBeforeTheCall", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		failure := post(ctx, t, fakeapi.New(t, fakeapi.Answer{Status: 200}).URL)
		require.Equal(t, channels.ClassRetry, failure.Class)
		require.ErrorIs(t, failure, context.Canceled)
	})
	t.Run("BrokenHandshake", func(t *testing.T) {
		t.Parallel()
		base := fakeapi.New(t, fakeapi.Answer{Status: 200}).URL
		require.Equal(t, channels.ClassRetry, post(t.Context(), t, strings.Replace(base, "http:", "https:", 1)).Class)
	})
	t.Run("BaseURLThatIsNone", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, channels.ClassRetry, post(t.Context(), t, "http://127.0.0.1:port").Class)
		require.Equal(t, channels.ClassRetry, post(t.Context(), t, "nonsense://127.0.0.1:1").Class)
	})
}

func TestWhatMayHaveBeenSentIsInDoubt(t *testing.T) {
	t.Parallel()

	t.Run("NoAnswerInTime", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		failure := post(ctx, t, fakeapi.New(t, fakeapi.Hang()).URL)
		require.Equal(t, channels.ClassInDoubt, failure.Class)
		require.ErrorIs(t, failure, context.DeadlineExceeded)
		require.Contains(t, failure.Message, "timeout")
	})
	t.Run("ConnectionLost", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, channels.ClassInDoubt, post(t.Context(), t, fakeapi.New(t, fakeapi.Cut()).URL).Class)
	})
	t.Run("AnswerBreaksOff", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		}})
		require.Equal(t, channels.ClassInDoubt, post(t.Context(), t, server.URL).Class)
	})
	t.Run("AnswerThatIsNotHTTPAndQuotesTheRequest", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Handle: func(w http.ResponseWriter, r *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte(r.URL.Path + "\r\n\r\n"))
			_ = connection.Close()
		}})
		failure := post(t.Context(), t, server.URL)
		require.Equal(t, channels.ClassInDoubt, failure.Class)
		require.Contains(t, failure.Message, "malformed HTTP response …")
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()

	elsewhere := fakeapi.New(t, fakeapi.Answer{Status: 200})
	server := fakeapi.New(t, fakeapi.Answer{Status: 307, Header: map[string]string{"Location": elsewhere.URL}})
	response, err := wire.NewCaller(&http.Client{}).Post(t.Context(), wire.Request{URL: server.URL})
	require.NoError(t, err)
	require.Equal(t, 307, response.Status)
	require.Empty(t, elsewhere.Calls())
}

func TestResponsesAreReadUpToAMebibyte(t *testing.T) {
	t.Parallel()

	server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: strings.Repeat("x", 3<<20)})
	response, err := wire.NewCaller(nil).Post(t.Context(), wire.Request{URL: server.URL})
	require.NoError(t, err)
	require.Len(t, response.Body, 1<<20)
}

func TestExplanationIsFitForLogs(t *testing.T) {
	t.Parallel()

	require.Equal(t, "bad token [secret]  end", wire.Explanation("bad token "+secret+"\r\nend", secret, ""))
	require.Len(t, []rune(wire.Explanation(strings.Repeat("ñ", 1000))), 301)
	require.Equal(t, "a\uFFFD", wire.Explanation("a\xff"))
	for said, want := range map[string]string{
		`Bad Request: can't parse entities: Unsupported start tag "mi clave" at byte offset 5`: "Bad Request: can't parse entities: Unsupported start tag … at byte offset 5",
		"Bad Request: inline keyboard button URL 'https://x.example/ana' is invalid":           "Bad Request: inline keyboard button URL … is invalid",
		`Bad Request: can't find "never closed`:                                                "Bad Request: can't find …",
		"(#131030) User's number +573001234567 isn't allowed (#100)":                           "(#131030) User's number +… isn't allowed (#100)",
	} {
		require.Equal(t, want, wire.Explanation(said))
	}
}
