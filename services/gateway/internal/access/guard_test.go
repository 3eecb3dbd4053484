package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/access"
)

func listUsers(ctx context.Context, b *bundle) error {
	_, err := conversationv1.NewUserServiceClient(b.conn).ListUsers(ctx, &conversationv1.ListUsersRequest{})
	return err
}

func deleteDocument(ctx context.Context, b *bundle) error {
	_, err := ragv1.NewDocumentServiceClient(b.conn).DeleteDocument(ctx, &ragv1.DeleteDocumentRequest{Id: "canary-of-a-request"})
	return err
}

func TestCredentials(t *testing.T) {
	t.Parallel()

	t.Run("OnlyOneBearerTokenOfSaneSizeIsRead", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		for name, values := range map[string][]string{
			"basic": {"Basic " + adminKey}, "bare": {adminKey}, "empty": {"Bearer "}, "two": {"Bearer " + adminKey, "Bearer " + adminKey},
			"huge": {"Bearer " + strings.Repeat("a", 17<<10)}, "longer": {"Bearer " + adminKey + "x"}, "shorter": {"Bearer " + adminKey[:20]},
		} {
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": values})
			err := listUsers(ctx, b)
			require.Equal(t, codes.Unauthenticated, status.Code(err), name)
			require.Equal(t, "CREDENTIAL_REFUSED", reasonOf(err), name)
		}
		require.NoError(t, listUsers(metadata.AppendToOutgoingContext(t.Context(), "authorization", "bearer "+adminKey), b))
	})

	t.Run("WithoutAnyTheApiIsClosed", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{closed: true})
		err := listUsers(with(t.Context(), adminKey), b)
		require.Equal(t, codes.Unauthenticated, status.Code(err))
		require.Equal(t, "MANAGEMENT_CLOSED", reasonOf(err))
	})

	t.Run("TheKeyOfTheEnvironmentNeedsNoDatabase", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{noDB: true})
		require.NoError(t, listUsers(with(t.Context(), adminKey), b))
		require.NoError(t, deleteDocument(with(t.Context(), adminKey), b), "the audit is in the log then")
		_, err := gatewayv1.NewApiKeyServiceClient(b.conn).ListApiKeys(with(t.Context(), adminKey), &gatewayv1.ListApiKeysRequest{})
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		require.Equal(t, "DATABASE_NOT_CONFIGURED", reasonOf(err))
	})

	t.Run("WhileTheDatabaseIsAwayKeysCannotBeCheckedAndTheEnvironmentsWorks", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		secret := b.secret(t, gateway.Viewer, "")
		require.NoError(t, listUsers(with(t.Context(), secret), b))
		b.pool.Close()
		err := listUsers(with(t.Context(), secret), b)
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, "DATABASE_UNAVAILABLE", reasonOf(err))
		require.NoError(t, listUsers(with(t.Context(), adminKey), b))
	})
}

func TestAKeyOfOneIntegrationReachesThatOneOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, options{})
	integrations, users := channelsv1.NewIntegrationServiceClient(b.conn), conversationv1.NewUserServiceClient(b.conn)
	owner := with(t.Context(), b.secret(t, gateway.Owner, "mine"))
	for name, c := range map[string]func(id string) error{
		"get": func(id string) error {
			_, err := integrations.GetIntegration(owner, &channelsv1.GetIntegrationRequest{Id: id})
			return err
		},
		"update": func(id string) error {
			_, err := integrations.UpdateIntegration(owner, &channelsv1.UpdateIntegrationRequest{Integration: &channelsv1.Integration{Id: id}})
			return err
		},
		"users": func(id string) error {
			_, err := users.ListUsers(owner, &conversationv1.ListUsersRequest{IntegrationId: id})
			return err
		},
	} {
		require.NoError(t, c("mine"), name)
		for _, other := range []string{"", "theirs", "mine "} {
			require.Equal(t, "KEY_SCOPED", reasonOf(c(other)), name)
		}
	}
	_, err := integrations.DeleteIntegration(owner, &channelsv1.DeleteIntegrationRequest{Id: "mine"})
	require.Equal(t, "KEY_SCOPED", reasonOf(err), "it would delete itself")
	viewer := with(t.Context(), b.secret(t, gateway.Viewer, "mine"))
	_, err = integrations.SetWebhook(viewer, &channelsv1.SetWebhookRequest{IntegrationId: "mine"})
	require.Equal(t, "ROLE_TOO_LOW", reasonOf(err))
	apiKeys := gatewayv1.NewApiKeyServiceClient(b.conn)
	_, err = apiKeys.CreateApiKey(owner, &gatewayv1.CreateApiKeyRequest{Name: "x", Role: gatewayv1.Role_ROLE_OWNER, IntegrationId: "mine"})
	require.Equal(t, "KEY_SCOPED", reasonOf(err), "it makes no keys")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	slow := func(burst int) access.Rate { return access.Rate{PerSecond: 0.001, Burst: burst} }
	throttled := func(t *testing.T, err error, reason string) {
		t.Helper()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
		require.Equal(t, reason, reasonOf(err))
		require.Greater(t, retryAfter(err), 10*time.Second)
	}

	t.Run("OneKeyDoesNotUseUpAnothers", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{limits: access.Limits{Caller: slow(2), Address: slow(100), Failures: slow(1)}})
		for range 2 {
			require.NoError(t, listUsers(with(t.Context(), adminKey), b))
		}
		throttled(t, listUsers(with(t.Context(), adminKey), b), "RATE_LIMITED")
		require.NoError(t, listUsers(with(t.Context(), b.secret(t, gateway.Viewer, "")), b))
	})

	t.Run("AnAddressIsBoundedWhoeverCalls", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{limits: access.Limits{Caller: slow(100), Address: slow(2), Failures: slow(1)}})
		require.Equal(t, "CREDENTIAL_MISSING", reasonOf(listUsers(t.Context(), b)))
		require.NoError(t, listUsers(with(t.Context(), adminKey), b))
		throttled(t, listUsers(with(t.Context(), adminKey), b), "RATE_LIMITED")
	})

	t.Run("GuessesEndSoon", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{limits: access.Limits{Caller: slow(100), Address: slow(100), Failures: slow(3)}})
		for range 5 {
			require.Equal(t, "CREDENTIAL_MISSING", reasonOf(listUsers(t.Context(), b)), "none is no guess")
		}
		for range 3 {
			require.Equal(t, "CREDENTIAL_REFUSED", reasonOf(listUsers(with(t.Context(), "a wrong one"), b)))
		}
		throttled(t, listUsers(with(t.Context(), "a wrong one"), b), "TOO_MANY_FAILURES")
		throttled(t, listUsers(with(t.Context(), adminKey), b), "TOO_MANY_FAILURES")
	})
}
