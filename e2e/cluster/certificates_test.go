package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority issues certificates as cert-manager would.
type authority struct {
	*testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	folder      string
}

func newAuthority(t *testing.T, folder string) *authority {
	t.Helper()
	a := &authority{T: t, folder: folder}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "knobot"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key, a.certificate = a.sign(template, nil, nil)
	a.write("ca.crt", "CERTIFICATE", a.certificate.Raw)
	return a
}

// issue writes the certificate of a service and its key, and returns their paths.
func (a *authority) issue(service string) (certificate, key string) {
	a.Helper()
	private, made := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: service}, DNSNames: []string{service},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, a.key)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(a, err)
	return a.write(service+".crt", "CERTIFICATE", made.Raw), a.write(service+".key", "EC PRIVATE KEY", raw)
}

// sign makes a key and its certificate; without a parent it signs itself.
func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a, err)
	if parent == nil {
		parent, by = template, key
	}
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(a, err)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	require.NoError(a, err)
	certificate, err := x509.ParseCertificate(raw)
	require.NoError(a, err)
	return key, certificate
}

func (a *authority) write(name, kind string, raw []byte) string {
	a.Helper()
	file := filepath.Join(a.folder, name)
	require.NoError(a, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600))
	return file
}
