package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// integrationsCommand lists numbers and bots.
type integrationsCommand struct{ channelsPeer }

// Run prints one line per integration; what is missing is said with its cure.
func (c integrationsCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.Channels)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := channelsv1.NewIntegrationServiceClient(conn).ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tPLATFORM\tSTATE\tREASON")
	for _, i := range r.GetIntegrations() {
		state := strings.ToLower(strings.TrimPrefix(i.GetState().String(), "STATE_"))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.GetId(), i.GetName(), platformName(i.GetPlatform()), state, orDash(i.GetStateReason()))
	}
	return w.Flush()
}

// webhookCommand sets and shows Telegram webhooks.
type webhookCommand struct {
	Set  webhookSetCommand  `cmd:"" help:"Tell Telegram where to post."`
	Info webhookInfoCommand `cmd:"" help:"Show what Telegram says of the webhook."`
}

// webhookTarget names a bot; with a single one it need not be named.
type webhookTarget struct {
	channelsPeer
	Integration string `help:"Id of the integration; may be left out when there is only one Telegram bot."`
}

func (t webhookTarget) with(ctx context.Context, f func(context.Context, channelsv1.IntegrationServiceClient, string) error) error {
	conn, err := dial(t.Channels)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := channelsv1.NewIntegrationServiceClient(conn)
	id, err := t.id(ctx, client)
	if err != nil {
		return err
	}
	return f(ctx, client, id)
}

func (t webhookTarget) id(ctx context.Context, client channelsv1.IntegrationServiceClient) (string, error) {
	if t.Integration != "" {
		return t.Integration, nil
	}
	r, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM, PageSize: 2})
	if err != nil {
		return "", err
	}
	switch len(r.GetIntegrations()) {
	case 0:
		return "", errors.New("there is no Telegram bot: set TELEGRAM_BOT_TOKEN or create an integration")
	case 1:
		return r.GetIntegrations()[0].GetId(), nil
	}
	return "", errors.New("there are several Telegram bots: name one with --integration (knobot integrations lists them)")
}

// webhookSetCommand sets a webhook.
type webhookSetCommand struct {
	webhookTarget
	URL string `arg:"" help:"Public address of port 9000, for instance https://example.org."`
}

// Run sets it and shows what Telegram says.
func (c webhookSetCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient, id string) error {
		r, err := client.SetWebhook(ctx, &channelsv1.SetWebhookRequest{IntegrationId: id, Url: c.URL})
		if err != nil {
			return err
		}
		return printWebhook(s.out, r.GetWebhookInfo())
	})
}

// webhookInfoCommand shows a webhook.
type webhookInfoCommand struct{ webhookTarget }

// Run shows it.
func (c webhookInfoCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient, id string) error {
		r, err := client.GetWebhookInfo(ctx, &channelsv1.GetWebhookInfoRequest{IntegrationId: id})
		if err != nil {
			return err
		}
		return printWebhook(s.out, r.GetWebhookInfo())
	})
}

func printWebhook(out io.Writer, info *channelsv1.WebhookInfo) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "url\t%s\npending updates\t%d\nmax connections\t%d\nallowed updates\t%s\n", orDash(info.GetUrl()),
		info.GetPendingUpdateCount(), info.GetMaxConnections(), orDash(strings.Join(info.GetAllowedUpdates(), " ")))
	if info.GetLastErrorTime() != nil {
		fmt.Fprintf(w, "last error\t%s %s\n", clock(info.GetLastErrorTime().AsTime()), info.GetLastErrorMessage())
	}
	return w.Flush()
}
