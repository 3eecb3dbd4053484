package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// PendingReports names the integrations that have delivery reports for channels.
func (s *Store) PendingReports(ctx context.Context) ([]conversation.IntegrationID, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("reports_pending"))
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[conversation.IntegrationID])
	return out, platform.Fault(err)
}

// LeaseReports makes the caller the only one to hand on an integration's reports, so that they stay in order. It returns the
// token and how often handing on has failed in a row, or ErrBusy if another one is at it or a pause is not over.
func (s *Store) LeaseReports(ctx context.Context, integration conversation.IntegrationID, lease time.Duration) (string, int, error) {
	var token string
	var failures int
	err := s.pool.QueryRow(ctx, s.sql.get("reports_lease"), integration, seconds(lease)).Scan(&token, &failures)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", 0, conversation.ErrBusy
	}
	return token, failures, platform.Fault(err)
}

// OldestReports returns the next reports of an integration in their order.
func (s *Store) OldestReports(ctx context.Context, integration conversation.IntegrationID, limit int) ([]conversation.QueuedReport, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("reports_oldest"), integration, limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r conversation.QueuedReport, err error) {
		err = row.Scan(&r.MessageID, &r.State, &r.Echo, &r.ErrorCode, &r.ErrorMessage, &r.PricingCategory, &r.Billable,
			&r.PricingModel, &r.PricingType, &r.Place)
		return r, err
	})
	return out, platform.Fault(err)
}

// ReleaseReports gives the lease back, after a failure only when the pause is over.
func (s *Store) ReleaseReports(ctx context.Context, integration conversation.IntegrationID, token string, pause time.Duration, failed bool) error {
	_, err := s.pool.Exec(ctx, s.sql.get("reports_release"), integration, token, seconds(pause), failed)
	return platform.Fault(err)
}

// DropReports takes reports out of the queue that channels refuses for good.
func (s *Store) DropReports(ctx context.Context, reports []conversation.QueuedReport, cause string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		settled := newSettled(len(reports))
		for i, r := range reports {
			settled.set(i, r.Place, conversation.OutcomeFailed, "", cause)
		}
		return settled.exec(ctx, s, tx)
	})
}

// SettleReports stores what channels made of reports: states rise, answers that met a closed window are held.
func (s *Store) SettleReports(ctx context.Context, reports []conversation.QueuedReport, outcomes []conversation.ReportOutcome,
	template *conversation.WindowTemplate,
) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		settled := newSettled(len(reports))
		var requests, errs []string
		var states []conversation.DeliveryState
		for i, r := range reports {
			o := outcomes[i]
			if o.Request == "" {
				settled.set(i, r.Place, conversation.OutcomeUnknownMessage, "", "")
				continue
			}
			settled.set(i, r.Place, conversation.OutcomeRecorded, string(o.Request), "")
			requests, errs = append(requests, string(o.Request)), append(errs, r.ErrorMessage)
			states = append(states, o.State)
			if o.WindowClosed {
				if err := s.holdLate(ctx, tx, o.Request, template); err != nil {
					return err
				}
			}
		}
		if len(requests) > 0 {
			if _, err := tx.Exec(ctx, s.sql.get("messages_delivered"), requests, states, errs); err != nil {
				return err
			}
		}
		return settled.exec(ctx, s, tx)
	})
}

// settledReports are the columns of reports_settle.
type settledReports struct {
	places                    []int64
	outcomes, responses, errs []string
}

func newSettled(n int) *settledReports {
	return &settledReports{make([]int64, n), make([]string, n), make([]string, n), make([]string, n)}
}

func (r *settledReports) set(i int, place int64, o conversation.Outcome, response, cause string) {
	r.places[i], r.outcomes[i], r.responses[i], r.errs[i] = place, string(o), response, cause
}

func (r *settledReports) exec(ctx context.Context, s *Store, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, s.sql.get("reports_settle"), r.places, r.outcomes, r.responses, r.errs)
	return err
}

// holdLate holds an answer that WhatsApp took and then refused (error 131047): what it answered waits for the customer's next
// message, and the template invites to write it.
func (s *Store) holdLate(ctx context.Context, tx pgx.Tx, request conversation.RequestID, template *conversation.WindowTemplate) error {
	var t conversation.Turn
	var a conversation.Answer
	err := tx.QueryRow(ctx, s.sql.get("late_hold_find"), request).Scan(&a.ID, &t.Conversation, &a.Through, &a.Language)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // held already, or not an answer
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, s.sql.get("conversation_lock"), t.Conversation); err != nil {
		return err
	}
	var first *int64
	if err := tx.QueryRow(ctx, s.sql.get("late_hold_reopen"), a.ID, windowClosed).Scan(&first); err != nil || first == nil {
		return err
	}
	var invite bool
	err = tx.QueryRow(ctx, s.sql.get("conversation_hold"), t.Conversation, *first, template != nil).Scan(&invite)
	if err != nil || template == nil || !invite {
		return err
	}
	tag, err := tx.Exec(ctx, s.sql.get("late_hold_turn"), t.Conversation, a.Through)
	if err != nil || tag.RowsAffected() == 0 {
		return err // the customer wrote meanwhile: the window is open
	}
	return s.decide(ctx, tx, t, invitation(*template, a), nil)
}
