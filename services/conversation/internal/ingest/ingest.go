// Package ingest takes verified webhooks in. A webhook is acknowledged once the transaction that holds all of it has
// committed; webhooks that arrive together share one.
package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// Store stores deliveries.
type Store interface {
	// Ingest stores deliveries in one transaction. Returns conversation.ErrRefused for content that the database will never
	// take, and a fault of kind Unavailable for what may be tried again.
	Ingest(ctx context.Context, deliveries []conversation.Delivery) ([]conversation.Receipt, error)
}

// Integrations is what this service knows of them.
type Integrations interface {
	// Synced reports whether the first news is complete.
	Synced() bool
	// Get returns one, false for one that is not known (yet).
	Get(id conversation.IntegrationID) (conversation.Integration, bool)
}

// Courtesies shows customers that something has arrived.
type Courtesies interface{ Offer(c courtesy.Courtesy) }

// Settings are the service's defaults; integrations may have their own.
type Settings struct {
	Debounce, StaleAfter, StaffPause time.Duration
}

// Webhook is a verified delivery as the gateway hands it over.
type Webhook struct {
	Platform      conversation.Platform
	Payload       []byte
	Events        []conversation.Event
	RemoteAddress string
}

// Config is what an Intake works with.
type Config struct {
	Store        Store
	Integrations Integrations
	Courtesies   Courtesies
	// Wake tells the workers of this process that turns were opened or files came.
	Wake     func()
	Settings Settings
	Metrics  *metrics.Metrics
	Log      *zap.Logger
}

// Intake stores webhooks.
type Intake struct {
	Config
	queue chan *pending
	stop  context.CancelFunc
	work  sync.WaitGroup
}

// pending is a webhook whose caller waits.
type pending struct {
	ctx      context.Context // its ids and its span count, not its end: a group outlives each of its callers
	delivery conversation.Delivery
	receipt  conversation.Receipt
	err      error
	done     chan struct{}
}

const (
	// flushers is how many transactions run at the same time, each with what has gathered meanwhile (measured: 1.5 to 2
	// times the rate of a transaction each, and no delay is added).
	flushers = 2
	// A transaction takes at most so much.
	maxGroup      = 64
	maxGroupBytes = 8 << 20
	maxEvents     = 4000
	// queueLength bounds the callers that wait; above, the provider is asked to come back.
	queueLength  = 1024
	flushTimeout = 20 * time.Second
)

// New starts the flushers. They outlive ctx, for the callers that are still there when it ends: Close stops them.
func New(ctx context.Context, c Config) *Intake {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	i := &Intake{Config: c, queue: make(chan *pending, queueLength), stop: stop}
	for range flushers {
		i.work.Go(func() { i.flushAll(ctx) })
	}
	return i
}

// Close ends the flushers.
func (i *Intake) Close() {
	i.stop()
	i.work.Wait()
}

// Ingest stores a webhook and everything in it. When it returns without an error, all of it is committed. It returns a fault
// of kind Unavailable when the provider has to deliver again.
func (i *Intake) Ingest(ctx context.Context, w Webhook) (conversation.Receipt, error) {
	if !i.Integrations.Synced() {
		return conversation.Receipt{}, fault.New(fault.Unavailable, "INTEGRATIONS_UNKNOWN", "the integrations are not known yet, try again")
	}
	p := &pending{ctx: ctx, delivery: i.delivery(ctx, w), done: make(chan struct{})}
	select {
	case i.queue <- p:
	default:
		return conversation.Receipt{}, fault.New(fault.Unavailable, "INTAKE_FULL", "too many webhooks are waiting, try again")
	}
	select {
	case <-p.done:
	case <-ctx.Done(): // it may commit all the same, then the provider's repeat is a duplicate
		return conversation.Receipt{}, ctx.Err()
	}
	i.note(p)
	return p.receipt, p.err
}

func (i *Intake) delivery(ctx context.Context, w Webhook) conversation.Delivery {
	d := conversation.Delivery{
		Log: conversation.LogID(uuid.Must(uuid.NewV7()).String()), Platform: w.Platform, Payload: w.Payload,
		RemoteAddress: w.RemoteAddress, Trace: telemetry.Parent(ctx), Arrivals: make([]conversation.Arrival, 0, len(w.Events)),
	}
	ordinal := int32(0)
	for _, e := range w.Events {
		d.Arrivals = append(d.Arrivals, i.arrival(e, ordinal, w.Platform))
		ordinal++
	}
	return d
}

// note writes the one log line of a webhook, without texts and addresses of customers.
func (i *Intake) note(p *pending) {
	result := "stored"
	switch {
	case p.err != nil:
		result = "failed"
	case p.receipt.Duplicate:
		result = "duplicate"
	}
	i.Metrics.Webhook(p.delivery.Platform, result)
	for _, o := range p.receipt.Outcomes {
		i.Metrics.Event(o)
	}
	i.Log.Info("webhook", logging.Request(p.ctx), zap.String("log", string(p.delivery.Log)), zap.String("platform", string(p.delivery.Platform)),
		zap.String("result", result), zap.Int("events", len(p.delivery.Arrivals)), zap.Int("turns", p.receipt.Opened),
		zap.Int("bytes", len(p.delivery.Payload)), zap.Strings("integrations", integrationsOf(p.delivery)),
		zap.Strings("conversations", shown(p.receipt.Conversations)), zap.Error(p.err))
}

// maxShown is how many ids of a webhook its line names: Meta sends up to 1,000 events in one.
const maxShown = 20

// integrationsOf are those that a delivery is for, each once.
func integrationsOf(d conversation.Delivery) []string {
	var ids []conversation.IntegrationID
	for _, a := range d.Arrivals {
		if a.Event.Integration != "" && !slices.Contains(ids, a.Event.Integration) {
			ids = append(ids, a.Event.Integration)
		}
	}
	return shown(ids)
}

func shown[T ~string](ids []T) []string {
	out := make([]string, 0, 1)
	for _, id := range ids[:min(len(ids), maxShown)] {
		out = append(out, string(id))
	}
	return out
}

// unavailable says that nothing was stored.
func unavailable(err error) error {
	if fault.IsKind(err, fault.Unavailable) {
		return err
	}
	return fault.New(fault.Unavailable, "NOT_STORED", "the webhook could not be stored, try again").WithCause(err)
}

func refused(err error) bool { return errors.Is(err, conversation.ErrRefused) }

// Waiting returns how many webhooks are waiting for a transaction.
func (i *Intake) Waiting() int { return len(i.queue) }
