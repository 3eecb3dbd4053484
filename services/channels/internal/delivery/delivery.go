// Package delivery sends messages and templates so that a customer gets each one once: the use cases around the state
// machine of channels.Delivery.
package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/channels"
)

// Store keeps deliveries. Both Open and Step run step under a lock that all replicas share, with one clock, and keep what it
// changed if it says so.
type Store interface {
	// Open stores fresh unless its request is known, and lets step change what is stored.
	Open(ctx context.Context, fresh channels.Delivery, step func(d *channels.Delivery, now time.Time) (keep bool)) error
	// Step lets step change a delivery. Returns channels.ErrNotFound if there is none.
	Step(ctx context.Context, requestID string, step func(d *channels.Delivery, now time.Time) (keep bool)) error
	// Delivery returns one. Returns channels.ErrNotFound if there is none.
	Delivery(ctx context.Context, requestID string) (channels.Delivery, error)
	// FindMessage returns whose message a provider's id names. Returns channels.ErrNotFound for one that is not ours.
	FindMessage(ctx context.Context, integrationID, messageID string) (requestID string, step channels.Step, err error)
}

// Integrations knows the numbers and bots.
type Integrations interface {
	// Open returns an integration with its secrets, tombstones included. Returns a fault if there is none.
	Open(ctx context.Context, id string) (channels.Integration, error)
	// Stop stops an integration whose provider refused a try that began at tried, unless somebody changed it since.
	Stop(ctx context.Context, id string, tried time.Time, reason string) error
}

// Pacer remembers who must not be sent to before when.
type Pacer interface {
	// Permit takes a place for one message and waits for it if that is not for long, else returns a fault that says when.
	Permit(ctx context.Context, to channels.Address) error
	// Return gives back the place of a message that was not sent after all.
	Return(ctx context.Context, to channels.Address)
	// Slow takes a provider's request to wait and returns how long that is.
	Slow(ctx context.Context, to channels.Address, e *channels.SendError) (time.Duration, error)
	// PermitDraft returns nil if a draft may be shown now, else a fault that says when.
	PermitDraft(ctx context.Context, to channels.Address) error
	// SlowDrafts takes a provider's request to wait that answered a draft, and returns how long that is.
	SlowDrafts(ctx context.Context, to channels.Address, e *channels.SendError) (time.Duration, error)
}

// Provider is what a platform can do for a delivery.
type Provider struct {
	Sender channels.Sender
	// Reach asks the provider something that changes nothing, and returns a *channels.SendError; nil for one that is always there.
	Reach func(ctx context.Context, credentials channels.Credentials) error
	// Render makes the messages of a content; none if it shows nothing.
	Render func(c channels.Content) []channels.Part
	// Classify says what the code of a failure in a delivery report means; nil where there are no reports.
	Classify func(code int) channels.Class
}

// Config sets the times.
type Config struct {
	// EchoWait is how long a WhatsApp message in doubt waits for its delivery report.
	EchoWait time.Duration
	// CallTimeout ends a call to a provider.
	CallTimeout time.Duration
	// UploadTimeout is how much longer one may take that hands a stored file over.
	UploadTimeout time.Duration
	// Media keeps the files to send; nil for none.
	Media channels.MediaLibrary
	// Metrics takes the counts of calls; nil for none.
	Metrics prometheus.Registerer
}

// RecordTimeout is for how long the outcome of a call is tried to be stored. The lease of a try lasts as long as its call and
// this together, and a little longer.
const RecordTimeout = 8 * time.Second

// Service sends.
type Service struct {
	store        Store
	integrations Integrations
	pacer        Pacer
	providers    map[channels.Platform]Provider
	timing       channels.Timing
	media        channels.MediaLibrary
	callTimeout  time.Duration
	meter        *meter
	running      sync.WaitGroup
	log          *zap.Logger
}

// New returns a service that sends through the given providers.
func New(c Config, store Store, i Integrations, p Pacer, providers map[channels.Platform]Provider, log *zap.Logger) *Service {
	if c.Media == nil {
		c.Media = channels.NoMedia{}
	}
	return &Service{
		store: store, integrations: i, pacer: p, providers: providers, log: log, media: c.Media, callTimeout: c.CallTimeout,
		timing: channels.Timing{Lease: c.CallTimeout + RecordTimeout + 2*time.Second, EchoWait: c.EchoWait, Upload: c.UploadTimeout},
		meter:  newMeter(c.Metrics),
	}
}

// Wait returns when no call to a provider is running and each outcome is recorded. Close the database after it.
func (s *Service) Wait() { s.running.Wait() }
