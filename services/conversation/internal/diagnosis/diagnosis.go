// Package diagnosis says whether the database is as it should be, and whether anybody waits for an answer too long.
package diagnosis

import (
	"context"
	"time"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
)

// checkTurns is the check of what waits.
const checkTurns = "turns.waiting"

const (
	// late is longer than a worker that is free leaves a due conversation, tooLate than one that is merely busy.
	late    = 30 * time.Second
	tooLate = 5 * time.Minute
)

// Queue knows what waits.
type Queue interface {
	// Depth measures the queues.
	Depth(ctx context.Context) (postgres.Depth, error)
}

// Secrets knows which keys seal the stored secrets.
type Secrets interface {
	// ReSeal counts them, and seals with the primary key what another one sealed unless countOnly is set.
	ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error)
}

// Doctor examines the service.
type Doctor struct {
	queue    Queue
	secrets  Secrets
	database func(context.Context) []doctor.Finding
}

// New returns a doctor. database says how the service's database is.
func New(queue Queue, secrets Secrets, database func(context.Context) []doctor.Finding) *Doctor {
	return &Doctor{queue: queue, secrets: secrets, database: database}
}

// Diagnose examines everything.
func (d *Doctor) Diagnose(ctx context.Context) []doctor.Finding {
	return append(d.database(ctx), sealing.Finding(d.secrets.ReSeal(ctx, true)), d.waiting(ctx))
}

// waiting looks at conversations that are due and in no worker's hands. Those of an integration that is off or stopped are
// not due.
func (d *Doctor) waiting(ctx context.Context) doctor.Finding {
	depth, err := d.queue.Depth(ctx)
	if err != nil {
		return doctor.Skip(checkTurns, "the database does not say what waits")
	}
	const cure = "start more processes with KNOBOT_ROLE=worker or raise KNOBOT_WORKERS; if none answers at all, read their log and see whether rag and channels are there"
	overdue := time.Duration(depth.Overdue * float64(time.Second)).Round(time.Second)
	switch {
	case overdue > tooLate:
		return doctor.Fail(checkTurns, "%d conversations wait for an answer, one since %s without a worker", depth.Turns, overdue).With(cure)
	case overdue > late:
		return doctor.Warn(checkTurns, "%d conversations wait for an answer, one since %s without a worker", depth.Turns, overdue).With(cure)
	default:
		return doctor.Fine(checkTurns, "%d conversations wait for an answer, none too long", depth.Turns)
	}
}
