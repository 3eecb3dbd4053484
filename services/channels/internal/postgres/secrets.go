package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/channels"
)

const (
	deleteSecrets = `delete from secrets where integration_id = $1`
	// What has expired no longer keeps anybody from using the same secret; markExpired tells the watchers first.
	deleteExpiredSecrets = `delete from secrets where expire_time <= now()`
	insertSecret         = `
insert into secrets (integration_id, ordinal, field, sealed, digest, create_time, expire_time)
values ($1, $2, $3, $4, $5, $6, $7)`
)

// A tombstone holds its number, bot and secret until somebody wants them again.
const evict = `
with gone as (
    update integrations i
    set purge_time = now(), revision = $4
    where i.delete_time is not null and i.purge_time is null
      and (i.phone_number_id = nullif($1, '') or i.bot_id = nullif($2::bigint, 0)
           or exists (select from secrets s where s.integration_id = i.id and s.digest = any ($3::bytea[])))
    returning i.id)
delete from secrets s using gone where s.integration_id = gone.id`

const findExpired = `
select exists (select from secrets where expire_time <= now())
    or exists (select from integrations where delete_time <= now() - $1::interval and purge_time is null)`

const markExpired = `
update integrations set revision = $1
where purge_time is null and id in (select integration_id from secrets where expire_time <= now())`

const purgeTombstones = `
with gone as (
    update integrations set purge_time = now(), revision = $2
    where delete_time <= now() - $1::interval and purge_time is null
    returning id)
delete from secrets s using gone where s.integration_id = gone.id`

// saveSecrets replaces the secrets of an integration.
func (s *Store) saveSecrets(ctx context.Context, tx pgx.Tx, i channels.Integration) error {
	var b pgx.Batch
	b.Queue(deleteSecrets, i.ID)
	b.Queue(markExpired, i.Revision)
	b.Queue(deleteExpiredSecrets)
	for n, secret := range i.Secrets {
		sealed, err := s.sealer.Seal(secret.Value.Reveal(), i.ID, string(secret.Field))
		if err != nil {
			return err
		}
		b.Queue(insertSecret, i.ID, n, secret.Field, sealed, digest(secret), secret.CreateTime, timeOrNull(secret.ExpireTime))
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return failed("store secrets", err)
	}
	return nil
}

func digest(s channels.StoredSecret) []byte {
	if s.Field != channels.WebhookSecret {
		return nil
	}
	return s.Value.Digest()
}

func evictTombstones(ctx context.Context, tx pgx.Tx, i channels.Integration) error {
	var digests [][]byte
	for _, s := range i.Secrets {
		if d := digest(s); d != nil {
			digests = append(digests, d)
		}
	}
	_, err := tx.Exec(ctx, evict, i.WhatsApp.PhoneNumberID, i.Telegram.BotID, digests, i.Revision)
	if err != nil {
		return failed("evict tombstones", err)
	}
	return nil
}

// Expire removes replaced secrets whose time is over and what is left of integrations deleted before keep.
func (s *Store) Expire(ctx context.Context, keep time.Duration) error {
	var due bool
	if err := s.pool.QueryRow(ctx, findExpired, keep).Scan(&due); err != nil {
		return failed("look for expired secrets", err)
	}
	if !due {
		return nil
	}
	return s.transact(ctx, func(tx pgx.Tx) error {
		revision, _, err := raise(ctx, tx)
		if err != nil {
			return err
		}
		var b pgx.Batch
		b.Queue(markExpired, revision)
		b.Queue(deleteExpiredSecrets)
		b.Queue(purgeTombstones, keep, revision)
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return failed("expire secrets", err)
		}
		return nil
	})
}
