package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/gateway/internal/edge"
)

// Config is what the gateway reads from the environment.
type Config struct {
	service.Config
	HTTPAddr           string         `env:"KNOBOT_HTTP_ADDR" envDefault:"127.0.0.1:9000"`
	AdminAddr          string         `env:"KNOBOT_ADMIN_ADDR" envDefault:"127.0.0.1:9080"`
	ConversationAddr   string         `env:"KNOBOT_CONVERSATION_ADDR" envDefault:"127.0.0.1:9101"`
	RAGAddr            string         `env:"KNOBOT_RAG_ADDR" envDefault:"127.0.0.1:9102"`
	ChannelsAddr       string         `env:"KNOBOT_CHANNELS_ADDR" envDefault:"127.0.0.1:9103"`
	DatabaseURL        env.Secret     `env:"KNOBOT_DATABASE_URL"`
	MigrateDatabaseURL env.Secret     `env:"KNOBOT_MIGRATE_DATABASE_URL"`
	AdminAPIKey        env.Secret     `env:"KNOBOT_ADMIN_API_KEY"`
	OIDCIssuer         string         `env:"KNOBOT_OIDC_ISSUER"`
	OIDCAudience       string         `env:"KNOBOT_OIDC_AUDIENCE"`
	OIDCRolesClaim     string         `env:"KNOBOT_OIDC_ROLES_CLAIM" envDefault:"knobot_role"`
	KeepAudit          time.Duration  `env:"KNOBOT_KEEP_AUDIT" envDefault:"8760h"`
	TelegramCIDRs      []netip.Prefix `env:"KNOBOT_TELEGRAM_CIDRS"`
	TrustedProxies     []netip.Prefix `env:"KNOBOT_TRUSTED_PROXIES"`
}

// shortestKey is how many characters a key of one's own choice needs: it must not be guessed.
const shortestKey = 24

// Validate checks what types cannot say.
func (c *Config) Validate() error {
	var faults []error
	if n := len(c.AdminAPIKey.Reveal()); n > 0 && n < shortestKey {
		faults = append(faults, fmt.Errorf("KNOBOT_ADMIN_API_KEY: it needs %d characters at least", shortestKey))
	}
	if (c.OIDCIssuer == "") != (c.OIDCAudience == "") {
		faults = append(faults, errors.New("KNOBOT_OIDC_ISSUER, KNOBOT_OIDC_AUDIENCE: they come together, one is not set"))
	}
	if c.OIDCIssuer != "" && !trustworthy(c.OIDCIssuer) {
		faults = append(faults, errors.New("KNOBOT_OIDC_ISSUER: an https address is needed, or one of this machine"))
	}
	if c.KeepAudit < 0 {
		faults = append(faults, errors.New("KNOBOT_KEEP_AUDIT: it must not be negative"))
	}
	return errors.Join(faults...)
}

// trustworthy says whether nobody on the way can put keys of their own into the issuer's answers.
func trustworthy(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// ownerURL is the URL for `migrate`.
func (c *Config) ownerURL() env.Secret {
	if c.MigrateDatabaseURL.IsSet() {
		return c.MigrateDatabaseURL
	}
	return c.DatabaseURL
}

func (c *Config) sources() edge.Sources {
	return edge.Sources{Proxies: c.TrustedProxies, Telegram: c.TelegramCIDRs}
}
