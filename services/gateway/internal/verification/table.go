// Package verification tells real webhooks from forged ones. It keeps a table of every integration's credentials, fed by
// the channels service, and goes on serving from it while that service is away.
package verification

import (
	"crypto/sha256"
	"sync/atomic"

	gateway "github.com/knobot/knobot/services/gateway"
)

// Credentials verify the webhooks of one integration.
type Credentials struct {
	Integration gateway.IntegrationID
	Platform    gateway.Platform
	// Refuse marks an integration that is not complete: its deliveries are refused, its handshake is answered so that
	// setting it up can go on.
	Refuse bool
	// Gone marks a deleted one, kept to acknowledge what is still on its way. It yields to another one of the same
	// number or secret.
	Gone bool

	// PhoneNumberID, AppSecrets, VerifyTokenSHA256 and AllowUnsigned are WhatsApp's.
	PhoneNumberID     string
	AppSecrets        [][]byte
	VerifyTokenSHA256 []byte
	AllowUnsigned     bool

	// SecretSHA256, BotID and BotUsername are Telegram's.
	SecretSHA256 [][]byte
	BotID        int64
	BotUsername  string
}

// Table answers whether a webhook is real. It is safe for concurrent use. The zero value is not synced.
type Table struct {
	current atomic.Pointer[snapshot]
}

type digest = [sha256.Size]byte

// snapshot is one immutable state of the table, but for lastGood, which only orders attempts.
type snapshot struct {
	secrets      []appSecret
	lastGood     atomic.Int64
	unsigned     gateway.Scope
	takeUnsigned bool
	verifyTokens []digest
	bots         map[digest]gateway.Bot
}

type appSecret struct {
	key   []byte
	scope gateway.Scope
}

// Synced reports whether the table has been filled once.
func (t *Table) Synced() bool { return t.current.Load() != nil }

// Replace makes all the table's new content. The order of all decides which app secrets are tried first.
func (t *Table) Replace(all []Credentials) {
	t.current.Store(newSnapshot(all))
}

func newSnapshot(all []Credentials) *snapshot {
	s := &snapshot{bots: map[digest]gateway.Bot{}}
	builder := newScopeBuilder()
	for _, gone := range [...]bool{true, false} { // those that live overwrite those that are gone.
		for i := range all {
			if all[i].Gone == gone {
				s.add(&all[i], builder)
			}
		}
	}
	s.secrets = builder.secrets()
	s.takeUnsigned = len(builder.unsigned) > 0
	s.unsigned = gateway.NewScope(builder.unsigned, true)
	return s
}

func (s *snapshot) add(c *Credentials, builder *scopeBuilder) {
	if d, ok := toDigest(c.VerifyTokenSHA256); ok && c.Platform == gateway.WhatsApp && !c.Gone {
		s.verifyTokens = append(s.verifyTokens, d)
	}
	switch {
	case c.Refuse:
	case c.Platform == gateway.WhatsApp:
		builder.add(c)
	case c.Platform == gateway.Telegram:
		for _, raw := range c.SecretSHA256 {
			if d, ok := toDigest(raw); ok {
				s.bots[d] = gateway.Bot{Integration: c.Integration, ID: c.BotID, Username: c.BotUsername}
			}
		}
	}
}

func toDigest(raw []byte) (digest, bool) {
	if len(raw) != sha256.Size {
		return digest{}, false
	}
	return digest(raw), true
}

// scopeBuilder groups the numbers of WhatsApp integrations by app secret: one Meta app signs for all of its numbers.
type scopeBuilder struct {
	order    []string
	bySecret map[string]map[string]gateway.IntegrationID
	unsigned map[string]gateway.IntegrationID
}

func newScopeBuilder() *scopeBuilder {
	return &scopeBuilder{bySecret: map[string]map[string]gateway.IntegrationID{}, unsigned: map[string]gateway.IntegrationID{}}
}

func (b *scopeBuilder) add(c *Credentials) {
	for _, secret := range c.AppSecrets {
		if len(secret) == 0 {
			continue // an HMAC with an empty key is one that anybody can make.
		}
		numbers, ok := b.bySecret[string(secret)]
		if !ok {
			numbers = map[string]gateway.IntegrationID{}
			b.bySecret[string(secret)] = numbers
			b.order = append(b.order, string(secret))
		}
		numbers[c.PhoneNumberID] = c.Integration
	}
	if c.AllowUnsigned {
		b.unsigned[c.PhoneNumberID] = c.Integration
	}
}

// secrets lists them so that those of living integrations, which were added last, are tried first.
func (b *scopeBuilder) secrets() []appSecret {
	out := make([]appSecret, 0, len(b.order))
	for i := len(b.order) - 1; i >= 0; i-- {
		out = append(out, appSecret{key: []byte(b.order[i]), scope: gateway.NewScope(b.bySecret[b.order[i]], false)})
	}
	return out
}
