package toxic_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/toxic"
)

// get asks over a connection of its own.
func get(address string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	response, err := client.Get("http://" + address)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func TestLink(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	t.Cleanup(server.Close)
	for name, trouble := range map[string]func(l *toxic.Link) error{
		"Cut":      func(l *toxic.Link) error { l.Cut(); return nil },
		"Swallow":  (*toxic.Link).Swallow,
		"Delay":    func(l *toxic.Link) error { return l.Delay(time.Minute) },
		"LeadTo":   func(l *toxic.Link) error { return l.LeadTo("127.0.0.1:1") },
		"CutAfter": func(l *toxic.Link) error { return l.CutAfter(500) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := toxic.New(t, server.Listener.Addr().String())
			for range 2 {
				text, err := get(l.Address)
				require.NoError(t, err)
				require.Len(t, text, 1000)
				require.NoError(t, trouble(l))
				_, err = get(l.Address)
				require.Error(t, err)
				require.NoError(t, l.Mend())
			}
			_, err := get(l.Address)
			require.NoError(t, err)
		})
	}
}

func TestSocketIsReachedOverTCP(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hola")
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	text, err := get(toxic.Socket(t, path))
	require.NoError(t, err)
	require.Equal(t, "hola", text)
}
