package faults

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/replica"
	"github.com/knobot/knobot/e2e/internal/system"
)

// twinHost is where the second replica of each service listens.
const twinHost = "127.0.0.2"

// pair is two replicas of a service.
type pair [2]*system.Program

// openTwice starts a system with two replicas of each service, found as in a cluster: gRPC by names that resolve to those that
// are ready, webhooks through a proxy before the gateways that are ready.
func (c *stage) openTwice(o set) map[string]pair {
	c.Helper()
	sets := map[string]*replica.Set{"conversation": {}, "rag": {}, "channels": {}}
	names := replica.StartNames(c.T, sets)
	gateways := &replica.Set{}
	edge := replica.StartEdge(c.T, gateways)
	firstEdge := ""
	o.through = func(to, address string) string {
		switch to {
		case "conversation", "rag", "channels":
			_, port, _ := net.SplitHostPort(address)
			sets[to].Follow(c.T, address, "127.0.0.1")
			sets[to].Follow(c.T, net.JoinHostPort(twinHost, port), twinHost)
			return names.Target(to, port)
		case system.Webhooks:
			firstEdge = address
			return edge
		}
		return address
	}
	if o.env == nil {
		o.env = map[string]string{}
	}
	o.env["KNOBOT_DRAIN"] = "3s" // as by default: so long may it take until nobody calls a replica that is not ready any more
	pairs := map[string]pair{}
	c.openWith(o, func() {
		for _, p := range c.Services() {
			twin, err := c.Twin(p, twinHost)
			require.NoError(c, err)
			require.NoError(c, twin.Start())
			pairs[p.Name] = pair{p, twin}
		}
		u, err := url.Parse(firstEdge)
		require.NoError(c, err)
		gateways.Follow(c.T, c.Gateway.Address, firstEdge)
		gateways.Follow(c.T, pairs["gateway"][1].Address, "http://"+net.JoinHostPort(twinHost, u.Port()))
		for _, p := range pairs {
			require.NoError(c, p[1].WaitServing(c.ctx))
		}
		require.Eventually(c, func() bool { return len(gateways.Ready()) == 2 }, 30*time.Second, 10*time.Millisecond)
	})
	return pairs
}

// rollingRestarts stops every replica with SIGTERM, one after the other, while its twin goes on: nobody may notice.
func rollingRestarts(c *stage) {
	pairs := c.openTwice(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	rounds, restarts := size(1, 4), 0
	c.during(crowd.Plan{Customers: 40, Every: size(50*time.Millisecond, 40*time.Millisecond)}, func(ctx context.Context) error {
		for range rounds {
			for _, name := range []string{"channels", "rag", "conversation", "gateway"} {
				for _, p := range pairs[name] {
					if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10); err != nil {
						return err
					}
					p.Stop()
					if err := p.Start(); err != nil {
						return err
					}
					if err := p.WaitServing(ctx); err != nil {
						return err
					}
					restarts++
				}
			}
		}
		return nil
	})
	r := c.close(fmt.Sprintf("restarts %d", restarts))
	require.Zero(c, r.Refused, "no webhook is refused")
	require.Zero(c, r.Repeated, "nothing is sent twice")
	require.Zero(c, r.Dead)
}
