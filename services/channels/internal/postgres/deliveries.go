package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/channels"
)

const insertDelivery = `
insert into deliveries (request_id, integration_id, platform, recipient, fingerprint, template)
values ($1, $2, $3, $4, $5, $6)
on conflict (request_id) do nothing`

const (
	selectDelivery = `
select request_id, integration_id::text, platform, recipient, fingerprint, template, maybe_duplicate, lease_token, lease_until, now() as now
from deliveries where request_id = $1`
	lockDelivery = selectDelivery + ` for update`
	selectParts  = `
select content, phase, try, try_time, doubts, late_failures, message_id, state, error_code, error_message,
       billable, pricing_model, pricing_type, pricing_category
from delivery_parts where request_id = $1 order by ordinal`
)

const updateDelivery = `
update deliveries set maybe_duplicate = $2, lease_token = $3, lease_until = $4, template = $5 where request_id = $1`

const savePart = `
insert into delivery_parts (request_id, ordinal, content, phase, try, try_time, doubts, message_id, state, error_code, error_message,
                            billable, pricing_model, pricing_type, pricing_category, late_failures)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (request_id, ordinal) do update
set content = excluded.content, phase = excluded.phase, try = excluded.try, try_time = excluded.try_time, doubts = excluded.doubts,
    message_id = excluded.message_id, state = excluded.state, error_code = excluded.error_code, error_message = excluded.error_message,
    billable = excluded.billable, pricing_model = excluded.pricing_model, pricing_type = excluded.pricing_type,
    pricing_category = excluded.pricing_category, late_failures = excluded.late_failures`

const findMessage = `
select p.request_id, p.ordinal, p.try
from delivery_parts p join deliveries d using (request_id)
where p.message_id = $2 and p.message_id <> '' and d.integration_id = $1`

const pruneDeliveries = `
delete from deliveries where request_id in (select request_id from deliveries where create_time < now() - $1::interval limit $2)`

// Open stores a delivery unless its request is known, lets step change what is stored, with the database's time, and commits
// the result, or nothing if step says so. It holds the row's lock meanwhile, so that of many calls with one request id one
// steps at a time.
func (s *Store) Open(ctx context.Context, fresh channels.Delivery, step func(d *channels.Delivery, now time.Time) bool) error {
	return s.change(ctx, fresh.RequestID, &fresh, step)
}

// Step lets step change a delivery under its row's lock, with the database's time, and commits the result, or nothing if
// step says so. Returns channels.ErrNotFound if there is none.
func (s *Store) Step(ctx context.Context, requestID string, step func(d *channels.Delivery, now time.Time) bool) error {
	return s.change(ctx, requestID, nil, step)
}

// errKeepNothing rolls a delivery back to what it was.
var errKeepNothing = errors.New("nothing to keep")

// change is Step, and Open where fresh is what to store for an unknown request.
func (s *Store) change(ctx context.Context, requestID string, fresh *channels.Delivery, step func(d *channels.Delivery, now time.Time) bool) error {
	err := postgres.Quickly(ctx, s.pool, func(tx *postgres.QuickTx) error {
		b := tx.Begin()
		isNew := false
		if fresh != nil {
			b.Queue(insertDelivery, fresh.RequestID, fresh.IntegrationID, fresh.Platform, fresh.Recipient, fresh.Fingerprint, fresh.Template).
				Exec(func(tag pgconn.CommandTag) error { isNew = tag.RowsAffected() > 0; return nil })
		}
		d, now, err := readDelivery(ctx, tx, b, lockDelivery, requestID)
		if err != nil {
			return err
		}
		before := d
		before.Parts = slices.Clone(d.Parts)
		if isNew {
			d = *fresh
		}
		if !step(&d, now) {
			return errKeepNothing
		}
		b = changes(before, d)
		tx.Commit(b)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return failed("store delivery", err)
		}
		return nil
	})
	if errors.Is(err, errKeepNothing) {
		return nil
	}
	return postgres.Fault(err)
}

// Delivery returns a delivery. Returns channels.ErrNotFound if there is none.
func (s *Store) Delivery(ctx context.Context, requestID string) (channels.Delivery, error) {
	d, _, err := readDelivery(ctx, s.pool, &pgx.Batch{}, selectDelivery, requestID)
	return d, err
}

// FindMessage returns whose message a provider's id names within an integration. Returns channels.ErrNotFound for a message
// that is not ours.
func (s *Store) FindMessage(ctx context.Context, integrationID, messageID string) (requestID string, step channels.Step, err error) {
	err = s.pool.QueryRow(ctx, findMessage, integrationID, messageID).Scan(&requestID, &step.Part, &step.Try)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", channels.Step{}, channels.ErrNotFound
	}
	if err != nil {
		return "", channels.Step{}, failed("find message", err)
	}
	return requestID, step, nil
}

// PruneDeliveries removes up to limit deliveries that are older than keep.
func (s *Store) PruneDeliveries(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.pool.Exec(ctx, pruneDeliveries, keep, limit)
	if err != nil {
		return 0, failed("prune deliveries", err)
	}
	return tag.RowsAffected(), nil
}

type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// readDelivery sends a batch and, at its end, reads a delivery.
func readDelivery(ctx context.Context, q batcher, b *pgx.Batch, query, requestID string) (channels.Delivery, time.Time, error) {
	var (
		head  deliveryRow
		parts []partRow
	)
	b.Queue(query, requestID).Query(func(rows pgx.Rows) (err error) {
		head, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[deliveryRow])
		return err
	})
	b.Queue(selectParts, requestID).Query(func(rows pgx.Rows) (err error) {
		parts, err = pgx.CollectRows(rows, pgx.RowToStructByName[partRow])
		return err
	})
	err := q.SendBatch(ctx, b).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return channels.Delivery{}, time.Time{}, channels.ErrNotFound
	}
	if err != nil {
		return channels.Delivery{}, time.Time{}, failed("read delivery", err)
	}
	return head.delivery(parts), head.Now, nil
}

// changes returns the batch that writes what differs from before.
func changes(before, d channels.Delivery) *pgx.Batch {
	b := &pgx.Batch{}
	if d.MaybeDuplicate != before.MaybeDuplicate || d.Lease != before.Lease || d.Template != before.Template {
		b.Queue(updateDelivery, d.RequestID, d.MaybeDuplicate, d.Lease.Token, timeOrNull(d.Lease.Until), d.Template)
	}
	for n, p := range d.Parts {
		if n < len(before.Parts) && before.Parts[n].Progress == p.Progress {
			continue
		}
		b.Queue(savePart, d.RequestID, n, newContentRow(p), p.Phase, p.Try, timeOrNull(p.TryTime), p.Doubts, p.MessageID, p.State,
			p.ErrorCode, p.ErrorMessage, p.Pricing.Billable, p.Pricing.Model, p.Pricing.Type, p.Pricing.Category,
			p.LateFailures)
	}
	return b
}
