package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

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

func TestKeys(t *testing.T) {
	t.Parallel()
	create := func(t *testing.T, b *bundle, r *gatewayv1.CreateApiKeyRequest) *gatewayv1.CreateApiKeyResponse {
		t.Helper()
		made, err := gatewayv1.NewApiKeyServiceClient(b.conn).CreateApiKey(with(t.Context(), adminKey), r)
		require.NoError(t, err)
		return made
	}

	t.Run("AKeyWorksUntilItIsRevoked", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		client := gatewayv1.NewApiKeyServiceClient(b.conn)
		made := create(t, b, &gatewayv1.CreateApiKeyRequest{Name: "panel", Role: gatewayv1.Role_ROLE_VIEWER})
		require.Regexp(t, `^knobot_[0-9A-Za-z]{13}_[0-9A-Za-z]{43}$`, made.GetSecret())
		require.NoError(t, listUsers(with(t.Context(), made.GetSecret()), b))
		for range 2 {
			revoked, err := client.RevokeApiKey(with(t.Context(), adminKey), &gatewayv1.RevokeApiKeyRequest{Id: made.GetApiKey().GetId()})
			require.NoError(t, err)
			require.NotNil(t, revoked.GetApiKey().GetRevokeTime())
		}
		err := listUsers(with(t.Context(), made.GetSecret()), b)
		require.Equal(t, codes.Unauthenticated, status.Code(err))
		require.Equal(t, "KEY_REVOKED", reasonOf(err))
		_, err = client.RotateApiKey(with(t.Context(), adminKey), &gatewayv1.RotateApiKeyRequest{Id: made.GetApiKey().GetId()})
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		require.Equal(t, "KEY_REVOKED", reasonOf(err))
	})

	t.Run("ARotatedKeyHasOneSecret", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		made := create(t, b, &gatewayv1.CreateApiKeyRequest{Name: "panel", Role: gatewayv1.Role_ROLE_VIEWER})
		rotated, err := gatewayv1.NewApiKeyServiceClient(b.conn).RotateApiKey(with(t.Context(), adminKey), &gatewayv1.RotateApiKeyRequest{Id: made.GetApiKey().GetId()})
		require.NoError(t, err)
		require.NoError(t, listUsers(with(t.Context(), rotated.GetSecret()), b))
		require.Equal(t, "CREDENTIAL_REFUSED", reasonOf(listUsers(with(t.Context(), made.GetSecret()), b)))
	})

	t.Run("AnExpiredKeySaysSoToItsOwnerAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		made := create(t, b, &gatewayv1.CreateApiKeyRequest{
			Name: "panel", Role: gatewayv1.Role_ROLE_VIEWER, ExpireTime: timestamppb.New(time.Now().Add(time.Hour)),
		})
		_, err := b.pool.Exec(t.Context(), `update api_keys set expire_time = now()`)
		require.NoError(t, err)
		require.Equal(t, "KEY_EXPIRED", reasonOf(listUsers(with(t.Context(), made.GetSecret()), b)))
		forged := made.GetSecret()[:len(made.GetSecret())-5] + "00000"
		require.Equal(t, "CREDENTIAL_REFUSED", reasonOf(listUsers(with(t.Context(), forged), b)))
	})

	t.Run("NoListAndNoRowHoldsASecret", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		made := create(t, b, &gatewayv1.CreateApiKeyRequest{Name: "panel", Role: gatewayv1.Role_ROLE_OPERATOR, IntegrationId: "i-1"})
		listed, err := gatewayv1.NewApiKeyServiceClient(b.conn).ListApiKeys(with(t.Context(), adminKey), &gatewayv1.ListApiKeysRequest{})
		require.NoError(t, err)
		got, err := gatewayv1.NewApiKeyServiceClient(b.conn).GetApiKey(with(t.Context(), adminKey), &gatewayv1.GetApiKeyRequest{Id: made.GetApiKey().GetId()})
		require.NoError(t, err)
		require.Equal(t, "i-1", got.GetApiKey().GetIntegrationId())
		require.Equal(t, gatewayv1.Role_ROLE_OPERATOR, got.GetApiKey().GetRole())
		var row string
		require.NoError(t, b.pool.QueryRow(t.Context(), `select k::text from api_keys k`).Scan(&row))
		random := made.GetSecret()[len(made.GetSecret())-43:]
		for _, text := range []string{listed.String(), got.String(), row} {
			require.NotContains(t, text, random)
			require.Contains(t, text, "panel")
		}
	})

	t.Run("ListsGoPageByPage", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		for n := range 5 {
			create(t, b, &gatewayv1.CreateApiKeyRequest{Name: fmt.Sprint(n), Role: gatewayv1.Role_ROLE_VIEWER})
		}
		client := gatewayv1.NewApiKeyServiceClient(b.conn)
		var names []string
		r := &gatewayv1.ListApiKeysRequest{PageSize: 2}
		for {
			page, err := client.ListApiKeys(with(t.Context(), adminKey), r)
			require.NoError(t, err)
			for _, k := range page.GetApiKeys() {
				names = append(names, k.GetName())
			}
			if r.PageToken = page.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		require.Equal(t, []string{"4", "3", "2", "1", "0"}, names)
		for _, token := range []string{"x", "MQ", "LTEv", "MS8", "OTk5OTk5OTk5OTk5OTk5OTk5OS9h"} {
			_, err := client.ListApiKeys(with(t.Context(), adminKey), &gatewayv1.ListApiKeysRequest{PageToken: token})
			require.Equal(t, "PAGE_TOKEN_INVALID", reasonOf(err), token)
		}
		_, err := client.ListApiKeys(with(t.Context(), adminKey), &gatewayv1.ListApiKeysRequest{PageSize: -1})
		require.Equal(t, "PAGE_SIZE_INVALID", reasonOf(err))
	})

	t.Run("WhatCannotBeAKeyIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		client := gatewayv1.NewApiKeyServiceClient(b.conn)
		viewer := gatewayv1.Role_ROLE_VIEWER
		for reason, r := range map[string]*gatewayv1.CreateApiKeyRequest{
			"INVALID_REQUEST name":        {Role: viewer},
			"INVALID_REQUEST long":        {Name: strings.Repeat("a", 101), Role: viewer},
			"INVALID_REQUEST control":     {Name: "a\nb", Role: viewer},
			"INVALID_REQUEST role":        {Name: "a"},
			"INVALID_REQUEST other role":  {Name: "a", Role: 9},
			"INVALID_REQUEST integration": {Name: "a", Role: viewer, IntegrationId: strings.Repeat("a", 65)},
			"INVALID_REQUEST time":        {Name: "a", Role: viewer, ExpireTime: &timestamppb.Timestamp{Nanos: -1}},
			"EXPIRED_ALREADY":             {Name: "a", Role: viewer, ExpireTime: timestamppb.Now()},
		} {
			_, err := client.CreateApiKey(with(t.Context(), adminKey), r)
			require.Equal(t, codes.InvalidArgument, status.Code(err), reason)
			require.Equal(t, strings.Fields(reason)[0], reasonOf(err), reason)
		}
		create(t, b, &gatewayv1.CreateApiKeyRequest{Name: "a", Role: viewer})
		_, err := client.CreateApiKey(with(t.Context(), adminKey), &gatewayv1.CreateApiKeyRequest{Name: "a", Role: viewer})
		require.Equal(t, codes.AlreadyExists, status.Code(err))
		require.Equal(t, "KEY_EXISTS", reasonOf(err))
		for _, id := range []string{"nobodys", "'; drop table api_keys"} {
			_, err = client.GetApiKey(with(t.Context(), adminKey), &gatewayv1.GetApiKeyRequest{Id: id})
			require.Equal(t, codes.NotFound, status.Code(err))
			require.Equal(t, "KEY_NOT_FOUND", reasonOf(err))
		}
	})

	t.Run("TheLastUseIsNotedOnceAMinuteBesideTheCalls", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		secret := b.secret(t, gateway.Viewer, "")
		require.NoError(t, listUsers(with(t.Context(), secret), b), "nobody writes yet, and the call does not wait")
		lastUse := func() time.Time {
			keys, err := b.store.Keys(t.Context(), nil, 1)
			require.NoError(t, err)
			return keys[0].LastUseTime
		}
		require.Zero(t, lastUse())
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = b.keys.RunUses(ctx, nil) }()
		require.Eventually(t, func() bool { return !lastUse().IsZero() }, 10*time.Second, 5*time.Millisecond)
		noted := lastUse()
		require.NoError(t, b.store.UseKey(t.Context(), idOf(t, b), noted.Add(59*time.Second)), "another replica's")
		require.Equal(t, noted, lastUse())
		require.NoError(t, b.store.UseKey(t.Context(), idOf(t, b), noted.Add(61*time.Second)))
		require.Equal(t, noted.Add(61*time.Second), lastUse())
	})
}

