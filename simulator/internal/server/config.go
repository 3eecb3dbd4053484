package server

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/knobot/knobot/platform/env"

	"github.com/knobot/knobot/simulator"
)

// Config is the simulator's environment. The first number and bot are those
// that KnoBot itself is configured with; more can be added while it runs.
type Config struct {
	Addr       string `env:"KNOBOT_SIMULATOR_ADDR"        envDefault:"127.0.0.1:9800"`
	WebhookURL string `env:"KNOBOT_SIMULATOR_WEBHOOK_URL" envDefault:"http://127.0.0.1:9000"`

	PhoneNumberID string     `env:"WHATSAPP_PHONE_NUMBER_ID"`
	BusinessID    string     `env:"WHATSAPP_WABA_ID"`
	AccessToken   env.Secret `env:"WHATSAPP_ACCESS_TOKEN"`
	VerifyToken   env.Secret `env:"WHATSAPP_VERIFY_TOKEN"`
	AppSecret     env.Secret `env:"WHATSAPP_APP_SECRET"`
	BotToken      env.Secret `env:"TELEGRAM_BOT_TOKEN"`
	SecretToken   env.Secret `env:"TELEGRAM_SECRET_TOKEN"`
}

// Validate finds what parses and yet cannot be used.
func (c Config) Validate() error {
	u, err := url.Parse(c.WebhookURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("KNOBOT_SIMULATOR_WEBHOOK_URL must be an http or https URL")
	}
	return nil
}

// Seed adds the accounts that the environment names.
func (s *Server) Seed(c Config) error {
	if c.PhoneNumberID != "" && c.AccessToken.IsSet() {
		_, err := s.Graph.AddNumber(simulator.Number{
			ID: c.PhoneNumberID, BusinessID: c.BusinessID, AccessToken: c.AccessToken.Reveal(),
			VerifyToken: c.VerifyToken.Reveal(), AppSecret: c.AppSecret.Reveal(),
		})
		if err != nil {
			return fmt.Errorf("the WhatsApp number of the environment: %w", err)
		}
	}
	if !c.BotToken.IsSet() {
		return nil
	}
	_, err := s.Bots.AddBot(simulator.Bot{Token: c.BotToken.Reveal(), SecretToken: c.SecretToken.Reveal()})
	if err != nil {
		return fmt.Errorf("the Telegram bot of the environment: %w", err)
	}
	return nil
}
