// Package erasure removes what is kept of a customer, files and their bytes included.
package erasure

import (
	"context"

	"github.com/knobot/knobot/services/channels"
)

// Store is what customers left traces in.
type Store interface {
	// ForgetDeliveries removes deliveries, pauses and quotas, and keeps the files that are just being fetched from being stored.
	ForgetDeliveries(ctx context.Context, t channels.Traces) error
	// ForgetMedia removes one of the files, with remove, and reports whether there was one.
	ForgetMedia(ctx context.Context, t channels.Traces, remove func(ctx context.Context, blobKey string) error) (bool, error)
}

// Bucket keeps the bytes of files. Its own errors are faults of kind Unavailable.
type Bucket interface {
	// Delete removes what is under a key; nothing there is no error.
	Delete(ctx context.Context, key string) error
}

// Eraser removes.
type Eraser struct {
	store  Store
	bucket Bucket
}

// New returns an eraser.
func New(store Store, bucket Bucket) *Eraser { return &Eraser{store: store, bucket: bucket} }

// Forget removes what is kept of a customer. It may be repeated. Returns a fault of kind Unavailable if a file could not be
// removed; then its row stays, so that the next call finds it.
func (e *Eraser) Forget(ctx context.Context, t channels.Traces) error {
	if err := e.store.ForgetDeliveries(ctx, t); err != nil {
		return err
	}
	for {
		if found, err := e.store.ForgetMedia(ctx, t, e.bucket.Delete); err != nil || !found {
			return err
		}
	}
}
