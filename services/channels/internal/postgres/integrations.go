package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/knobot/knobot/services/channels"
)

// Secrets come in the same statement as their integration, so that both are of one moment.
const selectIntegration = `
select id::text, name, platform, enabled, stop_reason, coalesce(phone_number_id, '') as phone_number_id, business_account_id,
       allow_unsigned, coalesce(bot_id, 0) as bot_id, bot_username, settings, seeded, revision,
       create_time, update_time, delete_time, purge_time, xmin::text as row_version,
       (select coalesce(jsonb_agg(jsonb_build_object('field', s.field, 'sealed', encode(s.sealed, 'hex'),
                                                     'create_time', s.create_time, 'expire_time', s.expire_time)
                                  order by s.ordinal), '[]')
        from secrets s
        where s.integration_id = i.id and (s.expire_time is null or s.expire_time > now())) as secrets
from integrations i `

const (
	whereID    = `where i.id = $1 and i.purge_time is null`
	whereLive  = `where i.id = $1 and i.delete_time is null for no key update of i`
	wherePage  = `where i.delete_time is null and ($1 = '' or i.platform = $1) and (i.name, i.id::text) > ($2, $3) order by i.name, i.id::text limit $4`
	whereSince = `where i.revision > $1 and (i.purge_time is null or $1 > 0) order by i.revision, i.id`
)

const (
	selectRevision = `select value from revision`
	// selectRowVersion is of an integration: each change of it or of its secrets writes its row, which then has another xmin.
	selectRowVersion = `select xmin::text from integrations where id = $1 and purge_time is null`
)

// The row lock is held until the commit: see revision in the schema.
const raiseRevision = `update revision set value = value + 1 returning value, now()`

const insertIntegration = `
insert into integrations (id, name, platform, enabled, stop_reason, phone_number_id, business_account_id, allow_unsigned,
                          bot_id, bot_username, settings, seeded, revision, delete_time)
values ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, nullif($9::bigint, 0), $10, $11, $12, $13, $14)
on conflict (id) do update
set name = excluded.name, enabled = excluded.enabled, stop_reason = excluded.stop_reason,
    phone_number_id = excluded.phone_number_id, business_account_id = excluded.business_account_id,
    allow_unsigned = excluded.allow_unsigned, bot_id = excluded.bot_id, bot_username = excluded.bot_username,
    settings = excluded.settings, revision = excluded.revision, delete_time = excluded.delete_time, update_time = now()`

// seen is an integration as it was read.
type seen struct {
	channels.Integration
	rowVersion string
}

// Get returns an integration, tombstones included. Returns channels.ErrNotFound if there is none. One that was read before and has
// not changed is not read, unsealed and decoded again: every message asks for it. A replaced secret may be in it for a moment
// after its time.
func (s *Store) Get(ctx context.Context, id string) (channels.Integration, error) {
	known, _ := s.known.Load(id)
	if i, ok := known.(seen); ok && s.unchanged(ctx, i) {
		return i.Integration, nil
	}
	rows, err := s.read(ctx, s.pool, whereID, id)
	if err != nil {
		return channels.Integration{}, err
	}
	if len(rows) == 0 {
		s.known.Delete(id)
		return channels.Integration{}, channels.ErrNotFound
	}
	i := rows[0].integration(s.sealer)
	s.known.Store(id, seen{i, rows[0].RowVersion})
	return i, nil
}

func (s *Store) unchanged(ctx context.Context, i seen) bool {
	var version string
	err := s.pool.QueryRow(ctx, selectRowVersion, i.ID).Scan(&version)
	return err == nil && version == i.rowVersion
}

// List returns up to limit integrations after (name, id), by name, without tombstones; of all platforms for an empty one.
func (s *Store) List(ctx context.Context, p channels.Platform, afterName, afterID string, limit int) ([]channels.Integration, error) {
	return s.many(ctx, s.pool, wherePage, string(p), afterName, afterID, limit)
}

// Since returns what changed after a revision, tombstones and purged ones included, and the revision reached. Since 0 it
// returns everything that is not purged. Nothing that committed before is missed, some may come twice.
func (s *Store) Since(ctx context.Context, revision int64) ([]channels.Integration, int64, error) {
	var reached int64
	if err := s.pool.QueryRow(ctx, selectRevision).Scan(&reached); err != nil {
		return nil, 0, failed("read the revision", err)
	}
	if reached == revision {
		return nil, revision, nil
	}
	changed, err := s.many(ctx, s.pool, whereSince, revision)
	return changed, reached, err
}

