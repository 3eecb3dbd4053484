package wire

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/knobot/knobot/services/channels"
)

// Get is Post with the method GET and without a body. Nothing is changed by it, so it may always be tried again.
func (c *Caller) Get(ctx context.Context, r Request) (Response, error) {
	request, err := newGet(ctx, r)
	if err != nil {
		return Response{}, err
	}
	var sent atomic.Bool
	return c.do(request, &sent, r.Secrets)
}

func newGet(ctx context.Context, r Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil { // its text quotes the address
		return nil, &channels.SendError{Class: channels.ClassRetry, Message: "the provider's address cannot be used"}
	}
	if request.Header = r.Header.Clone(); request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("User-Agent", userAgent)
	return request, nil
}
