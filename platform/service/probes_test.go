package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// identity writes a certificate that is its own authority, and returns the environment that turns mutual TLS on with it.
func identity(t *testing.T) []string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	certificate := write("tls.crt", "CERTIFICATE", pair.Certificate[0])
	return []string{
		"KNOBOT_TLS_CERT_FILE=" + certificate, "KNOBOT_TLS_CA_FILE=" + certificate,
		"KNOBOT_TLS_KEY_FILE=" + write("tls.key", "PRIVATE KEY", key),
	}
}

func TestProbesNeedNoCertificate(t *testing.T) {
	t.Parallel()
	r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
		(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
		return s.Serve(ctx)
	}, append(identity(t), "KNOBOT_DRAIN=1m", "KNOBOT_HEALTH_ADDR=127.0.0.1:0")...).start()
	require.Empty(t, healthOf(t.Context(), r.conn(), ""), "the service's own listener wants a certificate")

	probes, err := grpc.NewClient(r.addr("health"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = probes.Close() })
	require.Equal(t, "SERVING", healthOf(t.Context(), probes, ""))
	require.Equal(t, codes.Unimplemented, status.Code(callUnary(t.Context(), probes)), "health and nothing else")
	_, err = tls.Dial("tcp", r.addr("health"), &tls.Config{MinVersion: tls.VersionTLS13})
	require.Error(t, err)

	r.signals <- syscall.SIGTERM
	require.Eventually(t, func() bool { return healthOf(t.Context(), probes, "") == "NOT_SERVING" }, eventually, tick)
	require.Equal(t, "SERVING", healthOf(t.Context(), probes, Liveness), "a drain is no reason for a restart")
}
