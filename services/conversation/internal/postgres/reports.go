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
			&r.PricingModel, &r.PricingType, &r.Place, &r.Trace)
		return r, err
	})
	return out, platform.Fault(err)
}

// Traced returns the traces of the turns that decided these answers, as far as they were traced.
func (s *Store) Traced(ctx context.Context, requests []conversation.RequestID) (map[conversation.RequestID]string, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("answers_traced"), strs(requests))
	if err != nil {
		return nil, platform.Fault(err)
	}
	traces := map[conversation.RequestID]string{}
	var request conversation.RequestID
	var trace string
	_, err = pgx.ForEachRow(rows, []any{&request, &trace}, func() error { traces[request] = trace; return nil })
	return traces, platform.Fault(err)
}

// ReleaseReports gives the lease back, after a failure only when the pause is over.
func (s *Store) ReleaseReports(ctx context.Context, integration conversation.IntegrationID, token string, pause time.Duration, failed bool) error {
	_, err := s.pool.Exec(ctx, s.sql.get("reports_release"), integration, token, seconds(pause), failed)
	return platform.Fault(err)
}

// DropReports takes reports out of the queue that channels refuses for good.
func (s *Store) DropReports(ctx context.Context, reports []conversation.QueuedReport, cause string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var settled settledReports
		for _, r := range reports {
			settled.add(r.Place, conversation.OutcomeFailed, "", cause)
		}
		return settled.exec(ctx, s, tx)
	})
}

// SettleReports stores what channels made of reports: states rise, answers that met a closed window are held, and what was lost
// for a reason that passes goes out again.
func (s *Store) SettleReports(ctx context.Context, reports []conversation.QueuedReport, outcomes []conversation.ReportOutcome,
	template *conversation.WindowTemplate,
) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var settled settledReports
		var requests, errs []string
		var states []conversation.DeliveryState
		var unknown []int64
		for i, r := range reports {
			o := outcomes[i]
			if o.Request == "" {
				settled.add(r.Place, conversation.OutcomeUnknownMessage, "", "")
				unknown = append(unknown, r.Place)
				continue
			}
			becomes, err := s.undo(ctx, tx, o, template)
			if err != nil {
				return err
			}
			if becomes == stands {
				requests, errs = append(requests, string(o.Request)), append(errs, r.ErrorMessage)
				states = append(states, o.State)
			}
			if becomes != comesTooSoon {
				settled.add(r.Place, conversation.OutcomeRecorded, string(o.Request), "")
			}
		}
		if len(unknown) > 0 {
			if _, err := tx.Exec(ctx, s.sql.get("reports_erased"), unknown); err != nil {
				return err
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

func (r *settledReports) add(place int64, o conversation.Outcome, response, cause string) {
	r.places, r.outcomes = append(r.places, place), append(r.outcomes, string(o))
	r.responses, r.errs = append(r.responses, response), append(r.errs, cause)
}

func (r *settledReports) exec(ctx context.Context, s *Store, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, s.sql.get("reports_settle"), r.places, r.outcomes, r.responses, r.errs)
	return err
}
