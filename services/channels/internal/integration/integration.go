// Package integration keeps the company's WhatsApp numbers and Telegram bots: the use cases around channels.Integration.
package integration

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels"
)

// Store keeps integrations.
type Store interface {
	// Get returns one, tombstones included. Returns channels.ErrNotFound if there is none.
	Get(ctx context.Context, id string) (channels.Integration, error)
	// List returns up to limit of them after (name, id), by name, without tombstones.
	List(ctx context.Context, p channels.Platform, afterName, afterID string, limit int) ([]channels.Integration, error)
	// Since returns what changed after a revision and the revision reached; everything since 0.
	Since(ctx context.Context, revision int64) ([]channels.Integration, int64, error)
	// Create stores a new one and returns it as stored. Returns channels.ErrPhoneNumberTaken, ErrBotTaken or
	// ErrWebhookSecretTaken.
	Create(ctx context.Context, i channels.Integration) (channels.Integration, error)
	// Change lets change edit one that is not deleted and returns it as stored, or stores nothing if change fails.
	Change(ctx context.Context, id string, change func(i *channels.Integration, now time.Time) error) (channels.Integration, error)
	// Expire removes replaced secrets whose time is over and what is left of integrations deleted before keep.
	Expire(ctx context.Context, keep time.Duration) error
	// ReSeal seals with the primary key what another one sealed, or only counts.
	ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error)
}

// Config says what may be entered.
type Config struct {
	// CustomBotAPI is set when Telegram is spoken to at another address: then bot tokens may be short and webhooks http.
	CustomBotAPI bool
	// Examiners ask the providers about credentials; without one for a platform nobody is asked.
	Examiners map[channels.Platform]Examiner
}

// Service keeps integrations.
type Service struct {
	config   Config
	store    Store
	telegram channels.WebhookManager
	log      *zap.Logger
	seeded   chan struct{}
	seedOnce sync.Once
}

// New returns a service.
func New(c Config, store Store, telegram channels.WebhookManager, log *zap.Logger) *Service {
	return &Service{config: c, store: store, telegram: telegram, log: log, seeded: make(chan struct{})}
}

// Seeded says that the first integrations are there. Watches wait for it: a gateway that was told of none would refuse real
// webhooks.
func (s *Service) Seeded() { s.seedOnce.Do(func() { close(s.seeded) }) }

// Edit changes an integration in memory.
type Edit func(i *channels.Integration, now time.Time)

// Create adds an integration as edit describes it; what edit leaves out has the defaults.
func (s *Service) Create(ctx context.Context, p channels.Platform, edit Edit) (channels.Integration, error) {
	i, err := s.draft(p, edit)
	if err != nil {
		return channels.Integration{}, err
	}
	stored, err := s.store.Create(ctx, i)
	return stored, asFault(err)
}

// Check returns a fault of kind Invalid if an integration as edit describes it cannot be right. It stores nothing.
func (s *Service) Check(p channels.Platform, edit Edit) error {
	_, err := s.draft(p, func(i *channels.Integration, now time.Time) {
		i.Name = "check"
		edit(i, now)
	})
	return err
}

func (s *Service) draft(p channels.Platform, edit Edit) (channels.Integration, error) {
	now := time.Now()
	i := channels.Integration{ID: uuid.NewString(), Platform: p, Enabled: true, Settings: channels.DefaultSettings()}
	edit(&i, now)
	return i, s.check(&i, now)
}

// Get returns an integration that is not deleted.
func (s *Service) Get(ctx context.Context, id string) (channels.Integration, error) {
	i, err := s.Open(ctx, id)
	if err == nil && !i.DeleteTime.IsZero() {
		return channels.Integration{}, asFault(channels.ErrNotFound)
	}
	return i, err
}

// Open returns an integration, tombstones included.
func (s *Service) Open(ctx context.Context, id string) (channels.Integration, error) {
	if uuid.Validate(id) != nil {
		return channels.Integration{}, asFault(channels.ErrNotFound)
	}
	i, err := s.store.Get(ctx, id)
	return i, asFault(err)
}

