// Package media takes customers' files in from their providers, keeps them, and keeps the files that are to be sent: the use
// cases around channels.StoredFile.
//
// A file is written before its row, so that no row is ever without its file, and a write is noted before it begins, so that a
// file without a row is found and removed. Memory does not grow with the size of a file.
package media

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// Store keeps what is known of the files.
type Store interface {
	// Media returns a stored file. Returns channels.ErrNotFound if there is none.
	Media(ctx context.Context, id string) (channels.MediaRecord, error)
	// FetchedMedia returns the file that is stored under a provider's id. Returns channels.ErrNotFound if there is none.
	FetchedMedia(ctx context.Context, integrationID, providerID string) (channels.MediaRecord, error)
	// BeginMedia notes that a file is about to be written under a key.
	BeginMedia(ctx context.Context, blobKey string) error
	// CommitMedia adds a file that was begun and written and returns it as stored: another one, if the same file of the provider
	// was there already.
	CommitMedia(ctx context.Context, m channels.MediaRecord) (channels.MediaRecord, error)
	// ReapMedia removes, with remove, one file whose write began longer than age ago and was never committed, and reports whether
	// there was one.
	ReapMedia(ctx context.Context, age time.Duration, remove func(ctx context.Context, blobKey string) error) (bool, error)
	// ExpireMedia removes, with remove, one received file that is older than its integration keeps them, or than keep where it does
	// not say, 0 for ever, and reports whether there was one.
	ExpireMedia(ctx context.Context, keep time.Duration, remove func(ctx context.Context, blobKey string) error) (bool, error)
}

// Bucket keeps the bytes. Its own errors are faults of kind Unavailable.
type Bucket interface {
	// Write puts what r gives under a key, all or nothing. An error of r is returned as it is.
	Write(ctx context.Context, key string, r io.Reader) error
	// Read opens what is under a key and returns its size. Returns channels.ErrNotFound if there is nothing.
	Read(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// Has reports whether something of a size is under a key.
	Has(ctx context.Context, key string, size int64) (bool, error)
	// Delete removes what is under a key; nothing there is no error.
	Delete(ctx context.Context, key string) error
}

// Providers makes calls to providers.
type Providers interface {
	// Call runs call with an integration that may speak. A *channels.SendError of call becomes a fault, and stops the integration
	// if it refuses its credentials; any other error is returned as it is.
	Call(ctx context.Context, integrationID string, call func(ctx context.Context, i channels.Integration) error) error
}

// Integrations knows the numbers and bots.
type Integrations interface {
	// Get returns one that is not deleted. Returns a fault if there is none.
	Get(ctx context.Context, id string) (channels.Integration, error)
}

const (
	// transferTimeout ends a fetch, which goes on when its caller has left: what was asked for once is asked for again.
	transferTimeout = 3 * time.Minute
	// transfers at a time bound memory and sockets: with S3 each holds up to two parts of 5 MiB.
	transfers = 8
	// abandonedAfter is longer than any write takes: a fetch ends after transferTimeout, and the server ends the connection of an
	// upload after some five minutes.
	abandonedAfter = time.Hour
	reapEach       = 10 * time.Minute
)

// Service keeps files.
type Service struct {
	store        Store
	bucket       Bucket
	providers    Providers
	integrations Integrations
	sources      map[channels.Platform]channels.MediaSource
	log          *zap.Logger

	fetches singleflight.Group
	slots   *semaphore.Weighted
	stopped context.Context //nolint:containedctx // ends what outlives its caller
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New returns a service that fetches from the given sources.
func New(
	store Store, bucket Bucket, p Providers, i Integrations, sources map[channels.Platform]channels.MediaSource, log *zap.Logger,
) *Service {
	s := &Service{
		store: store, bucket: bucket, providers: p, integrations: i, sources: sources, log: log,
		slots: semaphore.NewWeighted(transfers),
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s
}

// Close breaks off the fetches that nobody waits for any more and returns when they have ended. Close bucket and database
// after it.
func (s *Service) Close() {
	s.stop()
	s.running.Wait()
}

// Open opens a stored file. Returns a fault of kind NotFound if there is none. The caller closes the body.
func (s *Service) Open(ctx context.Context, id string) (channels.StoredFile, io.ReadCloser, error) {
	m, body, err := s.Read(ctx, id)
	return m.StoredFile, body, err
}

// Read is Open with all that is known of the file.
func (s *Service) Read(ctx context.Context, id string) (channels.MediaRecord, io.ReadCloser, error) {
	if uuid.Validate(id) != nil {
		return channels.MediaRecord{}, nil, notFound()
	}
	m, err := s.store.Media(ctx, id)
	if errors.Is(err, channels.ErrNotFound) {
		return m, nil, notFound()
	}
	if err != nil {
		return m, nil, err
	}
	body, err := s.body(ctx, m)
	if !errors.Is(err, channels.ErrNotFound) {
		return m, body, err
	}
	err = s.restore(ctx, m)
	if err == nil {
		body, err = s.body(ctx, m)
	}
	if err != nil && !fault.IsKind(err, fault.Unavailable) && !fault.IsKind(err, fault.Throttled) {
		err = notFound()
	}
	return m, body, err
}

// body opens the bytes of a file. Half a file, as a crashed machine may leave, is none: channels.ErrNotFound.
func (s *Service) body(ctx context.Context, m channels.MediaRecord) (io.ReadCloser, error) {
	body, size, err := s.bucket.Read(ctx, m.BlobKey)
	if err == nil && size != m.SizeBytes {
		_ = body.Close()
		return nil, channels.ErrNotFound
	}
	return body, err
}

// RunReaper removes files that no row knows, and received ones that are older than their integration keeps them, or than keep
// where it does not say, until ctx ends.
func (s *Service) RunReaper(ctx context.Context, keep time.Duration) error {
	ticker := time.NewTicker(reapEach)
	defer ticker.Stop()
	for {
		if err := errors.Join(s.reap(ctx), s.expire(ctx, keep)); err != nil && ctx.Err() == nil {
			s.log.Warn("media files not removed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (s *Service) reap(ctx context.Context) error {
	for {
		found, err := s.store.ReapMedia(ctx, abandonedAfter, s.bucket.Delete)
		if err != nil || !found {
			return err
		}
	}
}

func (s *Service) expire(ctx context.Context, keep time.Duration) error {
	for {
		found, err := s.store.ExpireMedia(ctx, keep, s.bucket.Delete)
		if err != nil || !found {
			return err
		}
	}
}

func notFound() error { return fault.New(fault.NotFound, "MEDIA_NOT_FOUND", "no such file") }
