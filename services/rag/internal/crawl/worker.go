package crawl

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

const (
	// workers is how many sources a process refreshes at the same time.
	workers = 2
	// lease is how long a source stays with a worker that shows no sign of life.
	lease = time.Minute
	// poll is how often sources that are due are looked for.
	poll = 5 * time.Second
	// retry is the longest pause after a refresh that failed as a whole.
	retry = 15 * time.Minute
	// maxPages bounds a source.
	maxPages = 500
)

// Run refreshes sources that are due, until ctx ends; another process, or the next start, goes on with what is under way.
func (c *Crawler) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { c.loop(ctx) })
	}
	all.Wait()
	return nil
}

func (c *Crawler) loop(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := c.Next(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Warn("sources cannot be refreshed now", zap.Error(err))
		}
		if worked && err == nil {
			continue
		}
		timer := time.NewTimer(poll)
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Next refreshes the source that is due for longest, if there is one.
func (c *Crawler) Next(ctx context.Context) (worked bool, err error) {
	crawl, found, err := c.store.ClaimSource(ctx, lease)
	if err != nil || !found {
		return false, err
	}
	if err = c.refresh(ctx, crawl); errors.Is(err, postgres.ErrLeaseLost) {
		err = nil // deleted, or another worker's
	}
	return true, err
}

func (c *Crawler) refresh(ctx context.Context, crawl rag.Crawl) error {
	held, cancel := context.WithCancelCause(ctx)
	var holding sync.WaitGroup
	holding.Go(func() { c.hold(held, crawl, cancel) })
	defer holding.Wait()
	defer cancel(nil)
	err := c.pages(held, crawl)
	if cause := context.Cause(held); errors.Is(cause, postgres.ErrLeaseLost) {
		return cause
	}
	if ctx.Err() != nil {
		giving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return c.store.ReleaseSource(giving, crawl)
	}
	return c.finish(ctx, crawl, err)
}

// finish records how a refresh went. One that failed as a whole is tried again sooner.
func (c *Crawler) finish(ctx context.Context, crawl rag.Crawl, err error) error {
	if errors.Is(err, postgres.ErrLeaseLost) {
		return err
	}
	pause := crawl.Interval
	if err != nil {
		c.log.Info("source not refreshed as a whole", zap.String("source", string(crawl.ID)), zap.String("reason", fault.ReasonOf(err)))
		if fault.KindOf(err) == fault.Unavailable {
			pause = min(pause, retry)
		}
	}
	return c.store.FinishSource(ctx, crawl, fault.ReasonOf(err), fault.MessageOf(err), pause)
}

// hold renews the lease until ctx ends, and cancels the work once it is lost.
func (c *Crawler) hold(ctx context.Context, crawl rag.Crawl, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(lease / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := c.store.RenewSource(ctx, crawl, lease); errors.Is(err, postgres.ErrLeaseLost) {
				cancel(err)
				return
			}
		}
	}
}
