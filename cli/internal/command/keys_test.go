package command_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/cli/internal/command"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
)

// apiKeys knows two pages of keys and refuses whoever does not send the one of the test.
type apiKeys struct {
	gatewayv1.UnimplementedApiKeyServiceServer
	gatewayv1.UnimplementedAuditServiceServer
	made    *gatewayv1.CreateApiKeyRequest
	revoked string
}

func (a *apiKeys) guard(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if v := metadata.ValueFromIncomingContext(ctx, "authorization"); len(v) != 1 || v[0] != "Bearer the-key" {
		return nil, status.Error(codes.Unauthenticated, "the credential is not valid")
	}
	return next(ctx, request)
}

func (a *apiKeys) CreateApiKey(_ context.Context, r *gatewayv1.CreateApiKeyRequest) (*gatewayv1.CreateApiKeyResponse, error) {
	a.made = r
	return &gatewayv1.CreateApiKeyResponse{ApiKey: &gatewayv1.ApiKey{Id: "k1"}, Secret: "knobot_k1_secret"}, nil
}

func (a *apiKeys) ListApiKeys(_ context.Context, r *gatewayv1.ListApiKeysRequest) (*gatewayv1.ListApiKeysResponse, error) {
	day := timestamppb.New(time.Date(2026, 11, 26, 15, 4, 5, 0, time.Local))
	if r.GetPageToken() == "" {
		return &gatewayv1.ListApiKeysResponse{NextPageToken: "2", ApiKeys: []*gatewayv1.ApiKey{
			{Id: "k1", Name: "panel", Role: gatewayv1.Role_ROLE_OWNER, LastUseTime: day},
			{Id: "k2", Name: "old", Role: gatewayv1.Role_ROLE_VIEWER, RevokeTime: day, IntegrationId: "i1"},
		}}, nil
	}
	return &gatewayv1.ListApiKeysResponse{ApiKeys: []*gatewayv1.ApiKey{{Id: "k3", Name: "over", ExpireTime: timestamppb.New(time.Unix(1, 0))}}}, nil
}

func (a *apiKeys) RotateApiKey(_ context.Context, r *gatewayv1.RotateApiKeyRequest) (*gatewayv1.RotateApiKeyResponse, error) {
	return &gatewayv1.RotateApiKeyResponse{Secret: "knobot_" + r.GetId() + "_fresh"}, nil
}

func (a *apiKeys) RevokeApiKey(_ context.Context, r *gatewayv1.RevokeApiKeyRequest) (*gatewayv1.RevokeApiKeyResponse, error) {
	a.revoked = r.GetId()
	return &gatewayv1.RevokeApiKeyResponse{}, nil
}

func (a *apiKeys) ListAuditEntries(context.Context, *gatewayv1.ListAuditEntriesRequest) (*gatewayv1.ListAuditEntriesResponse, error) {
	return &gatewayv1.ListAuditEntriesResponse{AuditEntries: []*gatewayv1.AuditEntry{{
		CreateTime: timestamppb.New(time.Date(2026, 11, 26, 15, 4, 5, 0, time.Local)), Caller: "key:k1", CallerName: "panel",
		Method: "knobot.rag.v1.DocumentService/DeleteDocument", Code: "OK",
	}}}, nil
}

func TestKeysAndAudit(t *testing.T) {
	t.Parallel()
	service := &apiKeys{}
	server := grpc.NewServer(grpc.UnaryInterceptor(service.guard))
	gatewayv1.RegisterApiKeyServiceServer(server, service)
	gatewayv1.RegisterAuditServiceServer(server, service)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	right, wrong := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(right, []byte("the-key\n"), 0o600))
	require.NoError(t, os.WriteFile(wrong, []byte("another"), 0o600))
	run := func(key string, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := command.Run(t.Context(), append(args, "--server", listener.Addr().String(), "--api-key-file", key), nil, &out, &errs)
		return code, out.String(), errs.String()
	}

	code, out, _ := run(right, "keys", "create", "panel", "--role", "operator", "--integration", "i1", "--expires", "24h")
	require.Zero(t, code)
	require.Equal(t, "knobot_k1_secret\n", out, "nothing but the secret, so that it can be piped")
	require.Equal(t, "panel", service.made.GetName())
	require.Equal(t, gatewayv1.Role_ROLE_OPERATOR, service.made.GetRole())
	require.Equal(t, "i1", service.made.GetIntegrationId())
	require.WithinDuration(t, time.Now().Add(24*time.Hour), service.made.GetExpireTime().AsTime(), time.Minute)

	code, _, _ = run(right, "keys", "create", "panel")
	require.Zero(t, code)
	require.Equal(t, gatewayv1.Role_ROLE_VIEWER, service.made.GetRole())
	require.Nil(t, service.made.GetExpireTime())

	code, out, _ = run(right, "keys", "list")
	require.Zero(t, code)
	require.Regexp(t, `k1 +panel +owner +- +valid +2026-11-26 15:04:05\n`, out)
	require.Regexp(t, `k2 +old +viewer +i1 +revoked +-\n`, out)
	require.Regexp(t, `k3 +over .* expired +-\n`, out, "the second page")

	code, out, _ = run(right, "keys", "rotate", "k2")
	require.Zero(t, code)
	require.Equal(t, "knobot_k2_fresh\n", out)
	code, _, _ = run(right, "keys", "revoke", "k2")
	require.Zero(t, code)
	require.Equal(t, "k2", service.revoked)

	code, out, _ = run(right, "audit")
	require.Zero(t, code)
	require.Regexp(t, `2026-11-26 15:04:05 +key:k1 +panel +- +knobot.rag.v1.DocumentService/DeleteDocument +OK +-\n`, out)

	code, _, errs := run(wrong, "keys", "list")
	require.Equal(t, 3, code)
	require.Contains(t, errs, "the credential is not valid")
	require.NotContains(t, errs, "another")
	code, _, errs = run(filepath.Join(t.TempDir(), "none"), "keys", "list")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no such file")
}
