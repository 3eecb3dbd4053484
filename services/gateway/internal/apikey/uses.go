package apikey

import (
	"context"
	"time"

	"go.uber.org/zap"

	gateway "github.com/knobot/knobot/services/gateway"
)

const (
	// useEach is how exactly the last use of a key is known.
	useEach = time.Minute
	// useTimeout bounds one write.
	useTimeout = 5 * time.Second
	// usesWaiting bounds the writes that wait. What does not find room is noted with a later call.
	usesWaiting = 64
)

// uses hands the uses of keys to a writer beside the calls.
type uses struct{ waiting chan use }

type use struct {
	id string
	at time.Time
}

func newUses() *uses { return &uses{waiting: make(chan use, usesWaiting)} }

// note has a use written unless the row knows one of the last minute. It never waits.
func (u *uses) note(k gateway.APIKey, at time.Time) {
	if at.Sub(k.LastUseTime) < useEach {
		return
	}
	select {
	case u.waiting <- use{k.ID, at}:
	default:
	}
}

// RunUses writes down when keys were last used, until ctx ends.
func (s *Service) RunUses(ctx context.Context, log *zap.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case u := <-s.uses.waiting:
			if err := s.writeUse(ctx, u); err != nil && ctx.Err() == nil {
				log.Warn("the use of a key was not noted", zap.String("key", u.id), zap.Error(err))
			}
		}
	}
}

func (s *Service) writeUse(ctx context.Context, u use) error {
	ctx, cancel := context.WithTimeout(ctx, useTimeout)
	defer cancel()
	return s.store.UseKey(ctx, u.id, u.at)
}
