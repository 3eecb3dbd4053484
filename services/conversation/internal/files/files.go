// Package files has every file that a customer sends taken into our own store at once, because a provider gives it
// out for a limited time only. The queue is durable.
package files

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// Queue is where the fetches wait.
type Queue interface {
	// ClaimFetches leases what is due for these integrations, the longest due first.
	ClaimFetches(ctx context.Context, integrations []conversation.IntegrationID, limit int, lease time.Duration) ([]conversation.Fetch, error)
	// FetchDone stores where a file is now. It and the next two return conversation.ErrLeaseLost, storing nothing, if another
	// worker has the fetch.
	FetchDone(ctx context.Context, f conversation.Fetch, m conversation.StoredMedia) error
	// GiveUpFetch stores why a file cannot be had.
	GiveUpFetch(ctx context.Context, f conversation.Fetch, cause string) error
	// PutOffFetch makes a fetch due after the delay.
	PutOffFetch(ctx context.Context, f conversation.Fetch, delay time.Duration, failed bool) error
}

// Store takes files.
type Store interface {
	// Fetch takes a file from its provider, or returns a *conversation.PeerError.
	Fetch(ctx context.Context, integration conversation.IntegrationID, m conversation.Media) (conversation.StoredMedia, error)
}

// Integrations is what this service knows of them.
type Integrations interface {
	// Answering returns those that take part now; the fetches of others wait.
	Answering() []conversation.IntegrationID
}

const (
	// atOnce bounds the fetches of a process.
	atOnce = 8
	// pollEvery is how long a fetch waits at most that nobody announced: another process may have taken it in.
	pollEvery = 250 * time.Millisecond
	// lease is longer than a fetch may take.
	lease        = 90 * time.Second
	storeTimeout = 5 * time.Second
	// leastWait is how long a fetch is put off at least when a peer does not say.
	leastWait = time.Second
)

// Fetcher empties the queue.
type Fetcher struct {
	queue        Queue
	store        Store
	integrations Integrations
	log          *zap.Logger
	wake         chan struct{}
	busy         atomic.Int32
}

// NewFetcher returns a fetcher. Run starts it.
func NewFetcher(queue Queue, store Store, integrations Integrations, log *zap.Logger) *Fetcher {
	return &Fetcher{queue: queue, store: store, integrations: integrations, log: log, wake: make(chan struct{}, 1)}
}

// Wake makes the fetcher look for files at once.
func (f *Fetcher) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run fetches until ctx ends. What is under way then is handed back.
func (f *Fetcher) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var work sync.WaitGroup
	for ctx.Err() == nil {
		f.start(ctx, &work)
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-tick.C:
		}
	}
	work.Wait()
	return nil
}

// start claims as many fetches as there are hands free.
func (f *Fetcher) start(ctx context.Context, work *sync.WaitGroup) {
	free := atOnce - int(f.busy.Load())
	integrations := f.integrations.Answering()
	if free <= 0 || len(integrations) == 0 {
		return
	}
	claim, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	fetches, err := f.queue.ClaimFetches(claim, integrations, free, lease)
	if err != nil {
		return // the next look comes soon, and the metrics show that they wait
	}
	for _, next := range fetches {
		f.busy.Add(1)
		work.Go(func() {
			defer f.Wake()
			defer f.busy.Add(-1)
			f.take(ctx, next)
		})
	}
}

// take fetches one file and stores what became of it.
func (f *Fetcher) take(ctx context.Context, next conversation.Fetch) {
	m, err := f.store.Fetch(ctx, next.Integration, next.Media)
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	switch {
	case err == nil:
		err = f.queue.FetchDone(settle, next, m)
	case ctx.Err() != nil:
		err = f.queue.PutOffFetch(settle, next, 0, false)
	default:
		err = f.failed(settle, next, err)
	}
	if err != nil && !errors.Is(err, conversation.ErrLeaseLost) { // the lease ends, and it is tried again
		f.log.Warn("the outcome of a fetch could not be stored", zap.String("message", string(next.Message)), zap.Error(err))
	}
}

// failed does what the failure of channels means for a fetch.
func (f *Fetcher) failed(ctx context.Context, next conversation.Fetch, err error) error {
	var p *conversation.PeerError
	if !errors.As(err, &p) {
		p = &conversation.PeerError{Reason: "INTERNAL", Cause: err}
	}
	failures := next.Failures + 1
	switch {
	case p.Verdict == conversation.Wait || p.Verdict == conversation.Away:
		return f.queue.PutOffFetch(ctx, next, max(p.RetryAfter, leastWait), false)
	case p.Verdict == conversation.Retry && failures < conversation.MaxFetches:
		return f.queue.PutOffFetch(ctx, next, max(conversation.Backoff(failures), p.RetryAfter), true)
	}
	f.log.Warn("a file cannot be had", zap.String("message", string(next.Message)), zap.String("integration", string(next.Integration)),
		zap.String("reason", p.Reason), zap.Int("failures", failures))
	return f.queue.GiveUpFetch(ctx, next, p.Reason)
}
