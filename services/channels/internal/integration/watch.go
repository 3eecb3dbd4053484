package integration

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// pollEvery is how often a watch looks for changes. It reads one row of one column when there are none, and asking the
// database lets any replica serve any watch.
const pollEvery = 300 * time.Millisecond

// Watch calls emit with everything there is and the revision that this is, then with what changes, until ctx ends, draining
// is closed (a fault of kind Unavailable: watch another replica) or emit fails. A purged integration has its PurgeTime set.
func (s *Service) Watch(
	ctx context.Context, draining <-chan struct{}, emit func(changed []channels.Integration, revision int64) error,
) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	if err := wait(ctx, s.seeded, draining); err != nil {
		return err
	}
	var revision int64
	for {
		changed, reached, err := s.store.Since(ctx, revision)
		switch {
		case err != nil && revision == 0:
			return err
		case err != nil:
			// The watcher keeps what it has; it serves better with that than with nothing.
			s.log.Warn("watch could not look for changes", zap.Error(err))
		case reached != revision:
			if err := emit(changed, reached); err != nil {
				return err
			}
			revision = reached
		}
		if err := wait(ctx, ticker.C, draining); err != nil {
			return err
		}
	}
}

// wait returns nil when next comes, and an error when the watch is to end.
func wait[T any](ctx context.Context, next <-chan T, draining <-chan struct{}) error {
	select {
	case <-next:
		return nil
	case <-draining:
		return fault.New(fault.Unavailable, "DRAINING", "this server is going away")
	case <-ctx.Done():
		return ctx.Err()
	}
}
