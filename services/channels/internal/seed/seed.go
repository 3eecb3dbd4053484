// Package seed makes the first integrations from the environment: one WhatsApp number and one Telegram bot, each if its
// platform has none. Starting again finds the same ones. What was missing is filled in later, what has changed is reported
// and left alone, because people may have changed it through the API since.
package seed

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

// The names of seeded integrations.
const (
	WhatsAppName = "WhatsApp Business"
	TelegramName = "Telegram Bot"
)

// Environment is what the environment says of the first integrations.
type Environment struct {
	PhoneNumberID       string
	BusinessAccountID   string
	AccessToken         channels.Secret
	VerifyToken         channels.Secret
	AppSecret           channels.Secret
	AllowUnsigned       bool
	BotToken            channels.Secret
	TelegramSecretToken channels.Secret
}

// Integrations is where integrations are kept.
type Integrations interface {
	// List returns the integrations that are not deleted, by name.
	List(ctx context.Context, p channels.Platform, afterName, afterID string, limit int) ([]channels.Integration, error)
	// Check returns a fault of kind Invalid if an integration as edit describes it cannot be right.
	Check(p channels.Platform, edit integration.Edit) error
	// Create adds one.
	Create(ctx context.Context, p channels.Platform, edit integration.Edit) (channels.Integration, error)
	// Update edits one.
	Update(ctx context.Context, id string, edits []integration.Edit) (channels.Integration, error)
}

// Locker keeps replicas that start at once from seeding at once.
type Locker interface {
	// Exclusively runs f while no other replica runs one under the same name.
	Exclusively(ctx context.Context, name string, f func(ctx context.Context) error) error
}

// Run gets or creates the integrations of the environment. A value that cannot be right is reported in the log and leaves its
// integration out; it never stops the service. Returns an error only if the database fails.
func Run(ctx context.Context, e Environment, lock Locker, i Integrations, log *zap.Logger) error {
	return lock.Exclusively(ctx, "seed", func(ctx context.Context) error {
		if err := run(ctx, channels.WhatsApp, WhatsAppName, e.whatsApp(), i, log); err != nil {
			return err
		}
		return run(ctx, channels.Telegram, TelegramName, e.telegram(), i, log)
	})
}

func run(ctx context.Context, p channels.Platform, name string, values []value, i Integrations, log *zap.Logger) error {
	if !anySet(values) {
		return nil
	}
	log = log.With(zap.String("platform", string(p)))
	values = plausible(p, values, i, log)
	existing, err := find(ctx, p, i)
	if err != nil {
		return err
	}
	if existing == nil {
		return create(ctx, p, name, values, i, log)
	}
	return complete(ctx, *existing, values, i, log)
}

// plausible reports the values that cannot be right and leaves them out, as if they were missing.
func plausible(p channels.Platform, values []value, i Integrations, log *zap.Logger) []value {
	return slices.DeleteFunc(values, func(v value) bool {
		err := i.Check(p, func(i *channels.Integration, now time.Time) { v.fill(i, now) })
		if err != nil {
			log.Error("a variable's value cannot be right and is left out", zap.String("variable", v.variable), zap.String("fault", fault.MessageOf(err)))
		}
		return err != nil
	})
}

// find returns the seeded integration, else any that speaks for the platform, else nil.
func find(ctx context.Context, p channels.Platform, i Integrations) (*channels.Integration, error) {
	const all = 1000
	found, err := i.List(ctx, p, "", "", all)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	for n := range found {
		if found[n].Seeded {
			return &found[n], nil
		}
	}
	return &found[0], nil
}

func create(ctx context.Context, p channels.Platform, name string, values []value, i Integrations, log *zap.Logger) error {
	made, err := i.Create(ctx, p, func(i *channels.Integration, now time.Time) {
		i.Name, i.Seeded = name, true
		for _, v := range values {
			v.fill(i, now)
		}
	})
	if err != nil {
		return refused(err, log)
	}
	report(made, "integration made from the environment", log)
	return nil
}

// complete fills in what an incomplete seeded integration misses and warns of everything else that differs.
func complete(ctx context.Context, found channels.Integration, values []value, i Integrations, log *zap.Logger) error {
	state, _ := found.State()
	var edits []integration.Edit
	for _, v := range values {
		switch stored := v.get(found); {
		case v.given == "" || v.given == stored:
		case stored == "" && found.Seeded && state == channels.StateIncomplete && !found.Unreadable:
			edits = append(edits, func(i *channels.Integration, now time.Time) { v.set(i, v.given, now) })
		default:
			log.Warn("the environment differs from the stored integration, which is used; change it with UpdateIntegration",
				zap.String("variable", v.variable), zap.String("integration", found.ID), zap.String("name", found.Name))
		}
	}
	if len(edits) > 0 {
		completed, err := i.Update(ctx, found.ID, edits)
		if err != nil {
			return refused(err, log)
		}
		found = completed
	}
	report(found, "integration found", log)
	return nil
}

func report(i channels.Integration, message string, log *zap.Logger) {
	state, reason := i.State()
	log = log.With(zap.String("integration", i.ID), zap.String("name", i.Name), zap.String("state", string(state)))
	if reason == "" {
		log.Info(message)
		return
	}
	log.Warn(message, zap.String("cure", reason))
}
