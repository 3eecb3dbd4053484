package rpc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key, writePEM(t, "CERTIFICATE", der)}
}

// issue returns a service's identity, signed by a.
func (a *authority) issue(t *testing.T) *TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "service"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	identity, err := LoadTLS(writePEM(t, "CERTIFICATE", der), writePEM(t, "EC PRIVATE KEY", keyDER), a.file)
	require.NoError(t, err)
	return identity
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	b := setup(t, handler{check: func(context.Context) error { return nil }}, WithTLS(ours.issue(t)))
	require.NoError(t, b.check(t.Context()), "peers of one authority talk")

	for name, identity := range map[string]*TLS{"plain text": nil, "another authority": theirs.issue(t)} {
		conn, err := Dial(b.addr, WithTLS(identity))
		require.NoError(t, err)
		_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Error(t, err, name)
		require.NoError(t, conn.Close())
	}
}

func TestLoadTLS(t *testing.T) {
	t.Parallel()
	none, err := LoadTLS("", "", "")
	require.NoError(t, err)
	require.Nil(t, none)

	_, err = LoadTLS("cert.pem", "", "")
	require.ErrorContains(t, err, "come together")
	_, err = LoadTLS("nowhere.pem", "nowhere.pem", "nowhere.pem")
	require.ErrorContains(t, err, "certificate or key")

	good := newAuthority(t).issue(t)
	_, err = LoadTLS(good.certFile, good.keyFile, good.keyFile)
	require.ErrorContains(t, err, "no certificate in")
}
