package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// logsCommand shows webhooks.
type logsCommand struct {
	List logsListCommand `cmd:"" default:"withargs" help:"List the last webhooks, newest first."`
	Get  logsGetCommand  `cmd:"" help:"Show one webhook: its events, or its body with --output json."`
}

// logsListCommand lists webhooks, newest first: the mission's first monitoring query.
type logsListCommand struct {
	Platform    string `enum:"whatsapp,telegram," default:"" help:"Only this platform's: whatsapp or telegram."`
	Limit       int32  `short:"n" default:"10" help:"How many, at most 1000."`
	Dead        bool   `help:"Only webhooks with a message that could not be answered."`
	Integration string `placeholder:"ID" help:"Only those with an event of this number or bot."`
	Event       string `placeholder:"KIND" help:"Only those whose first event is of this kind, such as messages, statuses, rejected."`
	Outcome     string `help:"Only those with an event that came to this, such as answered, duplicate, stale, dead."`
	period
}

// Run prints one line per webhook.
func (c logsListCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, conversationv1.NewWebhookLogServiceClient, func(ctx context.Context, logs conversationv1.WebhookLogServiceClient) error {
		r, err := logs.ListWebhookLogs(ctx, &conversationv1.ListWebhookLogsRequest{
			Platform: platformOf(c.Platform), PageSize: c.Limit, DeadOnly: c.Dead, IntegrationId: c.Integration, EventType: c.Event,
			Outcome: c.Outcome, StartTime: c.start(time.Now()), EndTime: c.end(),
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return logTable(r.GetWebhookLogs()) })
	})
}

func logTable(logs []*conversationv1.WebhookLog) present.Table {
	t := present.Table{Header: []string{"ID", "RECEIVED", "PLATFORM", "EVENT", "STATUS", "RESPONSE", "ERROR", "PROCESSED"}}
	for _, l := range logs {
		t.Add(l.GetId(), moment(l.GetCreateTime()), platformName(l.GetPlatform()), l.GetEventType(), l.GetResponseStatus(),
			l.GetResponse(), l.GetErrorMessage(), moment(l.GetProcessedTime()))
	}
	return t
}

// logsGetCommand shows one webhook.
type logsGetCommand struct {
	ID string `arg:"" help:"The webhook's id, as knobot logs prints it."`
}

// Run prints one line per event.
func (c logsGetCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, conversationv1.NewWebhookLogServiceClient, func(ctx context.Context, logs conversationv1.WebhookLogServiceClient) error {
		r, err := logs.GetWebhookLog(ctx, &conversationv1.GetWebhookLogRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return eventTable(r.GetWebhookLog().GetEvents()) })
	})
}

func eventTable(events []*conversationv1.WebhookEvent) present.Table {
	t := present.Table{Header: []string{"EVENT", "KIND", "OUTCOME", "MESSAGE", "ANSWER", "ERROR", "PROCESSED"}}
	for _, e := range events {
		t.Add(e.GetOrdinal(), e.GetKind(), e.GetOutcome(), e.GetMessageId(), e.GetResponse(), e.GetError(), moment(e.GetProcessedTime()))
	}
	return t
}

// statsCommand counts webhooks by platform: the mission's second monitoring query.
type statsCommand struct{ period }

// period is a range of time.
type period struct {
	Since  time.Duration `placeholder:"DURATION" help:"Only the last while, such as 24h."`
	Before time.Time     `format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME" help:"Only before this time, such as 2026-11-26T15:04:05Z."`
}

func (p period) start(now time.Time) *timestamppb.Timestamp {
	if p.Since <= 0 {
		return nil
	}
	return timestamppb.New(now.Add(-p.Since))
}

func (p period) end() *timestamppb.Timestamp {
	if p.Before.IsZero() {
		return nil
	}
	return timestamppb.New(p.Before)
}

// Run prints one line per platform and, for a range of time, one per outcome.
func (c statsCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, conversationv1.NewWebhookLogServiceClient, func(ctx context.Context, logs conversationv1.WebhookLogServiceClient) error {
		r, err := logs.CountWebhookLogs(ctx, &conversationv1.CountWebhookLogsRequest{StartTime: c.start(time.Now()), EndTime: c.end()})
		if err != nil {
			return err
		}
		err = s.show(r, func() present.Table {
			t := present.Table{Header: []string{"PLATFORM", "TOTAL", "REJECTED"}}
			for _, count := range r.GetCounts() {
				t.Add(platformName(count.GetPlatform()), count.GetTotal(), count.GetRejected())
			}
			return t
		})
		if err != nil || len(r.GetOutcomes()) == 0 || s.format != present.AsTable {
			return err
		}
		fmt.Fprintln(s.out)
		return s.show(r, func() present.Table { return outcomeTable(r.GetOutcomes()) })
	})
}

func outcomeTable(outcomes []*conversationv1.CountWebhookLogsResponse_OutcomeCount) present.Table {
	t := present.Table{Header: []string{"PLATFORM", "INTEGRATION", "OUTCOME", "EVENTS"}}
	for _, o := range outcomes {
		t.Add(platformName(o.GetPlatform()), o.GetIntegrationId(), o.GetOutcome(), o.GetTotal())
	}
	return t
}

// replayCommand opens dead messages again.
type replayCommand struct {
	ID string `arg:"" help:"The webhook's id, as knobot logs prints it."`
}

// Run opens them and says how many.
func (c replayCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, conversationv1.NewWebhookLogServiceClient, func(ctx context.Context, logs conversationv1.WebhookLogServiceClient) error {
		r, err := logs.ReplayWebhookLog(ctx, &conversationv1.ReplayWebhookLogRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%d messages wait for an answer again", r.GetReopenedEvents())
	})
}

func platformOf(name string) typev1.Platform {
	switch name {
	case "whatsapp":
		return typev1.Platform_PLATFORM_WHATSAPP
	case "telegram":
		return typev1.Platform_PLATFORM_TELEGRAM
	}
	return typev1.Platform_PLATFORM_UNSPECIFIED
}

func platformName(p typev1.Platform) string { return word(p.String(), "PLATFORM_") }

// word is an enum's value as people say it.
func word(value, prefix string) string { return strings.ToLower(strings.TrimPrefix(value, prefix)) }

// moment is a time in the reader's zone.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format(time.DateTime)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
