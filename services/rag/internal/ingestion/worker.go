package ingestion

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

const (
	// workers is how many ingestions a process works on at the same time.
	workers = 2
	// lease is how long a job stays with a worker that shows no sign of life.
	lease = 30 * time.Second
	// poll is how often a worker without work looks for some; what this process submits wakes it at once.
	poll = time.Second
	// maxCrashes is how often a job may end the program before nobody begins it again.
	maxCrashes = 3
	// maxFaults is how often a job is tried again after a fault of ours.
	maxFaults = 5
	// firstPause and maxPause bound the wait before a job is tried again.
	firstPause = 2 * time.Second
	maxPause   = 5 * time.Minute
)

// Queue hands out uploads, each to one worker at a time. What a worker does that lost its job returns
// postgres.ErrLeaseLost and changes nothing.
type Queue interface {
	// Claim leases the job that waits longest; found is false if none is due.
	Claim(ctx context.Context, lease time.Duration) (job rag.Job, found bool, err error)
	Renew(ctx context.Context, job rag.Job, lease time.Duration) error
	Progress(ctx context.Context, job rag.Job, state rag.IngestionState, done, total int) error
	// Complete activates the version and ends the job, all at once.
	Complete(ctx context.Context, job rag.Job, v rag.Version) (postgres.Activated, error)
	Fail(ctx context.Context, job rag.Job, reason, message string) error
	Postpone(ctx context.Context, job rag.Job, reason, message string, pause time.Duration) error
	Release(ctx context.Context, job rag.Job) error
}

// Worker makes documents of uploads. It is safe for several replicas at once.
type Worker struct {
	library *Library
	queue   Queue
	log     *zap.Logger
}

// NewWorker returns a worker, which has to be run.
func NewWorker(library *Library, queue Queue, log *zap.Logger) *Worker {
	return &Worker{library: library, queue: queue, log: log}
}

// Run works until ctx ends; what is under way then goes back into the queue.
func (w *Worker) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { w.loop(ctx) })
	}
	all.Wait()
	return nil
}

func (w *Worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := w.Next(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("ingestions cannot be worked on now", zap.Error(err))
		}
		if worked && err == nil {
			continue
		}
		timer := time.NewTimer(poll)
		select {
		case <-ctx.Done():
		case <-w.library.submitted:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Next works on the job that waits longest, if there is one, and records what became of it.
func (w *Worker) Next(ctx context.Context) (worked bool, err error) {
	job, found, err := w.queue.Claim(ctx, lease)
	if err != nil || !found {
		return false, err
	}
	log := w.log.With(zap.String("ingestion", string(job.ID)))
	if job.Crashes >= maxCrashes {
		log.Error("upload given up: it was begun several times and never ended")
		return true, w.queue.Fail(ctx, job, "CONTENT_UNREADABLE", "reading this content has failed several times without an outcome")
	}
	err = w.work(ctx, job)
	if err == nil || errors.Is(err, postgres.ErrLeaseLost) {
		return true, nil // done, or not ours any more
	}
	if ctx.Err() == nil {
		log.Warn("upload not taken in", zap.Error(err))
	}
	err = w.record(ctx, job, err)
	if errors.Is(err, postgres.ErrLeaseLost) {
		return true, nil
	}
	return true, err
}

// work makes a document of a job's content, and holds the job meanwhile.
func (w *Worker) work(ctx context.Context, job rag.Job) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var holding sync.WaitGroup
	holding.Go(func() { w.hold(ctx, job, cancel) })
	defer holding.Wait()
	defer cancel(nil)
	version := job.Version
	version.ID, version.Recipe = newVersion(), recipe
	_, _, err := w.library.process(ctx, version, course{
		progress: func(ctx context.Context, state rag.IngestionState, done, total int) error {
			return w.queue.Progress(ctx, job, state, done, total)
		},
		activate: func(ctx context.Context, v rag.Version) (postgres.Activated, error) {
			return w.queue.Complete(ctx, job, v)
		},
	})
	if errors.Is(context.Cause(ctx), postgres.ErrLeaseLost) {
		return postgres.ErrLeaseLost
	}
	return err
}

// hold renews the lease until ctx ends, and cancels the work once it is lost.
func (w *Worker) hold(ctx context.Context, job rag.Job, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(lease / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := w.queue.Renew(ctx, job, lease); errors.Is(err, postgres.ErrLeaseLost) {
				cancel(err)
				return
			}
		}
	}
}

// record writes down why a job was not done: it is over if its content is at fault, else it is tried again.
func (w *Worker) record(ctx context.Context, job rag.Job, err error) error {
	stopping := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	reason, message := fault.ReasonOf(err), fault.MessageOf(err)
	switch kind := fault.KindOf(err); {
	case stopping:
		return w.queue.Release(ctx, job)
	case kind == fault.Unavailable, kind == fault.Internal && job.Attempts < maxFaults:
		return w.queue.Postpone(ctx, job, reason, message, pause(job.Attempts))
	default:
		return w.queue.Fail(ctx, job, reason, message)
	}
}

// pause doubles with every try.
func pause(attempts int) time.Duration {
	return min(firstPause<<min(attempts, 10), maxPause)
}
