package channels

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Secret is a credential in clear. It prints as "[secret]" whatever prints it; only Reveal shows it.
type Secret string

const hidden = "[secret]"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb: without it, %x would print it.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON and from loggers.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Digest returns its SHA-256.
func (s Secret) Digest() []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// SecretField names what a secret is for.
type SecretField string

// The secrets of an integration.
const (
	AccessToken   SecretField = "access_token"
	VerifyToken   SecretField = "verify_token"
	AppSecret     SecretField = "app_secret"
	BotToken      SecretField = "bot_token"
	WebhookSecret SecretField = "webhook_secret"
)

// platform says whose secret it is.
func (f SecretField) platform() Platform {
	if f == BotToken || f == WebhookSecret {
		return Telegram
	}
	return WhatsApp
}

// rotated says which secrets stay valid beside their successor: those that a provider signs with, because it learns of the
// new one later than we do.
func (f SecretField) rotated() bool { return f == AppSecret || f == WebhookSecret }

// RotationGrace is how long a replaced webhook secret stays valid.
const RotationGrace = 24 * time.Hour

// maxRotated bounds the valid predecessors of one secret: the gateway tries at most 32 app secrets in all.
const maxRotated = 4

// StoredSecret is a secret of an integration.
type StoredSecret struct {
	Field      SecretField
	Value      Secret
	CreateTime time.Time
	// ExpireTime is set for a replaced secret, zero for the current one.
	ExpireTime time.Time
}

// Secret returns the current secret of a field, empty for none.
func (i Integration) Secret(field SecretField) Secret {
	for _, s := range i.Secrets {
		if s.Field == field && s.ExpireTime.IsZero() {
			return s.Value
		}
	}
	return ""
}

// ValidSecrets returns the current secret of a field and those that it replaced lately, the newest first.
func (i Integration) ValidSecrets(field SecretField) []Secret {
	var stored []StoredSecret
	for _, s := range i.Secrets {
		if s.Field == field {
			stored = append(stored, s)
		}
	}
	slices.SortStableFunc(stored, newestFirst)
	values := make([]Secret, len(stored))
	for n, s := range stored {
		values[n] = s.Value
	}
	return values
}

func newestFirst(a, b StoredSecret) int {
	if a.ExpireTime.IsZero() != b.ExpireTime.IsZero() {
		if a.ExpireTime.IsZero() {
			return -1
		}
		return 1
	}
	return b.CreateTime.Compare(a.CreateTime)
}

// SetSecret replaces a secret; an empty value removes it. The old one stays valid for RotationGrace if providers use it.
// Credentials that were entered, were they the same, start a stopped integration again.
func (i *Integration) SetSecret(field SecretField, value Secret, now time.Time) {
	value = Secret(strings.TrimSpace(value.Reveal()))
	if value != "" {
		i.StopReason = ""
	}
	if i.Secret(field) == value {
		return
	}
	var kept []StoredSecret
	for _, s := range i.Secrets {
		switch {
		case s.Field != field:
			kept = append(kept, s)
		case !field.rotated() || s.Value == value:
			// Gone at once, or current again.
		default:
			if s.ExpireTime.IsZero() {
				s.ExpireTime = now.Add(RotationGrace)
			}
			kept = append(kept, s)
		}
	}
	i.Secrets = kept
	if value != "" {
		i.Secrets = append(i.Secrets, StoredSecret{Field: field, Value: value, CreateTime: now})
	}
	i.dropOldest(field)
}

// dropOldest keeps at most maxRotated predecessors of a field.
func (i *Integration) dropOldest(field SecretField) {
	values := i.ValidSecrets(field)
	for n := maxRotated + 1; n < len(values); n++ {
		i.Secrets = slices.DeleteFunc(i.Secrets, func(s StoredSecret) bool { return s.Field == field && s.Value == values[n] })
	}
}

// NewWebhookSecret makes a secret of 26 letters and digits, 130 random bits.
func NewWebhookSecret() Secret { return Secret(rand.Text()) }
