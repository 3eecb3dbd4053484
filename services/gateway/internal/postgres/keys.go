package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	gateway "github.com/knobot/knobot/services/gateway"
)

const keyColumns = `id, name, digest, role, integration_id, create_time, expire_time, revoke_time, last_use_time`

const (
	insertKey = `insert into api_keys (id, name, digest, role, integration_id, expire_time) values ($1, $2, $3, $4, $5, $6)
returning ` + keyColumns

	getKey = `select ` + keyColumns + ` from api_keys where id = $1`

	// The first page begins after a time that no key has.
	listKeys = `select ` + keyColumns + ` from api_keys where (create_time, id) < ($1, $2) order by create_time desc, id desc limit $3`

	rotateKey = `update api_keys set digest = $2 where id = $1 and revoke_time is null returning ` + keyColumns

	revokeKey = `update api_keys set revoke_time = coalesce(revoke_time, now()) where id = $1 returning ` + keyColumns

	// Replicas note the same key, each once a minute: all but the first change nothing.
	useKey = `update api_keys set last_use_time = $2
where id = $1 and (last_use_time is null or last_use_time < $2::timestamptz - interval '1 minute')`
)

// uniqueViolation is SQLSTATE 23505.
const uniqueViolation = "23505"

// InsertKey stores a key. Returns ErrKeyExists if one that is not revoked has its name.
func (s *Store) InsertKey(ctx context.Context, k gateway.APIKey) (gateway.APIKey, error) {
	stored, err := s.key(ctx, "store key", insertKey, k.ID, k.Name, k.Digest[:], k.Role.String(), k.IntegrationID, nullable(k.ExpireTime))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == uniqueViolation {
		return stored, gateway.ErrKeyExists
	}
	return stored, err
}

// Key returns a key, or ErrKeyNotFound.
func (s *Store) Key(ctx context.Context, id string) (gateway.APIKey, error) {
	return s.key(ctx, "read key", getKey, id)
}

// Keys lists keys, newest first, after one that need not exist any more; nil for the first page.
func (s *Store) Keys(ctx context.Context, after *gateway.APIKey, limit int) ([]gateway.APIKey, error) {
	from := gateway.APIKey{CreateTime: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	if after != nil {
		from = *after
	}
	rows, err := s.db.Query(ctx, listKeys, from.CreateTime, from.ID, limit)
	if err != nil {
		return nil, failed("list keys", err)
	}
	keys, err := pgx.CollectRows(rows, scanKey)
	if err != nil {
		return nil, failed("list keys", err)
	}
	return keys, nil
}

// RotateKey gives a key another secret. Returns ErrKeyNotFound or ErrKeyRevoked.
func (s *Store) RotateKey(ctx context.Context, id string, d gateway.Digest) (gateway.APIKey, error) {
	k, err := s.key(ctx, "rotate key", rotateKey, id, d[:])
	if !errors.Is(err, gateway.ErrKeyNotFound) {
		return k, err
	}
	if _, err := s.Key(ctx, id); err != nil {
		return gateway.APIKey{}, err
	}
	return gateway.APIKey{}, gateway.ErrKeyRevoked
}

// RevokeKey ends a key, or returns ErrKeyNotFound. A revoked one stays as it is.
func (s *Store) RevokeKey(ctx context.Context, id string) (gateway.APIKey, error) {
	return s.key(ctx, "revoke key", revokeKey, id)
}

// UseKey notes that a key was used, to the minute.
func (s *Store) UseKey(ctx context.Context, id string, at time.Time) error {
	if _, err := s.db.Exec(ctx, useKey, id, at); err != nil {
		return failed("note use of key", err)
	}
	return nil
}

// key runs a statement that returns one key.
func (s *Store) key(ctx context.Context, what, sql string, args ...any) (gateway.APIKey, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return gateway.APIKey{}, failed(what, err)
	}
	k, err := pgx.CollectExactlyOneRow(rows, scanKey)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return k, gateway.ErrKeyNotFound
	case err != nil:
		return k, failed(what, err)
	}
	return k, nil
}

func scanKey(row pgx.CollectableRow) (gateway.APIKey, error) {
	var k gateway.APIKey
	var digest []byte
	var role string
	var expire, revoke, use *time.Time
	err := row.Scan(&k.ID, &k.Name, &digest, &role, &k.IntegrationID, &k.CreateTime, &expire, &revoke, &use)
	copy(k.Digest[:], digest)
	k.Role, _ = gateway.ParseRole(role) // the table holds nothing else
	k.ExpireTime, k.RevokeTime, k.LastUseTime = orZero(expire), orZero(revoke), orZero(use)
	return k, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
