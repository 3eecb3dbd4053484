package command_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/cli/internal/command"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// system has one bot and one number, and finds what a test wants.
type system struct {
	channelsv1.UnimplementedIntegrationServiceServer
	channelsv1.UnimplementedDiagnosticsServiceServer
	created  *channelsv1.CreateIntegrationRequest
	updated  *channelsv1.UpdateIntegrationRequest
	found    *typev1.Finding
	keys     []*typev1.SealingKey
	resealed bool
	told     subscribers
}

// subscribers is the part of the system that is told what happens.
type subscribers struct {
	conversationv1.UnimplementedSubscriptionServiceServer
	keys       []*typev1.SealingKey
	unreadable int32
	resealed   bool
}

func (s *subscribers) ReSealSubscriptionSecrets(
	_ context.Context, r *conversationv1.ReSealSubscriptionSecretsRequest,
) (*conversationv1.ReSealSubscriptionSecretsResponse, error) {
	s.resealed = s.resealed || !r.GetValidateOnly()
	return &conversationv1.ReSealSubscriptionSecretsResponse{Keys: s.keys, UnreadableCount: s.unreadable}, nil
}

func (s *system) ListIntegrations(context.Context, *channelsv1.ListIntegrationsRequest) (*channelsv1.ListIntegrationsResponse, error) {
	return &channelsv1.ListIntegrationsResponse{Integrations: []*channelsv1.Integration{{
		Id: "i1", Name: "Ventas \x1b[31m", Platform: typev1.Platform_PLATFORM_WHATSAPP, State: channelsv1.Integration_STATE_STOPPED, StateReason: "mend it",
	}}}, nil
}

func (s *system) GetIntegration(_ context.Context, r *channelsv1.GetIntegrationRequest) (*channelsv1.GetIntegrationResponse, error) {
	i := &channelsv1.Integration{Id: r.GetId(), Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{}}}
	if r.GetId() == "bot" {
		i.Config = &channelsv1.Integration_Telegram{Telegram: &channelsv1.TelegramConfig{}}
	}
	return &channelsv1.GetIntegrationResponse{Integration: i}, nil
}

func (s *system) CreateIntegration(_ context.Context, r *channelsv1.CreateIntegrationRequest) (*channelsv1.CreateIntegrationResponse, error) {
	s.created = r
	return &channelsv1.CreateIntegrationResponse{Integration: &channelsv1.Integration{Id: "new", Name: r.GetIntegration().GetName()}, UncheckedReason: "Meta is away"}, nil
}

func (s *system) UpdateIntegration(_ context.Context, r *channelsv1.UpdateIntegrationRequest) (*channelsv1.UpdateIntegrationResponse, error) {
	s.updated = r
	return &channelsv1.UpdateIntegrationResponse{Integration: r.GetIntegration()}, nil
}

func (s *system) DeleteIntegration(_ context.Context, r *channelsv1.DeleteIntegrationRequest) (*channelsv1.DeleteIntegrationResponse, error) {
	if r.GetId() != "i1" {
		return nil, status.Error(codes.NotFound, "no such integration")
	}
	return &channelsv1.DeleteIntegrationResponse{}, nil
}

func (s *system) RotateWebhookSecret(_ context.Context, r *channelsv1.RotateWebhookSecretRequest) (*channelsv1.RotateWebhookSecretResponse, error) {
	return &channelsv1.RotateWebhookSecretResponse{Registered: r.GetId() == "bot"}, nil
}

func (s *system) CheckIntegration(context.Context, *channelsv1.CheckIntegrationRequest) (*channelsv1.CheckIntegrationResponse, error) {
	return &channelsv1.CheckIntegrationResponse{Findings: []*typev1.Finding{s.found}}, nil
}

func (s *system) ReSealSecrets(_ context.Context, r *channelsv1.ReSealSecretsRequest) (*channelsv1.ReSealSecretsResponse, error) {
	s.resealed = s.resealed || !r.GetValidateOnly()
	return &channelsv1.ReSealSecretsResponse{Keys: s.keys}, nil
}

func (s *system) Diagnose(context.Context, *channelsv1.DiagnoseRequest) (*channelsv1.DiagnoseResponse, error) {
	return &channelsv1.DiagnoseResponse{Findings: []*typev1.Finding{s.found}}, nil
}

// serve starts it and returns its address and how to run a command against it.
func (s *system) serve(t *testing.T) (address string, run func(in string, args ...string) (code int, out, errs string)) {
	t.Helper()
	server := grpc.NewServer()
	channelsv1.RegisterIntegrationServiceServer(server, s)
	channelsv1.RegisterDiagnosticsServiceServer(server, s)
	conversationv1.RegisterSubscriptionServiceServer(server, &s.told)
	conversationv1.RegisterDiagnosticsServiceServer(server, conversationv1.UnimplementedDiagnosticsServiceServer{})
	ragv1.RegisterDiagnosticsServiceServer(server, ragv1.UnimplementedDiagnosticsServiceServer{})
	healthv1.RegisterHealthServer(server, health.NewServer())
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String(), func(in string, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := command.Run(t.Context(), append(args, "--server", listener.Addr().String()), strings.NewReader(in), &out, &errs)
		return code, out.String(), errs.String()
	}
}

