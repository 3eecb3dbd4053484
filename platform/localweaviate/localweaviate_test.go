package localweaviate

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if _, err := Binary(); err != nil && o.Binary == "" {
		t.Skip(err)
	}
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// call sends a request with the given key and returns the status and body.
func call(t *testing.T, s *Server, key, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.HTTPURL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(raw)
}

func TestServerKeepsOthersOut(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	code, _ := call(t, s, "", http.MethodGet, "/v1/schema", "")
	require.Equal(t, http.StatusUnauthorized, code)
	code, _ = call(t, s, "wrong", http.MethodGet, "/v1/schema", "")
	require.Equal(t, http.StatusUnauthorized, code)
	code, body := call(t, s, s.APIKey.Reveal(), http.MethodGet, "/v1/meta", "")
	require.Equal(t, http.StatusOK, code)
	var meta struct{ Version string }
	require.NoError(t, json.Unmarshal([]byte(body), &meta))
	require.NotEmpty(t, meta.Version)

	conn, err := net.Dial("tcp", s.GRPCAddr)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func TestRootGetsANamespace(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	s := start(t, Options{})
	if !s.host.isolated {
		t.Skip("root may not make network namespaces here")
	}
	_, err := net.Dial("tcp", loopback(insidePorts().raft))
	require.Error(t, err, "the cluster's ports are not on the machine")
	conn, err := s.host.dial(t.Context(), loopback(insidePorts().raft))
	require.NoError(t, err, "but inside")
	require.NoError(t, conn.Close())
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Options{Dir: dir, APIKey: "the key"})
	code, body := call(t, first, "the key", http.MethodPost, "/v1/schema", `{"class":"Kept"}`)
	require.Equal(t, http.StatusOK, code, body)
	first.Stop()
	<-first.Done()

	second := start(t, Options{Dir: dir, APIKey: "another key"})
	code, body = call(t, second, "another key", http.MethodGet, "/v1/schema/Kept", "")
	require.Equal(t, http.StatusOK, code, body)
}

func TestWithoutNamespaceTheKeyStillProtects(t *testing.T) {
	t.Parallel()
	s := start(t, Options{direct: true})
	require.False(t, s.host.isolated)
	code, _ := call(t, s, "", http.MethodGet, "/v1/schema", "")
	require.Equal(t, http.StatusUnauthorized, code)
	code, _ = call(t, s, s.APIKey.Reveal(), http.MethodGet, "/v1/schema", "")
	require.Equal(t, http.StatusOK, code)
}

func TestFreePortsAreNoneThatTheKernelGivesAway(t *testing.T) {
	t.Parallel()
	for range 20 {
		p, err := freePorts(t.Context(), Options{})
		require.NoError(t, err)
		for _, port := range []int{p.http, p.grpc, p.gossip, p.data, p.raft, p.raftRPC} {
			require.Less(t, port, 32768, "the first port for outgoing connections")
		}
		require.NotEqual(t, p.http, p.grpc)
	}
}

func TestGivenPortsAreUsed(t *testing.T) {
	t.Parallel()
	free, err := freePorts(t.Context(), Options{})
	require.NoError(t, err)
	s := start(t, Options{HTTPPort: free.http, GRPCPort: free.grpc})
	require.Equal(t, "http://"+loopback(free.http), s.HTTPURL)
	require.Equal(t, loopback(free.grpc), s.GRPCAddr)
}

func TestAProgramThatFailsIsReportedWithItsWords(t *testing.T) {
	t.Parallel()
	script := t.TempDir() + "/server"
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho no space left >&2\nexit 1\n"), 0o700))
	_, err := Start(t.Context(), Options{Binary: script})
	require.ErrorContains(t, err, "it ended at once")
	require.ErrorContains(t, err, "no space left")
}

func TestMissingNamespaceIsSaid(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	h, err := newHost(Options{Logger: zap.New(core)})
	require.NoError(t, err)
	defer h.thread.Close()
	require.Equal(t, !h.isolated, logs.Len() == 1)
}

func TestEnvironmentHasNothingOfOurs(t *testing.T) {
	t.Setenv("KNOBOT_LLM_API_KEY", "hunter2")
	t.Setenv("ENABLE_MODULES", "text2vec-openai")
	all := strings.Join(environment(Options{APIKey: "k", Dir: "/d"}, insidePorts()), "\n")
	require.NotContains(t, all, "hunter2")
	require.NotContains(t, all, "text2vec")
	require.Contains(t, all, "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED=false")
}

func TestForwarderEndsItsConnections(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp4", loopback(0))
	require.NoError(t, err)
	defer func() { _ = echo.Close() }()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	dial := func(ctx context.Context, addr string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp4", addr)
	}
	f, err := forward(t.Context(), loopback(0), echo.Addr().String(), dial)
	require.NoError(t, err)

	half, err := net.Dial("tcp4", f.addr())
	require.NoError(t, err)
	_, err = half.Write([]byte("hola"))
	require.NoError(t, err)
	require.NoError(t, half.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(half)
	require.NoError(t, err)
	require.Equal(t, "hola", string(got), "the answer comes after our half is closed")

	open, err := net.Dial("tcp4", f.addr())
	require.NoError(t, err)
	_, err = open.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(open, make([]byte, 1))
	require.NoError(t, err)
	f.close()
	_, err = io.ReadAll(open)
	_ = err // reset or end: it returned
}
