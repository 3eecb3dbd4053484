package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
)

// killedServices kills services with SIGKILL under load, first each in turn, then any at random moments, and starts each again
// at once.
func killedServices(c *stage) {
	c.open(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	kills := size(5, 108)
	c.during(crowd.Plan{Customers: size(20, 60), Every: size(50*time.Millisecond, 40*time.Millisecond)}, func(ctx context.Context) error {
		for n := range kills {
			victim := c.Services()[n%4]
			if n >= 8 {
				victim = c.Services()[rand.IntN(4)]
			}
			// A further few answers show that the system is back to work, then a random moment is as good as any.
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10); err != nil {
				return fmt.Errorf("before kill %d: %w", n, err)
			}
			if err := pause(ctx, rand.N(time.Second)); err != nil {
				return err
			}
			if err := kill(ctx, victim); err != nil {
				return err
			}
		}
		return nil
	})
	r := c.close(fmt.Sprintf("kills %d", kills))
	require.Zero(c, r.Dead, "no innocent turn dies of a crash")
}

// kill kills a program and starts it again.
func kill(ctx context.Context, p *system.Program) error {
	p.Kill()
	if err := p.Start(); err != nil {
		return err
	}
	return p.WaitServing(ctx)
}

// pause lets time pass that the case is about: how long something is away, or a random moment.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
