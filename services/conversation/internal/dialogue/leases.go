package dialogue

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// leases gives signs of life for all turns that a worker holds, in one statement.
type leases struct {
	mailbox conversation.Mailbox
	lease   time.Duration
	log     *zap.Logger

	mu   sync.Mutex
	held map[conversation.Lease]context.CancelCauseFunc
}

func newLeases(mailbox conversation.Mailbox, lease time.Duration, log *zap.Logger) *leases {
	return &leases{mailbox: mailbox, lease: lease, log: log, held: map[conversation.Lease]context.CancelCauseFunc{}}
}

// hold returns a context that ends when the lease is lost, and what to call when it is given back.
func (l *leases) hold(ctx context.Context, t conversation.Turn) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.mu.Lock()
	l.held[t.Lease] = cancel
	l.mu.Unlock()
	return ctx, func() {
		l.mu.Lock()
		delete(l.held, t.Lease)
		l.mu.Unlock()
		cancel(nil)
	}
}

// keep prolongs the leases three times in their length: two signs may get lost.
func (l *leases) keep(ctx context.Context) {
	tick := time.NewTicker(max(l.lease/3, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.extend(ctx)
		}
	}
}

func (l *leases) extend(ctx context.Context) {
	l.mu.Lock()
	held := make([]conversation.Lease, 0, len(l.held))
	for lease := range l.held {
		held = append(held, lease)
	}
	l.mu.Unlock()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	lost, err := l.mailbox.Extend(ctx, l.lease, held)
	if err != nil { // the database is away: nobody else can claim either
		l.log.Warn("leases could not be prolonged", zap.Error(err))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lease := range lost {
		if cancel, ok := l.held[lease]; ok { // else it was given back meanwhile
			cancel(conversation.ErrLeaseLost)
		}
	}
}
