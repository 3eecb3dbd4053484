package rpcapi

import (
	"context"

	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

type integrationServer struct {
	channelsv1.UnimplementedIntegrationServiceServer
	integrations *integration.Service
	draining     <-chan struct{}
}

// CreateIntegration implements IntegrationService.
func (s *integrationServer) CreateIntegration(
	ctx context.Context, r *channelsv1.CreateIntegrationRequest,
) (*channelsv1.CreateIntegrationResponse, error) {
	platform, err := createdPlatform(r.GetIntegration())
	if err != nil {
		return nil, err
	}
	i, err := s.integrations.Enter(ctx, platform, creation(r.GetIntegration()), r.GetSkipCheck())
	if err != nil {
		return nil, err
	}
	return &channelsv1.CreateIntegrationResponse{Integration: integrationProto(i.Integration), UncheckedReason: i.Unchecked}, nil
}

// GetIntegration implements IntegrationService.
func (s *integrationServer) GetIntegration(
	ctx context.Context, r *channelsv1.GetIntegrationRequest,
) (*channelsv1.GetIntegrationResponse, error) {
	i, err := s.integrations.Get(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &channelsv1.GetIntegrationResponse{Integration: integrationProto(i)}, nil
}

// ListIntegrations implements IntegrationService.
func (s *integrationServer) ListIntegrations(
	ctx context.Context, r *channelsv1.ListIntegrationsRequest,
) (*channelsv1.ListIntegrationsResponse, error) {
	p, err := page(r)
	if err != nil {
		return nil, err
	}
	// One more than asked for tells whether there is a next page.
	found, err := s.integrations.List(ctx, p.platform, p.afterName, p.afterID, p.size+1)
	if err != nil {
		return nil, err
	}
	return listProto(found, p), nil
}

// UpdateIntegration implements IntegrationService.
func (s *integrationServer) UpdateIntegration(
	ctx context.Context, r *channelsv1.UpdateIntegrationRequest,
) (*channelsv1.UpdateIntegrationResponse, error) {
	edits, err := edits(r.GetIntegration(), r.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	i, err := s.integrations.Amend(ctx, r.GetIntegration().GetId(), edits, r.GetSkipCheck())
	if err != nil {
		return nil, err
	}
	return &channelsv1.UpdateIntegrationResponse{Integration: integrationProto(i.Integration), UncheckedReason: i.Unchecked}, nil
}

// DeleteIntegration implements IntegrationService.
func (s *integrationServer) DeleteIntegration(
	ctx context.Context, r *channelsv1.DeleteIntegrationRequest,
) (*channelsv1.DeleteIntegrationResponse, error) {
	if err := s.integrations.Delete(ctx, r.GetId()); err != nil {
		return nil, err
	}
	return &channelsv1.DeleteIntegrationResponse{}, nil
}

// SetWebhook implements IntegrationService.
func (s *integrationServer) SetWebhook(ctx context.Context, r *channelsv1.SetWebhookRequest) (*channelsv1.SetWebhookResponse, error) {
	info, err := s.integrations.SetWebhook(ctx, r.GetIntegrationId(), r.GetUrl())
	if err != nil {
		return nil, err
	}
	return &channelsv1.SetWebhookResponse{WebhookInfo: webhookInfoProto(info)}, nil
}

// GetWebhookInfo implements IntegrationService.
func (s *integrationServer) GetWebhookInfo(
	ctx context.Context, r *channelsv1.GetWebhookInfoRequest,
) (*channelsv1.GetWebhookInfoResponse, error) {
	info, err := s.integrations.WebhookInfo(ctx, r.GetIntegrationId())
	if err != nil {
		return nil, err
	}
	return &channelsv1.GetWebhookInfoResponse{WebhookInfo: webhookInfoProto(info)}, nil
}

// WatchIntegrations implements IntegrationService.
func (s *integrationServer) WatchIntegrations(
	_ *channelsv1.WatchIntegrationsRequest, stream grpc.ServerStreamingServer[channelsv1.WatchIntegrationsResponse],
) error {
	return s.integrations.Watch(stream.Context(), s.draining, func(changed []channels.Integration, revision int64) error {
		for _, i := range changed {
			if err := stream.Send(integrationNews(i)); err != nil {
				return err
			}
		}
		synced := &channelsv1.WatchIntegrationsResponse_Synced{Synced: &channelsv1.Synced{Revision: revision}}
		return stream.Send(&channelsv1.WatchIntegrationsResponse{News: synced})
	})
}

func integrationNews(i channels.Integration) *channelsv1.WatchIntegrationsResponse {
	if !i.PurgeTime.IsZero() {
		return &channelsv1.WatchIntegrationsResponse{News: &channelsv1.WatchIntegrationsResponse_RemovedIntegrationId{RemovedIntegrationId: i.ID}}
	}
	return &channelsv1.WatchIntegrationsResponse{News: &channelsv1.WatchIntegrationsResponse_Integration{Integration: integrationProto(i)}}
}
