package command

import (
	"context"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/knobot/knobot/cli/internal/present"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// integrationTarget names an integration.
type integrationTarget struct {
	ID string `arg:"" help:"Id of the integration (knobot integrations)."`
}

// switched switches it on or off and shows it.
func (t integrationTarget) switched(ctx context.Context, s session, on bool) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.UpdateIntegration(ctx, &channelsv1.UpdateIntegrationRequest{
			Integration: &channelsv1.Integration{Id: t.ID, Enabled: &on}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"enabled"}},
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return integrationTable(r.GetIntegration()) })
	})
}

// integrationsEnableCommand switches one on.
type integrationsEnableCommand struct{ integrationTarget }

// Run switches it on.
func (c integrationsEnableCommand) Run(ctx context.Context, s session) error {
	return c.switched(ctx, s, true)
}

// integrationsOffCommand switches one off.
type integrationsOffCommand struct{ integrationTarget }

// Run switches it off.
func (c integrationsOffCommand) Run(ctx context.Context, s session) error {
	return c.switched(ctx, s, false)
}

// integrationsDeleteCommand removes one.
type integrationsDeleteCommand struct{ integrationTarget }

// Run removes it.
func (c integrationsDeleteCommand) Run(ctx context.Context, s session) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.DeleteIntegration(ctx, &channelsv1.DeleteIntegrationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "deleted; its webhooks are acknowledged and ignored for 8 days")
	})
}

// integrationsRotateCommand gives a bot a new webhook secret.
type integrationsRotateCommand struct{ integrationTarget }

// Run rotates it and says whether Telegram has it.
func (c integrationsRotateCommand) Run(ctx context.Context, s session) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.RotateWebhookSecret(ctx, &channelsv1.RotateWebhookSecretRequest{Id: c.ID})
		if err != nil {
			return err
		}
		words := "Telegram has the new secret; the old one is valid for 24 hours more"
		if !r.GetRegistered() {
			words = "the bot has a new secret; no webhook is set, knobot webhook set gives it to Telegram"
		}
		return s.done(r, "%s", words)
	})
}

// integrationsCheckCommand asks the provider about one.
type integrationsCheckCommand struct{ integrationTarget }

// Run prints what was found, and fails if something does not work.
func (c integrationsCheckCommand) Run(ctx context.Context, s session) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.CheckIntegration(ctx, &channelsv1.CheckIntegrationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return report(s, []section{{findings: r.GetFindings()}})
	})
}
