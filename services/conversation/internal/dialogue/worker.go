// Package dialogue answers: it claims conversations that wait, composes answers, decides to send them and sees them out.
package dialogue

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// Integrations is what this service knows of them.
type Integrations interface {
	// Answering returns those that may answer now.
	Answering() []conversation.IntegrationID
	// Get returns one, false for one that is not known.
	Get(id conversation.IntegrationID) (conversation.Integration, bool)
}

// Config is what a Worker works with.
type Config struct {
	Mailbox      conversation.Mailbox
	Answerer     conversation.Answerer
	Courier      conversation.Courier
	Files        conversation.Files
	Senses       conversation.Senses
	Integrations Integrations
	// Limits are how much one customer may ask, where an integration does not say.
	Limits conversation.Limits
	// Workers is how many conversations are answered at the same time.
	Workers int
	// Lease is how long a conversation is held without a sign of life.
	Lease time.Duration
	// Typing is how often "typing …" is shown again; 0 for what the platforms need.
	Typing time.Duration
	// Drafts is how far drafts of one answer are apart at least; 0 for 1 s.
	Drafts  time.Duration
	Metrics *metrics.Metrics
	Log     *zap.Logger
	// Tracer makes a trace of each turn; nil for none.
	Tracer trace.TracerProvider
}

const (
	// pollAtMost is how long a worker sleeps when nobody wakes it: another process may have opened a turn.
	pollAtMost = 250 * time.Millisecond
	// pollAtLeast keeps it from spinning on a turn that is due but locked by somebody else for a moment.
	pollAtLeast = 2 * time.Millisecond
	// awayPause is how long nothing is claimed after a peer was found to be away.
	awayPause = 500 * time.Millisecond
	// storeTimeout bounds each call of the mailbox.
	storeTimeout = 10 * time.Second
	// sendGrace is how long a stop waits for a send that is under way.
	sendGrace = 5 * time.Second
)

// Worker answers conversations until it is stopped.
type Worker struct {
	Config
	slots  *slots
	leases *leases
	// wake is signalled when a turn was opened or a slot came free.
	wake chan struct{}

	mu        sync.Mutex
	awayUntil time.Time
}

// NewWorker returns a worker. Run starts it.
func NewWorker(c Config) *Worker {
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider()
	}
	w := &Worker{Config: c, slots: newSlots(c.Workers), wake: make(chan struct{}, 1)}
	w.leases = newLeases(c.Mailbox, c.Lease, c.Log)
	return w
}

// Wake makes the worker look for turns at once.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run answers conversations until ctx ends. Then what is being composed is handed back, and what is being sent is seen out,
// for a bounded time.
func (w *Worker) Run(ctx context.Context) error {
	beat, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() { w.leases.keep(beat) })
	var work sync.WaitGroup
	for ctx.Err() == nil {
		pause := w.round(ctx, &work)
		w.sleep(ctx, pause)
	}
	work.Wait()
	stop()
	beating.Wait()
	return nil
}

// round claims what there is room for, and says how long to sleep afterwards.
func (w *Worker) round(ctx context.Context, work *sync.WaitGroup) time.Duration {
	if pause := w.awayFor(); pause > 0 {
		return pause
	}
	rooms, free := w.slots.rooms(w.Integrations.Answering())
	if len(rooms) == 0 {
		return pollAtMost
	}
	turns, err := w.claim(ctx, rooms, free, false)
	if err != nil {
		return pollAtMost
	}
	for _, t := range turns {
		w.start(ctx, work, t)
	}
	if len(turns) == free {
		return 0 // sleep finds out whether a slot is free
	}
	return w.untilNext(ctx, work, rooms)
}

func (w *Worker) claim(ctx context.Context, rooms []conversation.Room, limit int, solo bool) ([]conversation.Turn, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	turns, err := w.Mailbox.Claim(ctx, conversation.ClaimRequest{Lease: w.Lease, Limit: limit, Rooms: rooms, Solo: solo})
	if err != nil && !errors.Is(err, context.Canceled) {
		w.Log.Warn("turns could not be claimed", zap.Error(err))
	}
	return turns, err
}

func (w *Worker) start(ctx context.Context, work *sync.WaitGroup, t conversation.Turn) {
	w.slots.take(t.Integration)
	work.Go(func() {
		defer w.Wake()
		defer w.slots.give(t.Integration)
		w.attend(ctx, t)
	})
}

// untilNext returns how long nothing will be due. A turn that crashed its worker before is run first if it is its time, with
// nothing beside it.
func (w *Worker) untilNext(ctx context.Context, work *sync.WaitGroup, rooms []conversation.Room) time.Duration {
	ids := make([]conversation.IntegrationID, 0, len(rooms))
	for _, r := range rooms {
		ids = append(ids, r.Integration)
	}
	ctxStore, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	waiting, err := w.Mailbox.Waiting(ctxStore, ids)
	switch {
	case err != nil || !waiting.Any:
		return pollAtMost
	case waiting.Solo:
		work.Wait()
		w.alone(ctx, work, rooms)
		return 0
	default:
		return min(max(waiting.Next, pollAtLeast), pollAtMost)
	}
}

func (w *Worker) alone(ctx context.Context, work *sync.WaitGroup, rooms []conversation.Room) {
	turns, err := w.claim(ctx, rooms, 1, true)
	if err != nil {
		return
	}
	for _, t := range turns {
		w.start(ctx, work, t)
	}
	work.Wait()
}

// sleep waits for a signal, but not longer than the pause, and not at all while slots are full without one.
func (w *Worker) sleep(ctx context.Context, pause time.Duration) {
	if pause == 0 && w.slots.full() {
		pause = pollAtMost
	}
	if pause == 0 {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-timer.C:
	}
}

func (w *Worker) noteAway() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awayUntil = time.Now().Add(awayPause)
}

func (w *Worker) awayFor() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(time.Until(w.awayUntil), 0)
}