// List returns a page of the integrations that are not deleted, by name.
func (s *Service) List(ctx context.Context, p channels.Platform, afterName, afterID string, limit int) ([]channels.Integration, error) {
	return s.store.List(ctx, p, afterName, afterID, limit)
}

// Update edits an integration. New credentials, and switching it on, start a stopped one again.
func (s *Service) Update(ctx context.Context, id string, edits []Edit) (channels.Integration, error) {
	if uuid.Validate(id) != nil {
		return channels.Integration{}, asFault(channels.ErrNotFound)
	}
	stored, err := s.store.Change(ctx, id, func(i *channels.Integration, now time.Time) error {
		before := i.Credentials()
		for _, edit := range edits {
			edit(i, now)
		}
		if i.Credentials() != before {
			i.StopReason = ""
		}
		return s.check(i, now)
	})
	return stored, asFault(err)
}

// Stop marks an integration whose provider refused a try that began at tried. If somebody changed the integration since, the
// refusal may be of its old credentials and nothing happens.
func (s *Service) Stop(ctx context.Context, id string, tried time.Time, reason string) error {
	_, err := s.store.Change(ctx, id, func(i *channels.Integration, _ time.Time) error {
		if i.UpdateTime.After(tried) {
			return errUnchanged
		}
		i.StopReason = "the provider refuses it: " + reason + "; mend that, then update its credentials or set enabled to start it again"
		return nil
	})
	if errors.Is(err, errUnchanged) || errors.Is(err, channels.ErrNotFound) {
		return nil
	}
	if err == nil {
		s.log.Error("integration stopped", zap.String("integration", id), zap.String("provider_says", reason))
	}
	return err
}

// errUnchanged makes a change end without storing anything.
var errUnchanged = errors.New("nothing to change")

// Delete makes an integration a tombstone: its webhooks are still recognised, and ignored, for Keep. Telegram is asked to
// stop posting; if it cannot be reached, its posts are ignored like WhatsApp's.
func (s *Service) Delete(ctx context.Context, id string) error {
	if uuid.Validate(id) != nil {
		return asFault(channels.ErrNotFound)
	}
	i, err := s.store.Change(ctx, id, func(i *channels.Integration, now time.Time) error {
		i.DeleteTime = now
		return nil
	})
	if err != nil {
		return asFault(err)
	}
	if i.Platform == channels.Telegram && i.Secret(channels.BotToken) != "" {
		if err := s.telegram.DeleteWebhook(ctx, i.Credentials()); err != nil {
			s.log.Warn("webhook of a deleted bot not removed, its posts are ignored", zap.String("integration", id), zap.Error(err))
		}
	}
	return nil
}

// check normalizes and validates.
func (s *Service) check(i *channels.Integration, now time.Time) error {
	i.Normalize(now)
	err := i.Validate(channels.Rules{AnyBotToken: s.config.CustomBotAPI})
	if invalid, ok := errors.AsType[*channels.InvalidError](err); ok {
		return fault.New(fault.Invalid, "INVALID_INTEGRATION", invalid.Error())
	}
	return err
}

func asFault(err error) error {
	switch {
	case errors.Is(err, channels.ErrNotFound):
		return fault.New(fault.NotFound, "INTEGRATION_NOT_FOUND", "no such integration")
	case errors.Is(err, channels.ErrPhoneNumberTaken):
		return fault.New(fault.Conflict, "PHONE_NUMBER_ID_TAKEN", err.Error())
	case errors.Is(err, channels.ErrBotTaken):
		return fault.New(fault.Conflict, "BOT_TAKEN", err.Error())
	case errors.Is(err, channels.ErrWebhookSecretTaken):
		return fault.New(fault.Conflict, "WEBHOOK_SECRET_TAKEN", err.Error())
	default:
		return err
	}
}
