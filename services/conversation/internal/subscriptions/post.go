package subscriptions

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/knobot/knobot/platform/publicnet"
	"github.com/knobot/knobot/services/conversation"
)

const (
	// postTimeout bounds a try (Standard Webhooks recommends 15 to 30 s).
	postTimeout = 15 * time.Second
	dialTimeout = 5 * time.Second
	// maxResponse is how much of a response is read: nobody looks at it, but the connection can be used again.
	maxResponse = 4 << 10
	// maxRetryAfter is how far a subscriber may put us off.
	maxRetryAfter = 4 * time.Hour
)

// Addresses says where may be posted to.
type Addresses struct {
	// AllowPrivate allows http and networks that are not public.
	AllowPrivate bool
}

var errAddress = errors.New("the address cannot be posted to")

// check parses an address. Its error is silent about it: subscribers may put a token into it.
func (a Addresses) check(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > conversation.MaxSubscriptionURL || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.Fragment != "":
		return errAddress
	case u.Scheme == "https" || u.Scheme == "http" && a.AllowPrivate:
		return nil
	default:
		return errAddress
	}
}

// poster posts to subscribers.
type poster struct {
	addresses Addresses
	client    *http.Client
}

// newPoster uses no proxy, which would dial in our place, and follows no redirects, which could lead anywhere.
func newPoster(a Addresses) *poster {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if !a.AllowPrivate {
		dialer.Control = publicnet.Control
	}
	return &poster{addresses: a, client: &http.Client{
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: 16 << 10, MaxIdleConns: 20,
			IdleConnTimeout: 30 * time.Second, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}}
}

// response is what a subscriber said.
type response struct {
	status     int
	retryAfter time.Duration
}

// post posts a body, signed with each of the secrets.
func (p *poster) post(ctx context.Context, address, id string, body []byte, secrets []string) (response, error) {
	if err := p.addresses.check(address); err != nil {
		return response{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return response{}, errAddress
	}
	if err := sign(r.Header, id, time.Now(), body, secrets); err != nil {
		return response{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "KnoBot-Webhooks/1")
	got, err := p.client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = got.Body.Close() }()
	_, _ = io.CopyN(io.Discard, got.Body, maxResponse)
	return response{status: got.StatusCode, retryAfter: retryAfter(got.Header.Get("Retry-After"), time.Now())}, nil
}

// sign sets the three headers of Standard Webhooks.
func sign(h http.Header, id string, now time.Time, body []byte, secrets []string) error {
	var signatures []string
	for _, secret := range secrets {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return errSecret // the library's error may quote it
		}
		s, err := w.Sign(id, now, body)
		if err != nil {
			return errSecret
		}
		signatures = append(signatures, s)
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

var errSecret = errors.New("the secret cannot be read")

// retryAfter reads the header in both of its forms.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return min(time.Duration(min(seconds, int(maxRetryAfter/time.Second)))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// reason is a stable word for why a try failed. An error of net/http quotes the address, so it goes nowhere.
func reason(r response, err error) string {
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return fmt.Sprintf("STATUS_%d", r.status)
	case errors.Is(err, errAddress), errors.Is(err, publicnet.ErrInward):
		return "ADDRESS_FORBIDDEN"
	case errors.Is(err, errSecret):
		return "SECRET_UNREADABLE"
	case errors.As(err, &certificate):
		return "CERTIFICATE_INVALID"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "TIMEOUT"
	case errors.As(err, &name):
		return "NAME_UNKNOWN"
	default:
		return "CONNECTION_FAILED"
	}
}
