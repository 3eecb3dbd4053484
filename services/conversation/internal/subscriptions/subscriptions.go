// Package subscriptions tells programs of the company what happens, by webhooks that are signed as Standard Webhooks says
// (https://www.standardwebhooks.com).
package subscriptions

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation"
)

// Store keeps subscriptions.
type Store interface {
	// CreateSubscription stores one with its sealed secret, or returns conversation.ErrTooMany.
	CreateSubscription(ctx context.Context, s conversation.Subscription, secret []byte) (conversation.Subscription, error)
	// UpdateSubscription changes one, or returns conversation.ErrNotFound.
	UpdateSubscription(ctx context.Context, id conversation.SubscriptionID, c conversation.SubscriptionChange) (conversation.Subscription, error)
	// RotateSecret stores a new sealed secret; the one before goes on signing for a while. Returns conversation.ErrNotFound.
	RotateSecret(ctx context.Context, id conversation.SubscriptionID, secret []byte) error
	// SealedSecrets returns every secret that is stored.
	SealedSecrets(ctx context.Context) ([]conversation.SealedSecret, error)
	// ReplaceSealed stores another ciphertext of a secret, unless the secret was changed meanwhile.
	ReplaceSealed(ctx context.Context, s conversation.SealedSecret, again []byte) error
}

const (
	secretField = "secret"
	// secretPrefix and secretBytes are as Standard Webhooks says (specification, "Signature scheme", read 2026-11-26).
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// Service makes and changes subscriptions.
type Service struct {
	store     Store
	sealer    *sealing.Sealer
	addresses Addresses
}

// NewService returns a service. The sealer is nil where there is no keyset.
func NewService(store Store, sealer *sealing.Sealer, a Addresses) *Service {
	return &Service{store: store, sealer: sealer, addresses: a}
}

// Create makes a subscription and returns its secret. Its errors are Store's and faults of kind Invalid or Precondition.
func (s *Service) Create(ctx context.Context, sub conversation.Subscription) (conversation.Subscription, string, error) {
	if err := s.check(conversation.SubscriptionChange{URL: &sub.URL, Types: &sub.Types, Integration: &sub.Integration}); err != nil {
		return sub, "", err
	}
	sub.ID = conversation.SubscriptionID(uuid.NewString())
	secret, sealed, err := s.newSecret(sub.ID)
	if err != nil {
		return sub, "", err
	}
	sub.Types = distinct(sub.Types)
	sub, err = s.store.CreateSubscription(ctx, sub, sealed)
	return sub, secret, err
}

// Update changes a subscription. Its errors are Store's and faults of kind Invalid.
func (s *Service) Update(ctx context.Context, id conversation.SubscriptionID, c conversation.SubscriptionChange) (conversation.Subscription, error) {
	if err := s.check(c); err != nil {
		return conversation.Subscription{}, err
	}
	if c.Types != nil {
		types := distinct(*c.Types)
		c.Types = &types
	}
	return s.store.UpdateSubscription(ctx, id, c)
}

// RotateSecret makes a new secret and returns it. Its errors are Store's and faults of kind Precondition.
func (s *Service) RotateSecret(ctx context.Context, id conversation.SubscriptionID) (string, error) {
	secret, sealed, err := s.newSecret(id)
	if err != nil {
		return "", err
	}
	return secret, s.store.RotateSecret(ctx, id, sealed)
}

// ReSeal seals with the primary key what another one sealed, or only counts.
func (s *Service) ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error) {
	// There are at most two for each of conversation.MaxSubscriptions.
	secrets, err := s.store.SealedSecrets(ctx)
	if err != nil {
		return sealing.Report{}, err
	}
	run := sealing.NewReSealing(s.sealer, countOnly)
	for _, secret := range secrets {
		again, err := run.Take(secret.Sealed, string(secret.Subscription), secretField)
		if err == nil && again != nil {
			err = s.store.ReplaceSealed(ctx, secret, again)
		}
		if err != nil {
			return sealing.Report{}, err
		}
	}
	return run.Report(), nil
}

func (s *Service) newSecret(id conversation.SubscriptionID) (secret string, sealed []byte, err error) {
	if s.sealer == nil {
		return "", nil, fault.New(fault.Precondition, "KEYSET_MISSING", "KNOBOT_ENCRYPTION_KEYSET is not set for the conversation service: there is nothing to seal the secret with")
	}
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	secret = secretPrefix + base64.StdEncoding.EncodeToString(raw)
	sealed, err = s.sealer.Seal(secret, string(id), secretField)
	return secret, sealed, err
}

const maxIntegrationID = 256

func (s *Service) check(c conversation.SubscriptionChange) error {
	if c.URL != nil {
		if err := s.addresses.check(*c.URL); err != nil {
			return fault.Newf(fault.Invalid, "URL_INVALID", "url is an https address of up to %d characters without user and fragment",
				conversation.MaxSubscriptionURL)
		}
	}
	if c.Types != nil && (len(*c.Types) == 0 || slices.ContainsFunc(*c.Types, func(t conversation.NoticeType) bool { return !t.Known() })) {
		return fault.Newf(fault.Invalid, "EVENT_TYPES_INVALID", "event_types are one or more of %v", conversation.NoticeTypes())
	}
	if c.Integration != nil && (len(*c.Integration) > maxIntegrationID || strings.ContainsRune(string(*c.Integration), 0)) {
		return fault.Newf(fault.Invalid, "INTEGRATION_INVALID", "integration_id has up to %d bytes", maxIntegrationID)
	}
	return nil
}

func distinct(types []conversation.NoticeType) []conversation.NoticeType {
	types = slices.Clone(types)
	slices.Sort(types)
	return slices.Compact(types)
}
