package gateway

import (
	"errors"
	"slices"
)

// MaxBodyBytes is the largest body taken. Meta sends up to 3 MB and 1,000 updates in one POST (WhatsApp docs, Webhooks
// overview, 11 Sep 2026).
const MaxBodyBytes = 4 << 20

// Reasons to refuse a webhook. Callers compare with errors.Is.
var (
	// ErrNotSynced says that the credentials are not known yet: the provider should try again, nothing is wrong with it.
	ErrNotSynced = errors.New("verification table is not synced")
	// ErrMissingCredential says that no signature, secret or token came along.
	ErrMissingCredential = errors.New("credential is missing")
	// ErrWrongCredential says that a signature, secret or token came along and does not match.
	ErrWrongCredential = errors.New("credential does not match")
	// ErrWrongVerifyToken says that a handshake is not Meta's, or not about this company.
	ErrWrongVerifyToken = errors.New("verify token does not match")
	// ErrMalformedBody says that a verified body is not JSON.
	ErrMalformedBody = errors.New("body is not JSON")
	// ErrMissingChallenge says that a handshake has nothing to echo.
	ErrMissingChallenge = errors.New("challenge is missing")
	// ErrBodyTooLarge says that a body is over MaxBodyBytes.
	ErrBodyTooLarge = errors.New("body is too large")
	// ErrTooManyGuesses says that an address has sent too many wrong verify tokens to be listened to for a while.
	ErrTooManyGuesses = errors.New("too many wrong verify tokens")
	// ErrForeignSource says that a webhook comes from an address that is not the platform's.
	ErrForeignSource = errors.New("source is not the platform's")
)

// RejectionReason is why a delivery is refused, for the record.
type RejectionReason uint8

// The rejection reasons.
const (
	RejectedMissingCredential RejectionReason = iota + 1
	RejectedWrongCredential
	RejectedMalformedBody
	RejectedWrongVerifyToken
	RejectedBodyTooLarge
	RejectedForeignSource
)

// String returns the reason as metrics show it.
func (r RejectionReason) String() string {
	names := [...]string{"unknown", "missing_credential", "wrong_credential", "malformed_body", "wrong_verify_token", "body_too_large", "foreign_source"}
	if int(r) >= len(names) {
		return names[0]
	}
	return names[r]
}

// Rejection describes a refused delivery, without its body.
type Rejection struct {
	Platform      Platform
	RemoteAddress string
	Reason        RejectionReason
}

// Delivery is one verified webhook.
type Delivery struct {
	Platform      Platform
	Payload       []byte
	Events        []Event
	RemoteAddress string
}

// Scope is what a verified WhatsApp body may speak for.
type Scope struct {
	numbers map[string]IntegrationID
	account IntegrationID
	// Unsigned says that the body carries no proof: it counts only for numbers that take unsigned webhooks.
	Unsigned bool
}

// NewScope makes a scope from integrations by phone number id.
func NewScope(numbers map[string]IntegrationID, unsigned bool) Scope {
	scope := Scope{numbers: numbers, Unsigned: unsigned}
	for _, id := range numbers {
		if scope.account == "" || id < scope.account {
			scope.account = id
		}
	}
	return scope
}

// Number returns the integration of a phone number id that the body may speak for.
func (s Scope) Number(phoneNumberID string) (IntegrationID, bool) {
	id, ok := s.numbers[phoneNumberID]
	return id, ok
}

// Account returns the integration under which news of the whole account is recorded: always the same one of the scope,
// so that a repeat is recognised.
func (s Scope) Account() IntegrationID { return s.account }

// Integrations returns every integration of the scope in a stable order. Business-scoped user ids belong to the whole
// portfolio, so news about one concerns each of them.
func (s Scope) Integrations() []IntegrationID {
	ids := make([]IntegrationID, 0, len(s.numbers))
	for _, id := range s.numbers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Bot is the Telegram bot that a secret stands for.
type Bot struct {
	Integration IntegrationID
	// ID is the bot's user id, 0 until known.
	ID int64
	// Username is without @, empty until known.
	Username string
}

// MaxEvents is how many events one body may hold; more is treated as too large. Meta promises at most 1,000 updates.
const MaxEvents = 10_000
