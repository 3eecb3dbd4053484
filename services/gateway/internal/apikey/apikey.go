package apikey

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// Store keeps keys.
type Store interface {
	// InsertKey stores a key. Returns gateway.ErrKeyExists if one that is not revoked has its name.
	InsertKey(ctx context.Context, k gateway.APIKey) (gateway.APIKey, error)
	// Key returns a key, or gateway.ErrKeyNotFound.
	Key(ctx context.Context, id string) (gateway.APIKey, error)
	// Keys lists keys, newest first, after one; nil for the first page.
	Keys(ctx context.Context, after *gateway.APIKey, limit int) ([]gateway.APIKey, error)
	// RotateKey gives a key another secret. Returns gateway.ErrKeyNotFound or gateway.ErrKeyRevoked.
	RotateKey(ctx context.Context, id string, d gateway.Digest) (gateway.APIKey, error)
	// RevokeKey ends a key, or returns gateway.ErrKeyNotFound.
	RevokeKey(ctx context.Context, id string) (gateway.APIKey, error)
	// UseKey notes that a key was used.
	UseKey(ctx context.Context, id string, at time.Time) error
}

// Service keeps the keys.
type Service struct {
	store Store
	uses  *uses
	now   func() time.Time
}

// New makes the service.
func New(store Store) *Service { return &Service{store: store, uses: newUses(), now: time.Now} }

// Draft is a key that is to be made.
type Draft struct {
	Name          string
	Role          gateway.Role
	IntegrationID string
	ExpireTime    time.Time // zero: never
}

// Create makes a key and returns its secret, which is kept nowhere. EXPIRED_ALREADY if it would be over before it begins,
// KEY_EXISTS if a key that is not revoked has its name.
func (s *Service) Create(ctx context.Context, d Draft) (gateway.APIKey, string, error) {
	if !d.ExpireTime.IsZero() && !d.ExpireTime.After(s.now()) {
		return gateway.APIKey{}, "", fault.New(fault.Invalid, "EXPIRED_ALREADY", "expire_time must be in the future")
	}
	id := newID()
	secret := newSecret(id)
	k, err := s.store.InsertKey(ctx, gateway.APIKey{
		ID: id, Name: d.Name, Digest: digestOf(secret), Role: d.Role, IntegrationID: d.IntegrationID, ExpireTime: d.ExpireTime,
	})
	return k, secret, toFault(err)
}

// Get returns a key. KEY_NOT_FOUND if there is none.
func (s *Service) Get(ctx context.Context, id string) (gateway.APIKey, error) {
	k, err := s.store.Key(ctx, id)
	return k, toFault(err)
}

// List lists keys, newest first, after one; nil for the first page.
func (s *Service) List(ctx context.Context, after *gateway.APIKey, limit int) ([]gateway.APIKey, error) {
	return s.store.Keys(ctx, after, limit)
}

// Rotate gives a key a new secret and returns it; the old one ends at once. KEY_NOT_FOUND, or KEY_REVOKED.
func (s *Service) Rotate(ctx context.Context, id string) (gateway.APIKey, string, error) {
	secret := newSecret(id)
	k, err := s.store.RotateKey(ctx, id, digestOf(secret))
	return k, secret, toFault(err)
}

// Revoke ends a key at once. KEY_NOT_FOUND if there is none.
func (s *Service) Revoke(ctx context.Context, id string) (gateway.APIKey, error) {
	k, err := s.store.RevokeKey(ctx, id)
	return k, toFault(err)
}

// Authenticate tells whose a secret is. CREDENTIAL_REFUSED if nobody's; who has the right secret of a key that is over is told
// so: KEY_EXPIRED, KEY_REVOKED.
func (s *Service) Authenticate(ctx context.Context, secret string) (gateway.Caller, error) {
	id, ok := idOf(secret)
	if !ok {
		return gateway.Caller{}, errRefused()
	}
	k, err := s.store.Key(ctx, id)
	if err != nil && !errors.Is(err, gateway.ErrKeyNotFound) {
		return gateway.Caller{}, err
	}
	now, digest := s.now(), digestOf(secret)
	// Of an unknown key the digest is zero, which no secret has.
	if subtle.ConstantTimeCompare(k.Digest[:], digest[:]) != 1 {
		return gateway.Caller{}, errRefused()
	}
	switch {
	case !k.RevokeTime.IsZero():
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "KEY_REVOKED", "the key is revoked")
	case !k.ExpireTime.IsZero() && !now.Before(k.ExpireTime):
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "KEY_EXPIRED", "the key has expired")
	}
	s.uses.note(k, now)
	return gateway.Caller{ID: "key:" + k.ID, Name: k.Name, Role: k.Role, IntegrationID: k.IntegrationID}, nil
}

func errRefused() error {
	return fault.New(fault.Unauthenticated, "CREDENTIAL_REFUSED", "the credential is not valid")
}

func toFault(err error) error {
	switch {
	case errors.Is(err, gateway.ErrKeyNotFound):
		return fault.New(fault.NotFound, "KEY_NOT_FOUND", "there is no such key")
	case errors.Is(err, gateway.ErrKeyExists):
		return fault.New(fault.Conflict, "KEY_EXISTS", "a key that is not revoked has this name")
	case errors.Is(err, gateway.ErrKeyRevoked):
		return fault.New(fault.Precondition, "KEY_REVOKED", "the key is revoked: make another one")
	}
	return err
}
