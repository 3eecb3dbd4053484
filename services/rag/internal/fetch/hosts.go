package fetch

import (
	"context"
	"sync"
	"time"
)

// maxHosts bounds how many hosts are remembered.
const maxHosts = 10_000

// hosts gives every host its pause between two requests of this process.
type hosts struct {
	pause time.Duration

	mu   sync.Mutex
	next map[string]time.Time
}

func newHosts(pause time.Duration) *hosts { return &hosts{pause: pause, next: map[string]time.Time{}} }

// wait returns when it is our turn, for a host that asks for at least this delay.
func (h *hosts) wait(ctx context.Context, host string, delay time.Duration) error {
	timer := time.NewTimer(h.reserve(host, max(delay, h.pause)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve takes the host's next turn and returns how far away it is.
func (h *hosts) reserve(host string, pause time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if len(h.next) >= maxHosts {
		for name, next := range h.next {
			if next.Before(now) {
				delete(h.next, name)
			}
		}
	}
	turn := h.next[host]
	if turn.Before(now) {
		turn = now
	}
	h.next[host] = turn.Add(pause)
	return turn.Sub(now)
}
