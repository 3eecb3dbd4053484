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

// integrationsCommand looks after numbers and bots.
type integrationsCommand struct {
	List         integrationsListCommand   `cmd:"" default:"withargs" help:"List them; what is missing is said with its cure."`
	Create       integrationsCreateCommand `cmd:"" help:"Add one. The provider is asked whether the credentials are right."`
	Update       integrationsUpdateCommand `cmd:"" help:"Change one; what is not named stays."`
	Enable       integrationsEnableCommand `cmd:"" help:"Switch one on; a stopped one tries again."`
	Disable      integrationsOffCommand    `cmd:"" help:"Switch one off: its webhooks are acknowledged and not answered."`
	Delete       integrationsDeleteCommand `cmd:"" help:"Remove one with its secrets."`
	RotateSecret integrationsRotateCommand `cmd:"" help:"Give a Telegram bot a new webhook secret; the old one is valid for 24 hours more."`
	Check        integrationsCheckCommand  `cmd:"" help:"Ask the provider about everything that one needs."`
}

// integrationsListCommand lists numbers and bots.
type integrationsListCommand struct{ channelsPeer }

// Run prints one line per integration.
func (c integrationsListCommand) Run(ctx context.Context, s streams) error {
	return c.integrations(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
		if err != nil {
			return err
		}
		return printIntegrations(s.out, r.GetIntegrations())
	})
}

// integrations calls f with a client of IntegrationService.
func (p channelsPeer) integrations(ctx context.Context, f func(context.Context, channelsv1.IntegrationServiceClient) error) error {
	conn, err := dial(p.Channels)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, channelsv1.NewIntegrationServiceClient(conn))
}

func printIntegrations(out io.Writer, list []*channelsv1.Integration) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tPLATFORM\tSTATE\tREASON")
	for _, i := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.GetId(), oneLine(i.GetName()), platformName(i.GetPlatform()), integrationState(i), orDash(i.GetStateReason()))
	}
	return w.Flush()
}

func integrationState(i *channelsv1.Integration) string {
	return strings.ToLower(strings.TrimPrefix(i.GetState().String(), "STATE_"))
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
	return t.integrations(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		id, err := t.id(ctx, client)
		if err != nil {
			return err
		}
		return f(ctx, client, id)
	})
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
