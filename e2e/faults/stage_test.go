package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/audit"
	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
)

// stage is a running system with customers and a model, on which one case plays.
type stage struct {
	*testing.T
	*system.System
	name  string
	ctx   context.Context // of the whole case
	began time.Time
	model *model.Server
	crowd *crowd.Crowd
}

// caseTimeout is when a case is given up.
const caseTimeout = 20 * time.Minute

func newStage(t *testing.T, name string) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	t.Cleanup(cancel)
	return &stage{T: t, name: name, ctx: ctx, began: time.Now(), model: model.Start(t)}
}

// set is how a system is set up that a case plays on.
type set struct {
	stores  *system.Stores // nil: the shared ones
	env     map[string]string
	through func(to, address string) string
	// database is the name of one that exists already; empty for a new one.
	database string
	// documents keeps retrieval on; else every question reaches the model.
	documents bool
}

// open starts the system and gathers the customers. Providers redeliver soon, a lease is short, and the doubt about a send too.
func (c *stage) open(o set) {
	c.Helper()
	c.openWith(o, func() {})
}

// openWith does something between the start and the first customer.
func (c *stage) openWith(o set, more func()) {
	c.Helper()
	if o.stores == nil {
		o.stores = stores
	}
	env := c.model.Environment()
	maps.Copy(env, map[string]string{
		"KNOBOT_LEASE": "3s", "KNOBOT_ECHO_WAIT": "5s", "KNOBOT_TELEGRAM_RATE": "1000", "KNOBOT_WHATSAPP_RATE": "1000",
		"KNOBOT_CUSTOMER_HOURLY_LIMIT": "0", "KNOBOT_CUSTOMER_DAILY_LIMIT": "0",
	}) // few customers stand for many
	maps.Copy(env, o.env)
	s, err := system.Start(c.ctx, o.stores, system.Options{Database: o.database, Env: env, Through: o.through})
	require.NoError(c, err)
	c.System = s
	c.Cleanup(func() {
		s.Stop()
		if c.Failed() {
			c.keepLogs()
		}
	})
	more()
	settings, err := s.Simulator.Settings(c.ctx)
	require.NoError(c, err)
	settings.RetryScale = 0.1
	require.NoError(c, s.Simulator.ChangeSettings(c.ctx, settings))
	if !o.documents {
		model.UseOnly(c.T, s, c.model)
	}
	c.crowd, err = crowd.Gather(c.ctx, s.Simulator, s.Conn(s.Conversation))
	require.NoError(c, err)
}

// keepLogs writes what the programs printed into a file: it is too much for a terminal.
func (c *stage) keepLogs() {
	file, err := os.CreateTemp("", "knobot-faults-"+c.name+"-*.log")
	if err != nil {
		c.Log(err)
		return
	}
	_, err = file.WriteString(c.Logs())
	c.Log("logs are in", file.Name(), errors.Join(err, file.Close()))
}

// size chooses by the form in which the suite runs.
func size[T any](short, full T) T {
	if *long {
		return full
	}
	return short
}

// during has customers write as planned while something happens to the system, and returns when both are over. A plan without
// end goes on until the trouble is over.
func (c *stage) during(p crowd.Plan, trouble func(ctx context.Context) error) {
	c.Helper()
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	wrote := make(chan error, 1)
	go func() { wrote <- c.crowd.Write(ctx, p) }()
	err := trouble(ctx)
	if p.Questions == 0 || err != nil {
		stop()
	}
	require.NoError(c, err)
	require.NoError(c, <-wrote)
}

// close waits until nothing goes on any more, accounts for every message, prints the figures and fails if one was lost, came
// twice without a mark, out of order or to somebody else.
func (c *stage) close(figures string) audit.Report {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, size(2*time.Minute, 4*time.Minute))
	defer cancel()
	settled := c.crowd.Settle(ctx)
	r, err := c.crowd.Audit(c.ctx)
	require.NoError(c, err)
	if figures != "" {
		figures += " "
	}
	_, _ = fmt.Fprintf(os.Stdout, "%-28s %s%s (%.0f s)\n", c.name, figures, r, time.Since(c.began).Seconds())
	require.NoError(c, r.Err())
	require.NoError(c, settled)
	require.Positive(c, r.Acknowledged, "customers wrote")
	return r
}
