package command

import (
	"context"
	"errors"
	"strings"

	"github.com/knobot/knobot/cli/internal/present"
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
type integrationsListCommand struct{}

// onIntegrations calls f with the service.
func onIntegrations(ctx context.Context, s session, f func(context.Context, channelsv1.IntegrationServiceClient) error) error {
	return call(ctx, s, channelsv1.NewIntegrationServiceClient, f)
}

// Run prints one line per integration; what is missing is said with its cure.
func (integrationsListCommand) Run(ctx context.Context, s session) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return integrationTable(r.GetIntegrations()...) })
	})
}

func integrationTable(list ...*channelsv1.Integration) present.Table {
	t := present.Table{Header: []string{"ID", "NAME", "PLATFORM", "STATE", "REASON"}}
	for _, i := range list {
		t.Add(i.GetId(), i.GetName(), platformName(i.GetPlatform()), word(i.GetState().String(), "STATE_"), i.GetStateReason())
	}
	return t
}

// webhookCommand sets and shows Telegram webhooks.
type webhookCommand struct {
	Set  webhookSetCommand  `cmd:"" help:"Tell Telegram where to post."`
	Info webhookInfoCommand `cmd:"" help:"Show what Telegram says of the webhook."`
}

// webhookTarget names a bot; with a single one it need not be named.
type webhookTarget struct {
	Integration string `help:"Id of the integration; may be left out when there is only one Telegram bot."`
}

func (t webhookTarget) with(ctx context.Context, s session, f func(context.Context, channelsv1.IntegrationServiceClient, string) error) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
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
func (c webhookSetCommand) Run(ctx context.Context, s session) error {
	return c.with(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient, id string) error {
		r, err := client.SetWebhook(ctx, &channelsv1.SetWebhookRequest{IntegrationId: id, Url: c.URL})
		if err != nil {
			return err
		}
		return showWebhook(s, r.GetWebhookInfo())
	})
}

// webhookInfoCommand shows a webhook.
type webhookInfoCommand struct{ webhookTarget }

// Run shows it.
func (c webhookInfoCommand) Run(ctx context.Context, s session) error {
	return c.with(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient, id string) error {
		r, err := client.GetWebhookInfo(ctx, &channelsv1.GetWebhookInfoRequest{IntegrationId: id})
		if err != nil {
			return err
		}
		return showWebhook(s, r.GetWebhookInfo())
	})
}

func showWebhook(s session, info *channelsv1.WebhookInfo) error {
	return s.show(info, func() present.Table {
		t := present.Table{Header: []string{"WHAT", "TELEGRAM SAYS"}}
		t.Add("url", info.GetUrl())
		t.Add("pending updates", info.GetPendingUpdateCount())
		t.Add("max connections", info.GetMaxConnections())
		t.Add("allowed updates", strings.Join(info.GetAllowedUpdates(), " "))
		if info.GetLastErrorTime() != nil {
			t.Add("last error", moment(info.GetLastErrorTime())+" "+info.GetLastErrorMessage())
		}
		return t
	})
}
