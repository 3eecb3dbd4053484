package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// CreateSubscription stores one with its sealed secret. Returns ErrTooMany if there are as many as may be.
func (s *Store) CreateSubscription(ctx context.Context, sub conversation.Subscription, secret []byte) (conversation.Subscription, error) {
	made, err := s.subscription(ctx, "subscription_insert", sub.ID, sub.URL, strs(sub.Types), sub.Integration, sub.Enabled, secret,
		conversation.MaxSubscriptions)
	if errors.Is(err, conversation.ErrNotFound) {
		return made, conversation.ErrTooMany
	}
	return made, err
}

// Subscription returns one, or ErrNotFound.
func (s *Store) Subscription(ctx context.Context, id conversation.SubscriptionID) (conversation.Subscription, error) {
	return s.subscription(ctx, "subscription_get", id)
}

// UpdateSubscription changes one. Returns ErrNotFound.
func (s *Store) UpdateSubscription(ctx context.Context, id conversation.SubscriptionID, c conversation.SubscriptionChange) (conversation.Subscription, error) {
	var types []string
	if c.Types != nil {
		types = strs(*c.Types)
	}
	return s.subscription(ctx, "subscription_update", id, c.URL, types, c.Integration, c.Enabled)
}

func (s *Store) subscription(ctx context.Context, statement string, args ...any) (conversation.Subscription, error) {
	rows, err := s.pool.Query(ctx, s.sql.get(statement), args...)
	if err != nil {
		return conversation.Subscription{}, platform.Fault(err)
	}
	sub, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[conversation.Subscription])
	return sub, found(err)
}

// Subscriptions lists them, newest first.
func (s *Store) Subscriptions(ctx context.Context, limit int, after *conversation.Cursor) ([]conversation.Subscription, error) {
	from := start(after)
	rows, err := s.pool.Query(ctx, s.sql.get("subscriptions_list"), from.Time, from.ID, limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.Subscription])
	return out, platform.Fault(err)
}

// RotateSecret stores a new sealed secret; the one before goes on signing for a while. Returns ErrNotFound.
func (s *Store) RotateSecret(ctx context.Context, id conversation.SubscriptionID, secret []byte) error {
	tag, err := s.pool.Exec(ctx, s.sql.get("subscription_rotate"), id, secret, seconds(conversation.FormerSecretLife))
	if err == nil && tag.RowsAffected() == 0 {
		return conversation.ErrNotFound
	}
	return platform.Fault(err)
}

// SealedSecrets returns every secret that is stored.
func (s *Store) SealedSecrets(ctx context.Context) ([]conversation.SealedSecret, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("subscriptions_sealed"))
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.SealedSecret])
	return out, platform.Fault(err)
}

// ReplaceSealed stores another ciphertext of a secret, unless the secret was changed meanwhile.
func (s *Store) ReplaceSealed(ctx context.Context, secret conversation.SealedSecret, again []byte) error {
	_, err := s.pool.Exec(ctx, s.sql.get("subscription_reseal"), secret.Subscription, secret.Sealed, again)
	return platform.Fault(err)
}

// DeleteSubscription removes one with its notices. Returns ErrNotFound.
func (s *Store) DeleteSubscription(ctx context.Context, id conversation.SubscriptionID) error {
	var n int
	err := s.pool.QueryRow(ctx, s.sql.get("subscription_delete"), id).Scan(&n)
	if err == nil && n == 0 {
		return conversation.ErrNotFound
	}
	return platform.Fault(err)
}

// Notices lists what a subscription is told, newest first. Returns ErrNotFound for an unknown one.
func (s *Store) Notices(ctx context.Context, f conversation.NoticeFilter) ([]conversation.Notice, error) {
	if _, err := s.Subscription(ctx, f.Subscription); err != nil {
		return nil, err
	}
	name := "notices_list"
	if f.DeadOnly {
		name = "notices_list_dead"
	}
	from := start(f.After)
	rows, err := s.pool.Query(ctx, s.sql.get(name), f.Subscription, from.Time, from.ID, f.Limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.Notice])
	return out, platform.Fault(err)
}

// RetryNotice makes a notice due now, whatever became of it. Returns ErrNotFound or ErrDisabled.
func (s *Store) RetryNotice(ctx context.Context, subscription conversation.SubscriptionID, id conversation.NoticeID) (conversation.Notice, error) {
	sub, err := s.Subscription(ctx, subscription)
	if err != nil {
		return conversation.Notice{}, err
	}
	if _, err := s.notice(ctx, subscription, id); err != nil {
		return conversation.Notice{}, err
	}
	if !sub.Enabled {
		return conversation.Notice{}, conversation.ErrDisabled
	}
	if _, err := s.pool.Exec(ctx, s.sql.get("notice_retry"), id); err != nil {
		return conversation.Notice{}, platform.Fault(err)
	}
	return s.notice(ctx, subscription, id)
}

func (s *Store) notice(ctx context.Context, subscription conversation.SubscriptionID, id conversation.NoticeID) (conversation.Notice, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("notice_get"), id, subscription)
	if err != nil {
		return conversation.Notice{}, platform.Fault(err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[conversation.Notice])
	return n, found(err)
}
