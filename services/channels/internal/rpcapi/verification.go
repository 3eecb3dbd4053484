package rpcapi

import (
	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
)

type verificationServer struct {
	channelsv1.UnimplementedVerificationServiceServer
	integrations watcher
	draining     <-chan struct{}
}

// Watch implements VerificationService.
func (s *verificationServer) Watch(_ *channelsv1.WatchRequest, stream grpc.ServerStreamingServer[channelsv1.WatchResponse]) error {
	return s.integrations.Watch(stream.Context(), s.draining, func(changed []channels.Integration, revision int64) error {
		for _, i := range changed {
			if err := stream.Send(credentialsNews(i)); err != nil {
				return err
			}
		}
		synced := &channelsv1.WatchResponse_Synced{Synced: &channelsv1.Synced{Revision: revision}}
		return stream.Send(&channelsv1.WatchResponse{News: synced})
	})
}

func credentialsNews(i channels.Integration) *channelsv1.WatchResponse {
	if !i.PurgeTime.IsZero() {
		return &channelsv1.WatchResponse{News: &channelsv1.WatchResponse_RemovedIntegrationId{RemovedIntegrationId: i.ID}}
	}
	return &channelsv1.WatchResponse{News: &channelsv1.WatchResponse_Credentials{Credentials: credentialsProto(i)}}
}

// credentialsProto is the one place where secrets leave the service: app secrets in clear, because an HMAC needs them, all
// else as digests.
func credentialsProto(i channels.Integration) *channelsv1.Credentials {
	state, _ := i.State()
	c := &channelsv1.Credentials{
		IntegrationId: i.ID, Platform: platformProto(i.Platform), State: integrationStateProto(state),
		PhoneNumberId: i.WhatsApp.PhoneNumberID, AllowUnsigned: i.WhatsApp.AllowUnsigned,
		BotId: i.Telegram.BotID, BotUsername: i.Telegram.BotUsername,
	}
	for _, s := range i.ValidSecrets(channels.AppSecret) {
		c.AppSecrets = append(c.AppSecrets, []byte(s.Reveal()))
	}
	if s := i.Secret(channels.VerifyToken); s != "" {
		c.VerifyTokenSha256 = s.Digest()
	}
	for _, s := range i.ValidSecrets(channels.WebhookSecret) {
		c.WebhookSecretSha256 = append(c.WebhookSecretSha256, s.Digest())
	}
	return c
}
