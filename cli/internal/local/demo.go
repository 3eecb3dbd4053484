package local

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// releaseDemo makes room for a company's own number or bot: the first one of a platform is stored at its first start, so the
// simulator's, left by an earlier start, would stay in its place. It is deleted and channels started again, which stores
// what the environment says now.
func (s *stack) releaseDemo(ctx context.Context) error {
	if s.whatsapp && s.telegram {
		return nil
	}
	demo, err := demoCredentials(s.DataDir)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(s.env["KNOBOT_CHANNELS_ADDR"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := channelsv1.NewIntegrationServiceClient(conn)
	stored, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
	if err != nil {
		return fmt.Errorf("list integrations: %w", err)
	}
	released := false
	for _, i := range stored.GetIntegrations() {
		if !s.outdated(i, demo) {
			continue
		}
		if _, err := client.DeleteIntegration(ctx, &channelsv1.DeleteIntegrationRequest{Id: i.GetId()}); err != nil {
			return fmt.Errorf("delete the simulator's %s: %w", i.GetName(), err)
		}
		released = true
	}
	if !released {
		return nil
	}
	return s.restart(ctx, "channels")
}

// outdated says whether an integration is the simulator's on a platform that is not simulated any more.
func (s *stack) outdated(i *channelsv1.Integration, demo map[string]string) bool {
	if i.GetPlatform() == typev1.Platform_PLATFORM_WHATSAPP {
		return !s.whatsapp && i.GetWhatsapp().GetPhoneNumberId() == demo["WHATSAPP_PHONE_NUMBER_ID"]
	}
	bot, _, _ := strings.Cut(demo["TELEGRAM_BOT_TOKEN"], ":")
	return !s.telegram && strconv.FormatInt(i.GetTelegram().GetBotId(), 10) == bot
}

// restart ends one service and starts it again.
func (s *stack) restart(ctx context.Context, name string) error {
	spec := specs()[slices.IndexFunc(specs(), func(spec serviceSpec) bool { return spec.name == name })]
	s.processes = slices.DeleteFunc(s.processes, func(p *process) bool {
		if p.name == name {
			p.Stop()
		}
		return p.name == name
	})
	if err := s.start(name, forService(s.env, spec, s.db)); err != nil {
		return err
	}
	return s.waitReady(ctx, spec)
}
