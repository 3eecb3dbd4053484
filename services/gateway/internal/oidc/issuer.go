package oidc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
)

const (
	requestTimeout = 5 * time.Second
	// maxAnswer bounds what is read of the issuer's documents.
	maxAnswer = 1 << 20
	// A token that names an unknown key has the issuer asked for its keys. Strangers make as many of those as they like.
	fetchEach  = 2 * time.Second
	fetchBurst = 10
)

// issuer is where tokens come from.
type issuer struct {
	url    string
	client *http.Client
	// state is taken by who asks the issuer, so that one call does and the others wait for it.
	state chan discovery
}

// discovery is what is known of an issuer.
type discovery struct {
	keys   oidc.KeySet
	err    error
	failed time.Time
}

func newIssuer(url string) *issuer {
	i := &issuer{url: url, state: make(chan discovery, 1), client: &http.Client{
		Timeout: requestTimeout, Transport: &bounded{http.DefaultTransport, rate.NewLimiter(rate.Every(fetchEach), fetchBurst)},
	}}
	i.state <- discovery{}
	return i
}

// keys returns the issuer's keys, which fetch themselves, once its documents could be read.
func (i *issuer) keys(ctx context.Context) (oidc.KeySet, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case d := <-i.state:
		if d.keys == nil && time.Since(d.failed) > pause {
			d.keys, d.err = i.discover(ctx)
			d.failed = time.Now()
		}
		i.state <- d
		return d.keys, d.err
	}
}

func (i *issuer) discover(ctx context.Context) (oidc.KeySet, error) {
	// The first caller to come must not take the others' chance away by leaving.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), i.client)
	p, err := oidc.NewProvider(ctx, i.url)
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err := p.Claims(&document); err != nil {
		return nil, err
	}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), i.client), document.Keys), nil
}

// errTooOften is what happens to a request that strangers may have caused.
var errTooOften = errors.New("the issuer was asked too often")

// bounded bounds how often the issuer is asked and how much is read of its answer.
type bounded struct {
	next  http.RoundTripper
	limit *rate.Limiter
}

// RoundTrip sends a request.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !b.limit.Allow() {
		return nil, errTooOften
	}
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}
