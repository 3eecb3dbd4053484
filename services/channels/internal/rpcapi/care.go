package rpcapi

import (
	"context"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

// CheckIntegration implements IntegrationService.
func (s *integrationServer) CheckIntegration(
	ctx context.Context, r *channelsv1.CheckIntegrationRequest,
) (*channelsv1.CheckIntegrationResponse, error) {
	found, err := s.integrations.Examine(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &channelsv1.CheckIntegrationResponse{Findings: findingsProto(found)}, nil
}

// RotateWebhookSecret implements IntegrationService.
func (s *integrationServer) RotateWebhookSecret(
	ctx context.Context, r *channelsv1.RotateWebhookSecretRequest,
) (*channelsv1.RotateWebhookSecretResponse, error) {
	i, registered, err := s.integrations.RotateWebhookSecret(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &channelsv1.RotateWebhookSecretResponse{Integration: integrationProto(i), Registered: registered}, nil
}

// ReSealSecrets implements IntegrationService.
func (s *integrationServer) ReSealSecrets(
	ctx context.Context, r *channelsv1.ReSealSecretsRequest,
) (*channelsv1.ReSealSecretsResponse, error) {
	sealed, err := s.integrations.ReSeal(ctx, r.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	return sealingProto(sealed), nil
}

func sealingProto(s sealing.Report) *channelsv1.ReSealSecretsResponse {
	out := &channelsv1.ReSealSecretsResponse{ReSealedCount: int32Of(s.ReSealed), UnreadableCount: int32Of(s.Unreadable)}
	for _, k := range s.Keys {
		out.Keys = append(out.Keys, &typev1.SealingKey{Id: k.ID, Primary: k.Primary, Known: k.Known, SecretCount: int32Of(k.Secrets)})
	}
	return out
}

type diagnosticsServer struct {
	channelsv1.UnimplementedDiagnosticsServiceServer
	integrations *integration.Service
	database     func(context.Context) []doctor.Finding
}

// Diagnose implements DiagnosticsService.
func (s *diagnosticsServer) Diagnose(ctx context.Context, _ *channelsv1.DiagnoseRequest) (*channelsv1.DiagnoseResponse, error) {
	found := append(s.database(ctx), s.integrations.ExamineKeys(ctx))
	return &channelsv1.DiagnoseResponse{Findings: findingsProto(found)}, nil
}
