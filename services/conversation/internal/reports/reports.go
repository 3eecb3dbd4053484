// Package reports hands what providers say of our messages on to channels: from a durable queue, in order, each integration's
// by one process at a time.
package reports

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// Queue is where the reports wait.
type Queue interface {
	// PendingReports names the integrations that have reports.
	PendingReports(ctx context.Context) ([]conversation.IntegrationID, error)
	// LeaseReports makes the caller the only one to hand on an integration's reports. It returns a token and how often that
	// has failed in a row, or conversation.ErrBusy.
	LeaseReports(ctx context.Context, integration conversation.IntegrationID, lease time.Duration) (string, int, error)
	// OldestReports returns the next reports in their order.
	OldestReports(ctx context.Context, integration conversation.IntegrationID, limit int) ([]conversation.QueuedReport, error)
	// SettleReports stores what channels made of reports and takes them out.
	SettleReports(ctx context.Context, reports []conversation.QueuedReport, outcomes []conversation.ReportOutcome, template *conversation.WindowTemplate) error
	// DropReports takes reports out that channels will never take.
	DropReports(ctx context.Context, reports []conversation.QueuedReport, cause string) error
	// Traced returns the traces of the turns that decided these answers, as far as they were traced.
	Traced(ctx context.Context, requests []conversation.RequestID) (map[conversation.RequestID]string, error)
	// ReleaseReports gives the lease back, after a failure only when the pause is over.
	ReleaseReports(ctx context.Context, integration conversation.IntegrationID, token string, pause time.Duration, failed bool) error
}

// Channel takes reports.
type Channel interface {
	// Report returns one outcome per report, or a *conversation.PeerError.
	Report(ctx context.Context, integration conversation.IntegrationID, reports []conversation.QueuedReport) ([]conversation.ReportOutcome, error)
}

// Integrations is what this service knows of them.
type Integrations interface {
	Get(id conversation.IntegrationID) (conversation.Integration, bool)
}

const (
	period = 250 * time.Millisecond
	lease  = 30 * time.Second
	batch  = 200
	// batchesPerLease bounds a lease, so that no integration waits behind another's backlog.
	batchesPerLease = 20
	callTimeout     = 10 * time.Second
)

// Drain empties the queue.
type Drain struct {
	queue        Queue
	channel      Channel
	integrations Integrations
	counter      Counter
	tracer       trace.TracerProvider
	log          *zap.Logger
}

// Counter counts reports by state.
type Counter interface {
	Report(s conversation.DeliveryState)
}

// NewDrain returns a drain. Run starts it.
func NewDrain(
	queue Queue, channel Channel, integrations Integrations, counter Counter, tracer trace.TracerProvider, log *zap.Logger,
) *Drain {
	return &Drain{queue: queue, channel: channel, integrations: integrations, counter: counter, tracer: tracer, log: log}
}

// Run hands reports on until ctx ends.
func (d *Drain) Run(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.Round(ctx)
		}
	}
}

// Round hands on what waits now.
func (d *Drain) Round(ctx context.Context) {
	pending, err := d.queue.PendingReports(ctx)
	if err != nil {
		return // the next round comes soon, and the metrics show that it waits
	}
	for _, integration := range pending {
		if err := d.drain(ctx, integration); err != nil && ctx.Err() == nil {
			d.log.Warn("delivery reports wait", zap.String("integration", string(integration)), zap.Error(err))
		}
	}
}

func (d *Drain) drain(ctx context.Context, integration conversation.IntegrationID) error {
	token, failures, err := d.queue.LeaseReports(ctx, integration, lease)
	if errors.Is(err, conversation.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	err = d.batches(ctx, integration, failures)
	pause := time.Duration(0)
	if err != nil {
		pause = conversation.Backoff(failures + 1)
	}
	return errors.Join(err, d.queue.ReleaseReports(context.WithoutCancel(ctx), integration, token, pause, err != nil))
}

func (d *Drain) batches(ctx context.Context, integration conversation.IntegrationID, failures int) error {
	ctx, cancel := context.WithTimeout(ctx, lease-callTimeout)
	defer cancel()
	for range batchesPerLease {
		reports, err := d.queue.OldestReports(ctx, integration, batch)
		if err != nil || len(reports) == 0 {
			return err
		}
		if err := d.hand(ctx, integration, reports, failures); err != nil {
			return err
		}
		if len(reports) < batch {
			return nil
		}
	}
	return nil
}

// hand hands reports on. Those that channels refuses, or keeps failing on, are tried one by one, and the bad one is dropped.
func (d *Drain) hand(ctx context.Context, integration conversation.IntegrationID, reports []conversation.QueuedReport, failures int) error {
	err := d.settle(ctx, integration, reports)
	if err == nil || !hopeless(err, failures) {
		return err
	}
	if len(reports) == 1 {
		return d.queue.DropReports(ctx, reports, reasonOf(err))
	}
	for i := range reports {
		if err := d.hand(ctx, integration, reports[i:i+1], failures); err != nil {
			return err
		}
	}
	return nil
}

func (d *Drain) settle(ctx context.Context, integration conversation.IntegrationID, reports []conversation.QueuedReport) error {
	ctx, span := d.trace(ctx, integration, reports)
	defer span.End()
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	outcomes, err := d.channel.Report(call, integration, reports)
	if err != nil {
		return err
	}
	in, _ := d.integrations.Get(integration)
	if err := d.queue.SettleReports(ctx, reports, outcomes, in.WindowTemplate); err != nil {
		return err
	}
	for _, r := range reports {
		d.counter.Report(r.State)
	}
	d.link(ctx, reports, outcomes)
	return nil
}

// hopeless reports whether channels will never take these: it says so, or it has failed on them time and again though it is
// there.
func hopeless(err error, failures int) bool {
	var p *conversation.PeerError
	if !errors.As(err, &p) {
		return false
	}
	return p.Verdict == conversation.Refused || (p.Reason == "INTERNAL" && failures >= conversation.MaxAttempts)
}

func reasonOf(err error) string {
	var p *conversation.PeerError
	if errors.As(err, &p) {
		return p.Reason
	}
	return "INTERNAL"
}
