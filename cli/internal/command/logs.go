package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// logsCommand lists webhooks, newest first: the mission's first monitoring query.
type logsCommand struct {
	conversationPeer
	Platform string `enum:"whatsapp,telegram," default:"" help:"Only this platform's: whatsapp or telegram."`
	Limit    int32  `short:"n" default:"10" help:"How many, at most 1000."`
	Dead     bool   `help:"Only webhooks with a message that could not be answered."`
}

// Run prints one line per webhook.
func (c logsCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.Conversation)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := conversationv1.NewWebhookLogServiceClient(conn).ListWebhookLogs(ctx, &conversationv1.ListWebhookLogsRequest{
		Platform: platformOf(c.Platform), PageSize: c.Limit, DeadOnly: c.Dead,
	})
	if err != nil {
		return err
	}
	return printLogs(s.out, r.GetWebhookLogs())
}

func printLogs(out io.Writer, logs []*conversationv1.WebhookLog) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tRECEIVED\tPLATFORM\tEVENT\tSTATUS\tRESPONSE\tERROR\tPROCESSED")
	for _, l := range logs {
		processed := "-"
		if l.GetProcessedTime() != nil {
			processed = clock(l.GetProcessedTime().AsTime())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", l.GetId(), clock(l.GetCreateTime().AsTime()), platformName(l.GetPlatform()),
			l.GetEventType(), l.GetResponseStatus(), orDash(l.GetResponse()), orDash(l.GetErrorMessage()), processed)
	}
	return w.Flush()
}

// statsCommand counts webhooks by platform: the mission's second monitoring query.
type statsCommand struct{ conversationPeer }

// Run prints one line per platform.
func (c statsCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.Conversation)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := conversationv1.NewWebhookLogServiceClient(conn).CountWebhookLogs(ctx, &conversationv1.CountWebhookLogsRequest{})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PLATFORM\tTOTAL\tREJECTED")
	for _, count := range r.GetCounts() {
		fmt.Fprintf(w, "%s\t%d\t%d\n", platformName(count.GetPlatform()), count.GetTotal(), count.GetRejected())
	}
	return w.Flush()
}

// replayCommand opens dead messages again.
type replayCommand struct {
	conversationPeer
	ID string `arg:"" help:"The webhook's id, as knobot logs prints it."`
}

// Run opens them and says how many.
func (c replayCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.Conversation)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := conversationv1.NewWebhookLogServiceClient(conn).ReplayWebhookLog(ctx, &conversationv1.ReplayWebhookLogRequest{Id: c.ID})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d messages wait for an answer again\n", r.GetReopenedEvents())
	return err
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

func platformName(p typev1.Platform) string {
	return strings.ToLower(strings.TrimPrefix(p.String(), "PLATFORM_"))
}

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
