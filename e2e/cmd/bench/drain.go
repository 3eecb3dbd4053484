package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// backlog is how many questions come in during the outage.
const backlog = 500

// benchDrain lets channels be away while customers ask, and measures how fast the backlog is answered once it is back, and how
// soon somebody new is.
func benchDrain(ctx context.Context, s *system.System, r *receiver, steady float64) error {
	s.Channels.Kill()
	if err := post(ctx, r, backlog); err != nil {
		return err
	}
	before := r.platform.sent()
	if err := s.Channels.Start(); err != nil {
		return err
	}
	if err := s.Channels.WaitServing(ctx); err != nil {
		return err
	}
	ready := time.Now()
	var first, last time.Time
	var newcomer exchange
	var asking sync.WaitGroup
	for deadline := time.Now().Add(2 * time.Minute); r.platform.sent()-before < backlog; {
		if first.IsZero() && r.platform.sent() > before {
			first = time.Now()
			asking.Go(func() { newcomer, _ = r.ask(ctx, http.DefaultClient, customers) })
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d questions of the backlog were answered", r.platform.sent()-before, backlog)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	last = time.Now()
	asking.Wait()
	rate := backlog / last.Sub(first).Seconds()
	fmt.Printf("After an outage of channels, %d questions waiting: first answer %s after it serves, then %.0f/s (%.2f of the steady rate); somebody new is answered after %s\n",
		backlog, first.Sub(ready).Round(time.Millisecond), rate, rate/steady, milliseconds(newcomer.answered))
	return nil
}

// post sends questions that nobody waits for.
func post(ctx context.Context, r *receiver, n int) error {
	const connections = 16
	work := make(chan int)
	failed := make(chan error, connections)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for i := range work {
				customer := fmt.Sprintf("5732%08d", i)
				body := system.WhatsAppText(r.phoneNumberID, customer, fmt.Sprintf("wamid.backlog.%d.%d", time.Now().UnixNano(), i), r.questions[i%len(r.questions)], time.Now())
				status, _, err := system.Post(ctx, http.DefaultClient, r.url, body, http.Header{"X-Hub-Signature-256": {system.Sign(r.secret, body)}})
				if err != nil || status != http.StatusOK {
					failed <- fmt.Errorf("status %d: %w", status, err)
					return
				}
			}
		})
	}
	var err error
	for i := range n {
		select {
		case work <- i:
		case err = <-failed:
		}
		if err != nil {
			break
		}
	}
	close(work)
	wg.Wait()
	select {
	case late := <-failed:
		err = errors.Join(err, late)
	default:
	}
	return err
}
