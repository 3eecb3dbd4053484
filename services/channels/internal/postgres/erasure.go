package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/channels"
)

const (
	// The reports that still come of them are of unknown messages.
	forgetDeliveries = `
delete from deliveries
where integration_id = $1 and (recipient = any ($2::text[]) and recipient <> '' or request_id = any ($3::text[]))`

	forgetPauses = `delete from pauses where integration_id = $1 and recipient = any ($2::text[]) and recipient <> ''`

	forgetPacing = `delete from pacing where integration_id = $1 and recipient = any ($2::text[]) and recipient <> ''`

	// See insertMedia.
	forgetFetches = `
insert into forgotten_media (integration_id, provider_sha256)
select i.id, sha256(convert_to(forgotten, 'UTF8')) from integrations i, unnest($2::text[]) as forgotten where i.id = $1 group by 1, 2 order by 2
on conflict (integration_id, provider_sha256) do update set create_time = excluded.create_time`

	lockForgotten = `
select id::text, blob_key from media
where id = any ($2::text[]::uuid[]) and integration_id = $1 or integration_id = $1 and provider_id = any ($3::text[])
order by id limit 1 for update`

	// A file is too old by its integration's own setting, else by the service's; 0 keeps it for ever. Files that were uploaded to be
	// sent are the company's.
	lockExpired = `
select old.id::text, old.blob_key
from (select id, coalesce((settings->'retention'->>'media_ns')::float8 / 1e9, $1) as keep from integrations) as i
cross join lateral (
    select m.id, m.blob_key from media m
    where m.integration_id = i.id and m.provider_id is not null and m.create_time < now() - i.keep * interval '1 second'
    order by m.create_time limit 1
    for update skip locked
) as old
where i.keep > 0
limit 1`

	deleteMedia = `delete from media where id = $1`

	pruneForgotten = `delete from forgotten_media where create_time < now() - $1::interval`
)

// ForgetDeliveries removes deliveries, pauses and quotas of a customer, and keeps files of theirs that are just being fetched
// from being stored.
func (s *Store) ForgetDeliveries(ctx context.Context, t channels.Traces) error {
	b := &pgx.Batch{}
	b.Queue(forgetDeliveries, t.IntegrationID, t.Recipients, t.Requests)
	b.Queue(forgetPauses, t.IntegrationID, t.Recipients)
	b.Queue(forgetPacing, t.IntegrationID, t.Recipients)
	if len(t.ProviderMedia) > 0 {
		b.Queue(forgetFetches, t.IntegrationID, t.ProviderMedia)
	}
	err := s.transact(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, b).Close() })
	if err != nil {
		return failed("forget deliveries", err)
	}
	return nil
}

// ForgetMedia removes one file of a customer, with remove, and reports whether there was one. If remove fails, its row stays.
func (s *Store) ForgetMedia(ctx context.Context, t channels.Traces, remove func(ctx context.Context, blobKey string) error) (bool, error) {
	return s.removeMedia(ctx, remove, lockForgotten, t.IntegrationID, t.Media, t.ProviderMedia)
}

// ExpireMedia removes one received file that is older than its integration keeps them, or than keep where it does not say, and
// reports whether there was one.
func (s *Store) ExpireMedia(ctx context.Context, keep time.Duration, remove func(ctx context.Context, blobKey string) error) (bool, error) {
	return s.removeMedia(ctx, remove, lockExpired, keep.Seconds())
}

func (s *Store) removeMedia(
	ctx context.Context, remove func(ctx context.Context, blobKey string) error, find string, args ...any,
) (bool, error) {
	found := false
	err := s.transact(ctx, func(tx pgx.Tx) error {
		var id, key string
		err := tx.QueryRow(ctx, find, args...).Scan(&id, &key)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return failed("look for files to remove", err)
		}
		found = true
		if err := remove(ctx, key); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, deleteMedia, id)
		return err
	})
	return found, err
}

// PruneForgotten lets files be fetched again that were forgotten longer than keep ago.
func (s *Store) PruneForgotten(ctx context.Context, keep time.Duration) error {
	if _, err := s.pool.Exec(ctx, pruneForgotten, keep); err != nil {
		return failed("prune forgotten files", err)
	}
	return nil
}
