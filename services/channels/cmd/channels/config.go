package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/bucket"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/integration"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	"github.com/knobot/knobot/services/channels/internal/seed"
	"github.com/knobot/knobot/services/channels/internal/telegram"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// telegramAPI is Telegram's own Bot API server. Any other one is somebody's emulator or local server.
const telegramAPI = "https://api.telegram.org"

// Config is what channels reads from the environment.
type Config struct {
	service.Config
	DatabaseURL        env.Secret    `env:"KNOBOT_DATABASE_URL,required"`
	MigrateDatabaseURL env.Secret    `env:"KNOBOT_MIGRATE_DATABASE_URL"`
	Keyset             env.Secret    `env:"KNOBOT_ENCRYPTION_KEYSET"`
	MediaURL           string        `env:"KNOBOT_MEDIA_URL" envDefault:"file://./.knobot/media"`
	EchoWait           time.Duration `env:"KNOBOT_ECHO_WAIT" envDefault:"60s"`
	WhatsAppRate       int           `env:"KNOBOT_WHATSAPP_RATE" envDefault:"80"`
	TelegramRate       int           `env:"KNOBOT_TELEGRAM_RATE" envDefault:"30"`
	KeepMedia          time.Duration `env:"KNOBOT_KEEP_MEDIA" envDefault:"0"`

	WhatsAppAPIURL     string `env:"WHATSAPP_API_URL" envDefault:"https://graph.facebook.com"`
	WhatsAppAPIVersion string `env:"WHATSAPP_API_VERSION" envDefault:"v26.0"`
	TelegramAPIURL     string `env:"TELEGRAM_API_URL" envDefault:"https://api.telegram.org"`

	PhoneNumberID       string     `env:"WHATSAPP_PHONE_NUMBER_ID"`
	BusinessAccountID   string     `env:"WHATSAPP_WABA_ID"`
	AccessToken         env.Secret `env:"WHATSAPP_ACCESS_TOKEN"`
	VerifyToken         env.Secret `env:"WHATSAPP_VERIFY_TOKEN"`
	AppSecret           env.Secret `env:"WHATSAPP_APP_SECRET"`
	AllowUnsigned       bool       `env:"WHATSAPP_ALLOW_UNSIGNED"`
	BotToken            env.Secret `env:"TELEGRAM_BOT_TOKEN"`
	TelegramSecretToken env.Secret `env:"TELEGRAM_SECRET_TOKEN"`
}

// Validate checks what types cannot say. It never looks at the values of the first integrations: those that cannot be right
// are reported in the log and do not stop the service.
func (c *Config) Validate() error {
	var faults []error
	if c.EchoWait < 0 || c.EchoWait > 10*time.Minute {
		faults = append(faults, fmt.Errorf("KNOBOT_ECHO_WAIT: %s is not between 0s and 10m", c.EchoWait))
	}
	if c.KeepMedia != 0 && c.KeepMedia < time.Hour {
		faults = append(faults, fmt.Errorf("KNOBOT_KEEP_MEDIA: %s is not 0 or at least 1h", c.KeepMedia))
	}
	for name, rate := range map[string]int{"KNOBOT_WHATSAPP_RATE": c.WhatsAppRate, "KNOBOT_TELEGRAM_RATE": c.TelegramRate} {
		if rate < 1 || rate > 10_000 {
			faults = append(faults, fmt.Errorf("%s: %d is not between 1 and 10000", name, rate))
		}
	}
	if err := bucket.Check(c.MediaURL); err != nil {
		faults = append(faults, fmt.Errorf("KNOBOT_MEDIA_URL: %w", err))
	}
	for name, address := range map[string]string{"WHATSAPP_API_URL": c.WhatsAppAPIURL, "TELEGRAM_API_URL": c.TelegramAPIURL} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
			faults = append(faults, fmt.Errorf("%s: a base address such as https://example.org is needed", name))
		}
	}
	return errors.Join(faults...)
}

// ownerURL is the URL for `migrate`.
func (c *Config) ownerURL() env.Secret {
	if c.MigrateDatabaseURL.IsSet() {
		return c.MigrateDatabaseURL
	}
	return c.DatabaseURL
}

// cloud is a client of the Cloud API that sends files of the given library, none for nil.
func (c *Config) cloud(files channels.MediaLibrary) *whatsapp.Client {
	return whatsapp.New(whatsapp.Config{BaseURL: c.WhatsAppAPIURL, Version: c.WhatsAppAPIVersion, Media: files})
}

// bots is a client of the Bot API that sends files of the given library, none for nil.
func (c *Config) bots(files channels.MediaLibrary) *telegram.Client {
	return telegram.New(telegram.Config{BaseURL: c.TelegramAPIURL, Media: files})
}

// integrations are checked by the same clients that use them.
func (c *Config) integrations(bots *telegram.Client) integration.Config {
	return integration.Config{
		CustomBotAPI: c.TelegramAPIURL != telegramAPI,
		Examiners:    map[channels.Platform]integration.Examiner{channels.WhatsApp: c.cloud(nil), channels.Telegram: bots},
	}
}

// deliveries gives a call to a provider as long as its client does.
func (c *Config) deliveries(media channels.MediaLibrary, metrics prometheus.Registerer) delivery.Config {
	return delivery.Config{
		EchoWait: c.EchoWait, CallTimeout: wire.Timeout, UploadTimeout: wire.UploadTimeout, Media: media, Metrics: metrics,
	}
}

// limits are the providers' own, with the rates that they have granted to this company.
func (c *Config) limits() pacing.Limits {
	l := pacing.DefaultLimits()
	l.Number, l.Bot = pacing.PerSecond(c.WhatsAppRate), pacing.PerSecond(c.TelegramRate)
	return l
}

func (c *Config) seeds() seed.Environment {
	return seed.Environment{
		PhoneNumberID: c.PhoneNumberID, BusinessAccountID: c.BusinessAccountID, AllowUnsigned: c.AllowUnsigned,
		AccessToken: channels.Secret(c.AccessToken.Reveal()), VerifyToken: channels.Secret(c.VerifyToken.Reveal()),
		AppSecret: channels.Secret(c.AppSecret.Reveal()), BotToken: channels.Secret(c.BotToken.Reveal()),
		TelegramSecretToken: channels.Secret(c.TelegramSecretToken.Reveal()),
	}
}