// Create stores a new integration and returns it as stored. A tombstone of the same number, bot or secret makes way.
// Returns channels.ErrPhoneNumberTaken, ErrBotTaken or ErrWebhookSecretTaken for what belongs to another.
func (s *Store) Create(ctx context.Context, i channels.Integration) (channels.Integration, error) {
	var stored channels.Integration
	err := s.transact(ctx, func(tx pgx.Tx) error {
		revision, _, err := raise(ctx, tx)
		if err != nil {
			return err
		}
		i.Revision = revision
		stored, err = s.save(ctx, tx, i, true)
		return err
	})
	return stored, taken(err)
}

// Change loads an integration that is not deleted, lets change edit it with the database's time, and returns it as stored.
// Nothing is stored if change fails. Returns channels.ErrNotFound, what change returned, or what Create returns.
func (s *Store) Change(ctx context.Context, id string, change func(i *channels.Integration, now time.Time) error) (channels.Integration, error) {
	var stored channels.Integration
	err := s.transact(ctx, func(tx pgx.Tx) error {
		revision, now, err := raise(ctx, tx)
		if err != nil {
			return err
		}
		i, err := s.one(ctx, tx, whereLive, id)
		if err != nil {
			return err
		}
		before := append([]channels.StoredSecret(nil), i.Secrets...)
		if err := change(&i, now); err != nil {
			return err
		}
		i.Revision = revision
		stored, err = s.save(ctx, tx, i, secretsDiffer(before, i.Secrets))
		return err
	})
	return stored, taken(err)
}

// save writes an integration and, if they changed, its secrets.
func (s *Store) save(ctx context.Context, tx pgx.Tx, i channels.Integration, withSecrets bool) (channels.Integration, error) {
	if i.DeleteTime.IsZero() {
		if err := evictTombstones(ctx, tx, i); err != nil {
			return i, err
		}
	}
	_, err := tx.Exec(ctx, insertIntegration, i.ID, i.Name, i.Platform, i.Enabled, i.StopReason, i.WhatsApp.PhoneNumberID,
		i.WhatsApp.BusinessAccountID, i.WhatsApp.AllowUnsigned, i.Telegram.BotID, i.Telegram.BotUsername,
		newSettingsRow(i.Settings), i.Seeded, i.Revision, timeOrNull(i.DeleteTime))
	if err != nil {
		return i, failed("store integration", err)
	}
	if withSecrets {
		if err := s.saveSecrets(ctx, tx, i); err != nil {
			return i, err
		}
	}
	return s.one(ctx, tx, whereID, i.ID)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (s *Store) one(ctx context.Context, q querier, where, id string) (channels.Integration, error) {
	found, err := s.many(ctx, q, where, id)
	if err != nil {
		return channels.Integration{}, err
	}
	if len(found) == 0 {
		return channels.Integration{}, channels.ErrNotFound
	}
	return found[0], nil
}

func (s *Store) read(ctx context.Context, q querier, where string, args ...any) ([]integrationRow, error) {
	rows, err := q.Query(ctx, selectIntegration+where, args...)
	if err != nil {
		return nil, failed("read integrations", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[integrationRow])
	if err != nil {
		return nil, failed("read integrations", err)
	}
	return found, nil
}

func (s *Store) many(ctx context.Context, q querier, where string, args ...any) ([]channels.Integration, error) {
	found, err := s.read(ctx, q, where, args...)
	if err != nil {
		return nil, err
	}
	integrations := make([]channels.Integration, len(found))
	for n, r := range found {
		integrations[n] = r.integration(s.sealer)
	}
	return integrations, nil
}

func raise(ctx context.Context, tx pgx.Tx) (revision int64, now time.Time, err error) {
	if err := tx.QueryRow(ctx, raiseRevision).Scan(&revision, &now); err != nil {
		return 0, now, failed("raise the revision", err)
	}
	return revision, now, nil
}

// taken names what a unique index refused.
func taken(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "23505" {
		return err
	}
	switch pgErr.ConstraintName {
	case "integrations_phone_number_id":
		return channels.ErrPhoneNumberTaken
	case "integrations_bot_id":
		return channels.ErrBotTaken
	case "secrets_digest":
		return channels.ErrWebhookSecretTaken
	default:
		return err
	}
}
