package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

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