func idOf(t *testing.T, b *bundle) string {
	t.Helper()
	keys, err := b.store.Keys(t.Context(), nil, 1)
	require.NoError(t, err)
	return keys[0].ID
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

func TestAudit(t *testing.T) {
	t.Parallel()

	t.Run("ChangesAreWrittenDownWithTheirOutcome", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		require.NoError(t, listUsers(with(t.Context(), adminKey), b))
		require.Empty(t, b.entries(t), "reading changes nothing")
		ctx := metadata.AppendToOutgoingContext(with(t.Context(), adminKey), "x-request-id", "r-1")
		require.NoError(t, deleteDocument(ctx, b))
		require.Equal(t, "ROLE_TOO_LOW", reasonOf(deleteDocument(with(t.Context(), b.secret(t, gateway.Viewer, "")), b)))
		require.Error(t, deleteDocument(t.Context(), b))
		entries := b.entries(t)
		require.Len(t, entries, 2, "strangers do not fill the audit")
		denied, done := entries[0], entries[1]
		require.Equal(t, gateway.AuditEntry{
			ID: done.ID, CreateTime: done.CreateTime, Caller: "environment", CallerName: "KNOBOT_ADMIN_API_KEY",
			Method: "knobot.rag.v1.DocumentService/DeleteDocument", Address: "127.0.0.1", Code: "OK", RequestID: "r-1",
		}, done)
		require.Regexp(t, `^key:[0-9A-Za-z]{13}$`, denied.Caller)
		require.Equal(t, "PermissionDenied", denied.Code)
		require.Equal(t, "ROLE_TOO_LOW", denied.Reason)
		require.NotContains(t, fmt.Sprint(entries), "canary-of-a-request")
	})

	t.Run("StreamsAndFailuresToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		client := gatewayv1.NewApiKeyServiceClient(b.conn)
		_, err := client.RevokeApiKey(with(t.Context(), adminKey), &gatewayv1.RevokeApiKeyRequest{Id: "nobodys"})
		require.Error(t, err)
		stream, err := ragv1.NewDocumentServiceClient(b.conn).UploadDocument(with(t.Context(), adminKey))
		require.NoError(t, err)
		_, err = stream.CloseAndRecv()
		require.NoError(t, err)
		listed, err := gatewayv1.NewAuditServiceClient(b.conn).ListAuditEntries(with(t.Context(), adminKey), &gatewayv1.ListAuditEntriesRequest{})
		require.NoError(t, err)
		require.Len(t, listed.GetAuditEntries(), 2)
		require.Equal(t, "knobot.rag.v1.DocumentService/UploadDocument", listed.GetAuditEntries()[0].GetMethod())
		require.Equal(t, "NotFound", listed.GetAuditEntries()[1].GetCode())
		require.Equal(t, "KEY_NOT_FOUND", listed.GetAuditEntries()[1].GetReason())
	})

	t.Run("ItGoesPageByPageAndIsPruned", func(t *testing.T) {
		t.Parallel()
		b := setup(t, options{})
		for range 5 {
			require.NoError(t, deleteDocument(with(t.Context(), adminKey), b))
		}
		seen, r := 0, &gatewayv1.ListAuditEntriesRequest{PageSize: 2}
		client := gatewayv1.NewAuditServiceClient(b.conn)
		for {
			page, err := client.ListAuditEntries(with(t.Context(), adminKey), r)
			require.NoError(t, err)
			seen += len(page.GetAuditEntries())
			if r.PageToken = page.GetNextPageToken(); r.PageToken == "" {
				break
			}
		}
		require.Equal(t, 5, seen, "each once; reading the audit adds none")
		_, err := b.pool.Exec(t.Context(), `update audit_entries set create_time = now() - interval '2 hours' where id <> (select max(id) from audit_entries)`)
		require.NoError(t, err)
		pruned, err := b.store.PruneEntries(t.Context(), time.Hour, 3)
		require.NoError(t, err)
		require.EqualValues(t, 3, pruned)
		_, err = b.store.PruneEntries(t.Context(), time.Hour, 3)
		require.NoError(t, err)
		require.Len(t, b.entries(t), 1)
	})
}
