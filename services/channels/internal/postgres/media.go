package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

const (
	selectMedia = `
select id::text, integration_id::text, coalesce(provider_id, ''), mime_type, filename, size_bytes, encode(sha256, 'hex'), blob_key, create_time
from media `
	whereMediaID  = `where id = $1`
	whereProvider = `where integration_id = $1 and provider_id = $2`
)

const insertMediaWrite = `insert into media_writes (blob_key) values ($1)`

const deleteMediaWrite = `delete from media_writes where blob_key = $1`

// Of two fetches of one file the later waits here for the commit of the other and then adds nothing; nor does one whose customer
// was forgotten meanwhile.
const insertMedia = `
insert into media (id, integration_id, provider_id, mime_type, filename, size_bytes, sha256, blob_key)
select $1::uuid, $2::uuid, nullif($3, ''), $4, $5, $6::bigint, $7::bytea, $8
where not exists (select from forgotten_media
                  where integration_id = $2::uuid and provider_sha256 = sha256(convert_to($3, 'UTF8')) and create_time > now() - $9::interval)
on conflict (integration_id, provider_id) do nothing`

const lockAbandoned = `
select blob_key from media_writes where create_time < now() - $1::interval
order by create_time limit 1 for update skip locked`

// Media returns a stored file. Returns channels.ErrNotFound if there is none.
func (s *Store) Media(ctx context.Context, id string) (channels.MediaRecord, error) {
	return s.media(ctx, whereMediaID, id)
}

// FetchedMedia returns the file that is stored under a provider's id. Returns channels.ErrNotFound if there is none.
func (s *Store) FetchedMedia(ctx context.Context, integrationID, providerID string) (channels.MediaRecord, error) {
	return s.media(ctx, whereProvider, integrationID, providerID)
}

func (s *Store) media(ctx context.Context, where string, args ...any) (channels.MediaRecord, error) {
	var m channels.MediaRecord
	err := s.pool.QueryRow(ctx, selectMedia+where, args...).Scan(&m.ID, &m.IntegrationID, &m.ProviderID, &m.MIMEType, &m.Filename,
		&m.SizeBytes, &m.SHA256, &m.BlobKey, &m.CreateTime)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, channels.ErrNotFound
	}
	if err != nil {
		return m, failed("read media", err)
	}
	return m, nil
}

// BeginMedia notes that a file is about to be written under a key. What is not committed is removed by ReapMedia.
func (s *Store) BeginMedia(ctx context.Context, blobKey string) error {
	if _, err := s.pool.Exec(ctx, insertMediaWrite, blobKey); err != nil {
		return failed("note the write of a file", err)
	}
	return nil
}

// CommitMedia adds a file that was begun and is written, and returns it as stored. Of a received file that is there already it
// returns that one, and the new bytes stay abandoned. Returns channels.ErrMediaGone if the file was forgotten meanwhile, and a
// fault of kind Unavailable if the write took so long that ReapMedia removed it.
func (s *Store) CommitMedia(ctx context.Context, m channels.MediaRecord) (channels.MediaRecord, error) {
	sum, err := hex.DecodeString(m.SHA256)
	if err != nil {
		return m, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		begun, err := tx.Exec(ctx, deleteMediaWrite, m.BlobKey)
		if err != nil {
			return failed("settle the write of a file", err)
		}
		if begun.RowsAffected() == 0 {
			return fault.New(fault.Unavailable, "MEDIA_STORE_UNAVAILABLE", "the file took too long to write, try again")
		}
		added, err := tx.Exec(ctx, insertMedia, m.ID, m.IntegrationID, m.ProviderID, m.MIMEType, m.Filename, m.SizeBytes, sum, m.BlobKey,
			keepForgotten)
		if err != nil {
			return failed("store media", err)
		}
		if added.RowsAffected() == 0 {
			return errKeepNothing
		}
		return nil
	})
	if errors.Is(err, errKeepNothing) {
		stored, err := s.FetchedMedia(ctx, m.IntegrationID, m.ProviderID)
		if errors.Is(err, channels.ErrNotFound) {
			err = channels.ErrMediaGone
		}
		return stored, err
	}
	if err != nil {
		return m, err
	}
	return s.Media(ctx, m.ID)
}

// ReapMedia removes, with remove, one file whose write began longer than age ago and was never committed. It reports whether
// there was one. A write that ends at the same moment finds its note gone, so that no row is left without its file.
func (s *Store) ReapMedia(ctx context.Context, age time.Duration, remove func(ctx context.Context, blobKey string) error) (bool, error) {
	found := false
	err := s.transact(ctx, func(tx pgx.Tx) error {
		var key string
		err := tx.QueryRow(ctx, lockAbandoned, age).Scan(&key)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return failed("look for abandoned files", err)
		}
		found = true
		if err := remove(ctx, key); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, deleteMediaWrite, key)
		return err
	})
	return found, err
}
