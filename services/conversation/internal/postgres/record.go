package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// write stores everything that nothing else depends on, in one round trip.
func (in *intake) write(ctx context.Context) error {
	b := &pgx.Batch{}
	in.queueMessages(b)
	in.queueNotices(b)
	in.queueFeedback(b)
	in.queueFetches(b)
	in.queueEvents(b)
	in.queueStaff(b)
	in.queueTurns(b)
	in.queueReports(b)
	in.queueLogs(b)
	if len(in.amendments()) == 0 {
		in.tx.Commit(b)
	}
	return in.tx.SendBatch(ctx, b).Close()
}

// queueReports keeps delivery reports for channels, in the order of the webhook.
func (in *intake) queueReports(b *pgx.Batch) {
	var integrations, logs, messages, echoes, texts, pricing, models, types, traces []string
	var ordinals, codes []int32
	var states []int32
	var billable []bool
	for _, it := range in.items {
		r := it.report()
		if r == nil || it.outcome != conversation.OutcomeOpen {
			continue
		}
		integrations, logs = append(integrations, string(it.key().integration)), append(logs, string(it.log))
		ordinals, states = append(ordinals, it.Ordinal), append(states, int32(r.State))
		messages, echoes = append(messages, r.MessageID), append(echoes, r.Echo)
		codes, texts = append(codes, r.ErrorCode), append(texts, r.ErrorMessage)
		pricing, billable = append(pricing, r.PricingCategory), append(billable, r.Billable)
		models, types = append(models, r.PricingModel), append(types, r.PricingType)
		traces = append(traces, it.trace)
	}
	if len(logs) > 0 {
		b.Queue(in.store.sql.get("reports_insert"), integrations, logs, ordinals, messages, states, echoes, codes, texts,
			pricing, billable, models, types, traces)
	}
}

func (in *intake) queueEvents(b *pgx.Batch) {
	var logs, integrations, kinds, messages, outcomes, errs []string
	var ordinals []int32
	for _, it := range in.items {
		logs, ordinals = append(logs, string(it.log)), append(ordinals, it.Ordinal)
		integrations, kinds = append(integrations, string(it.key().integration)), append(kinds, it.Kind)
		messages, outcomes = append(messages, string(it.message)), append(outcomes, string(it.outcome))
		errs = append(errs, it.why)
	}
	if len(logs) > 0 {
		b.Queue(in.store.sql.get("events_insert"), logs, ordinals, integrations, kinds, messages, outcomes, errs)
	}
}

const statusOK = 200

func (in *intake) queueLogs(b *pgx.Batch) {
	var ids, platforms, types, repeats, errs, addresses []string
	var statuses []int32
	var digests [][]byte
	for _, d := range in.deliveries {
		if d.Continued {
			continue
		}
		ids, platforms = append(ids, string(d.Log)), append(platforms, string(d.Platform))
		types, statuses = append(types, d.eventType()), append(statuses, statusOK)
		digests, repeats = append(digests, d.digest[:]), append(repeats, string(d.duplicateOf))
		errs, addresses = append(errs, ""), append(addresses, d.RemoteAddress)
	}
	if len(ids) > 0 {
		b.Queue(in.store.sql.get("logs_insert"), ids, platforms, types, statuses, digests, repeats, errs, addresses)
	}
}

// eventType is the kind of the first event.
func (d *received) eventType() string {
	if len(d.items) == 0 {
		return "unknown"
	}
	return d.items[0].Kind
}
