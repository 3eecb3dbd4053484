// Package erasure removes what is kept of a customer.
package erasure

import (
	"context"
	"strings"

	"github.com/knobot/knobot/platform/fault"
)

// Store is what customers left traces in.
type Store interface {
	// Forget removes what is kept under a customer's key, and the feedback on these answers.
	Forget(ctx context.Context, customerKey string, requests []string) error
}

const (
	// maxKey bounds a customer's key and the name of an answer, in bytes.
	maxKey = 256
	// maxRequests is how many answers one call may name.
	maxRequests = 1000
)

// Eraser removes.
type Eraser struct{ store Store }

// New returns an eraser over a store.
func New(store Store) *Eraser { return &Eraser{store: store} }

// Forget removes what is kept of a customer. It may be repeated. Returns Invalid without a key, and for what cannot be one.
func (e *Eraser) Forget(ctx context.Context, customerKey string, requests []string) error {
	if customerKey == "" || !isKey(customerKey) {
		return fault.Newf(fault.Invalid, "CUSTOMER_KEY", "customer_key must be 1 to %d printable ASCII characters", maxKey)
	}
	if len(requests) > maxRequests {
		return fault.Newf(fault.Invalid, "REQUEST_IDS", "request_ids must be at most %d", maxRequests)
	}
	for _, r := range requests {
		if !isKey(r) {
			return fault.Newf(fault.Invalid, "REQUEST_IDS", "each of request_ids must be at most %d printable ASCII characters", maxKey)
		}
	}
	return e.store.Forget(ctx, customerKey, requests)
}

func isKey(s string) bool {
	return len(s) <= maxKey && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