func TestIntegrationsCommands(t *testing.T) {
	t.Parallel()

	t.Run("ListIsTheDefault", func(t *testing.T) {
		t.Parallel()
		_, run := (&system{}).serve(t)
		code, out, _ := run("", "integrations")
		require.Zero(t, code)
		require.Regexp(t, `i1 +Ventas  \[31m +whatsapp +stopped +mend it`, out)
	})

	t.Run("SecretsComeFromFilesAndStandardInput", func(t *testing.T) {
		t.Parallel()
		s := &system{}
		_, run := s.serve(t)
		verify := filepath.Join(t.TempDir(), "verify")
		require.NoError(t, os.WriteFile(verify, []byte("v-token\n"), 0o600))
		code, out, errs := run("EAAG-token\n", "integrations", "create", "whatsapp", "--phone-number-id", "106540352242922",
			"--access-token-file", "-", "--verify-token-file", verify, "--language", "pt")
		require.Zero(t, code, errs)
		in := s.created.GetIntegration()
		require.Equal(t, "WhatsApp Business", in.GetName())
		require.Equal(t, "106540352242922", in.GetWhatsapp().GetPhoneNumberId())
		require.Equal(t, "EAAG-token", in.GetWhatsapp().GetAccessToken())
		require.Equal(t, "v-token", in.GetWhatsapp().GetVerifyToken())
		require.Equal(t, "pt", in.GetSettings().GetLanguage())
		require.False(t, s.created.GetSkipCheck())
		require.Contains(t, errs, "Meta is away")
		require.NotContains(t, out+errs, "EAAG-token")

		code, _, errs = run("1:token", "integrations", "create", "telegram", "--bot-token-file", "-", "--skip-check")
		require.Zero(t, code, errs)
		require.Equal(t, "1:token", s.created.GetIntegration().GetTelegram().GetBotToken())
		require.True(t, s.created.GetSkipCheck())
	})

	t.Run("UpdateNamesWhatChanges", func(t *testing.T) {
		t.Parallel()
		s := &system{}
		_, run := s.serve(t)
		code, _, errs := run("new", "integrations", "update", "i1", "--name", "Otro", "--access-token-file", "-")
		require.Zero(t, code, errs)
		require.Equal(t, []string{"name", "whatsapp.access_token"}, s.updated.GetUpdateMask().GetPaths())
		code, _, errs = run("new", "integrations", "update", "bot", "--bot-token-file", "-")
		require.Zero(t, code, errs)
		require.Equal(t, []string{"telegram.bot_token"}, s.updated.GetUpdateMask().GetPaths())
		code, _, errs = run("", "integrations", "update", "i1")
		require.Equal(t, 1, code)
		require.Contains(t, errs, "nothing was named")
		for word, want := range map[string]bool{"enable": true, "disable": false} {
			code, _, errs = run("", "integrations", word, "i1")
			require.Zero(t, code, errs)
			require.Equal(t, want, s.updated.GetIntegration().GetEnabled())
			require.Equal(t, []string{"enabled"}, s.updated.GetUpdateMask().GetPaths())
		}
	})

	t.Run("DeleteAndRotate", func(t *testing.T) {
		t.Parallel()
		_, run := (&system{}).serve(t)
		code, out, _ := run("", "integrations", "delete", "i1")
		require.Zero(t, code)
		require.Contains(t, out, "deleted")
		code, _, errs := run("", "integrations", "delete", "i2")
		require.Equal(t, 4, code)
		require.Contains(t, errs, "no such integration")
		_, out, _ = run("", "integrations", "rotate-secret", "bot")
		require.Contains(t, out, "Telegram has the new secret")
		_, out, _ = run("", "integrations", "rotate-secret", "i1")
		require.Contains(t, out, "knobot webhook set")
	})
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	failed := &typev1.Finding{Check: "whatsapp.token", State: typev1.Finding_STATE_FAILED, Summary: "it is over \x1b[31m", Cure: "make another"}

	t.Run("FailureIsPrintedWithItsCureAndExitsWith1", func(t *testing.T) {
		t.Parallel()
		_, run := (&system{found: failed}).serve(t)
		code, out, _ := run("", "integrations", "check", "i1")
		require.Equal(t, 1, code)
		require.Regexp(t, `whatsapp.token +failed +it is over  \[31m +make another\n`, out)
	})

	t.Run("AllSectionsAndExit0WhenNothingFails", func(t *testing.T) {
		t.Parallel()
		s := &system{found: &typev1.Finding{Check: "whatsapp.token", State: typev1.Finding_STATE_WARNING, Summary: "it ends", Cure: "make another"}}
		_, run := s.serve(t)
		code, out, errs := run("", "doctor")
		require.Zero(t, code, out+errs)
		for _, title := range []string{"gateway ", "conversation ", "rag ", "channels ", "whatsapp \"Ventas"} {
			require.Contains(t, out, title)
		}
		require.Contains(t, out, "warning")
		require.Contains(t, out, "a version without a doctor")
	})

	t.Run("ServiceThatIsAwayIsAFinding", func(t *testing.T) {
		t.Parallel()
		var out, errs bytes.Buffer
		require.Equal(t, 1, command.Run(t.Context(), []string{"doctor", "--server", "127.0.0.1:1"}, nil, &out, &errs))
		require.Regexp(t, `conversation +conversation +failed +does not answer: .* start it; its log says why it stopped\n`, out.String())
	})
}
