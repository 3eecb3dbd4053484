package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
	"github.com/knobot/knobot/services/conversation/internal/upkeep"
)

// Config is the service's configuration.
type Config struct {
	service.Config
	DatabaseURL        env.Secret    `env:"KNOBOT_DATABASE_URL,required"`
	MigrateDatabaseURL env.Secret    `env:"KNOBOT_MIGRATE_DATABASE_URL"`
	RAGAddr            string        `env:"KNOBOT_RAG_ADDR" envDefault:"127.0.0.1:9102"`
	ChannelsAddr       string        `env:"KNOBOT_CHANNELS_ADDR" envDefault:"127.0.0.1:9103"`
	Role               Role          `env:"KNOBOT_ROLE" envDefault:"all"`
	Debounce           time.Duration `env:"KNOBOT_DEBOUNCE" envDefault:"1500ms"`
	LongestWait        time.Duration `env:"KNOBOT_LONGEST_WAIT" envDefault:"10s"`
	StaleAfter         time.Duration `env:"KNOBOT_STALE_AFTER" envDefault:"24h"`
	StaffPause         time.Duration `env:"KNOBOT_STAFF_PAUSE" envDefault:"30m"`
	IdleAfter          time.Duration `env:"KNOBOT_IDLE_AFTER" envDefault:"24h"`
	KeepWebhooks       time.Duration `env:"KNOBOT_KEEP_WEBHOOKS" envDefault:"2160h"`
	KeepMessages       time.Duration `env:"KNOBOT_KEEP_MESSAGES" envDefault:"0"`
	HourlyLimit        int32         `env:"KNOBOT_CUSTOMER_HOURLY_LIMIT" envDefault:"100"`
	DailyLimit         int32         `env:"KNOBOT_CUSTOMER_DAILY_LIMIT" envDefault:"500"`
	AnswerTimeout      time.Duration `env:"KNOBOT_ANSWER_TIMEOUT" envDefault:"60s"`
	Workers            int           `env:"KNOBOT_WORKERS" envDefault:"64"`
	Lease              time.Duration `env:"KNOBOT_LEASE" envDefault:"30s"`
	Keyset             env.Secret    `env:"KNOBOT_ENCRYPTION_KEYSET"`
	EventsAllowPrivate bool          `env:"KNOBOT_EVENTS_ALLOW_PRIVATE"`
}

// maxLimit is as far as one looks back: see conversation.MaxLookBack, which counts our answers too.
const maxLimit = conversation.MaxLookBack / 2

// Validate checks what types cannot say.
func (c *Config) Validate() error {
	var faults []error
	check := func(ok bool, name, rule string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s: %s", name, rule))
		}
	}
	check(c.Role.known(), "KNOBOT_ROLE", "it is all, api or worker")
	check(c.Debounce >= 0, "KNOBOT_DEBOUNCE", "it must not be negative")
	check(c.LongestWait >= 0, "KNOBOT_LONGEST_WAIT", "it must not be negative")
	check(c.StaleAfter > 0, "KNOBOT_STALE_AFTER", "it must be positive")
	check(c.StaffPause >= 0, "KNOBOT_STAFF_PAUSE", "it must not be negative")
	check(c.IdleAfter > 0, "KNOBOT_IDLE_AFTER", "it must be positive")
	check(c.KeepWebhooks == 0 || c.KeepWebhooks >= 24*time.Hour, "KNOBOT_KEEP_WEBHOOKS", "it must be 0 or at least 24h")
	check(c.KeepMessages == 0 || c.KeepMessages >= time.Hour, "KNOBOT_KEEP_MESSAGES", "it must be 0 or at least 1h")
	check(c.HourlyLimit >= 0 && c.HourlyLimit <= maxLimit, "KNOBOT_CUSTOMER_HOURLY_LIMIT", "it must be between 0 and 10000")
	check(c.DailyLimit >= 0 && c.DailyLimit <= maxLimit, "KNOBOT_CUSTOMER_DAILY_LIMIT", "it must be between 0 and 10000")
	check(c.AnswerTimeout > 0, "KNOBOT_ANSWER_TIMEOUT", "it must be positive")
	check(c.Workers > 0 && c.Workers <= 10_000, "KNOBOT_WORKERS", "it must be between 1 and 10000")
	check(c.Lease >= time.Second, "KNOBOT_LEASE", "it must be at least 1s")
	return errors.Join(faults...)
}

func (c *Config) addresses() subscriptions.Addresses {
	return subscriptions.Addresses{AllowPrivate: c.EventsAllowPrivate}
}

// sealer returns none without a keyset, which an installation without subscriptions need not have.
func (c *Config) sealer() (*sealing.Sealer, error) {
	s, err := sealing.New(c.Keyset.Reveal())
	if errors.Is(err, sealing.ErrNoKeyset) {
		return nil, nil
	}
	return s, err
}

func (c *Config) owner() env.Secret {
	if c.MigrateDatabaseURL.IsSet() {
		return c.MigrateDatabaseURL
	}
	return c.DatabaseURL
}

func (c *Config) keep() upkeep.Keep {
	return upkeep.Keep{Logs: c.KeepWebhooks, Messages: c.KeepMessages}
}

// Role is which part of the work a process does.
type Role string

// Serves reports whether the process takes calls.
func (r Role) Serves() bool { return r == "all" || r == "api" }

// Works reports whether the process answers.
func (r Role) Works() bool { return r == "all" || r == "worker" }

func (r Role) known() bool { return r.Serves() || r.Works() }
