package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLS is the identity of a service in mutual TLS. A nil *TLS is plain text,
// which is for loopback.
type TLS struct {
	certFile, keyFile string
	authority         *x509.CertPool
}

// LoadTLS reads the three files. It returns nil if none is named and an error
// if only some are. The key pair is read again at every handshake, so that a
// renewed certificate needs no restart: connections live five minutes.
func LoadTLS(certFile, keyFile, caFile string) (*TLS, error) {
	if certFile == "" && keyFile == "" && caFile == "" {
		return nil, nil
	}
	if certFile == "" || keyFile == "" || caFile == "" {
		return nil, errors.New("certificate, key and CA come together: some of the three are not set")
	}
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		return nil, fmt.Errorf("certificate or key: %w", err)
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA: no certificate in %s", caFile)
	}
	return &TLS{certFile: certFile, keyFile: keyFile, authority: pool}, nil
}

// server asks every caller for a certificate of the same authority.
func (t *TLS) server() credentials.TransportCredentials {
	if t == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs:  t.authority,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return t.pair()
		},
	})
}

// client shows the service's certificate and checks the peer's name.
func (t *TLS) client() credentials.TransportCredentials {
	if t == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    t.authority,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return t.pair()
		},
	})
}

func (t *TLS) pair() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.certFile, t.keyFile)
	if err != nil {
		return nil, err
	}
	return &c, nil
}
