package rpcapi_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
)

// bytesKept is everything that lies in the bucket.
func (b *bundle) bytesKept(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.String()
}

// dump is every row of the schema as text.
func (b *bundle) dump(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"deliveries", "delivery_parts", "media", "media_writes", "pauses", "pacing", "forgotten_media"} {
		var rows string
		require.NoError(t, b.Pool.QueryRow(t.Context(), `select coalesce(string_agg(x::text, e'\n'), '') from `+table+` x`).Scan(&rows))
		all.WriteString(rows)
	}
	return all.String()
}

func TestForget(t *testing.T) {
	t.Parallel()
	const phone, bsuid = "573009990001", "CO.canary17"

	t.Run("NothingOfTheCustomerIsLeftAndAllOfOthers", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest()).GetId()
		ana := &typev1.Address{IntegrationId: i, Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{UserId: bsuid, PhoneNumber: phone}}}
		byPhone := &typev1.Address{IntegrationId: i, Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{PhoneNumber: phone}}}
		unsendable := &typev1.Address{IntegrationId: i, Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{UserId: "ñ"}}}
		for request, to := range map[string]*typev1.Address{"r-bsuid": ana, "r-phone": byPhone, "r-eva": user(i), "r-named": user(i)} {
			_, err := b.channels.SendMessage(t.Context(), send(request, to, "hola"))
			require.NoError(t, err)
		}
		b.Exec(t, `insert into pauses (integration_id, recipient, level, until_time) values ($1, $2, 1, now()), ($1, '', 1, now())`, i, phone)
		b.providers.give(graphFile, served("\xff\xd8\xff canary bytes"))
		file, err := b.fetch(t, i, &conversationv1.Media{Id: mediaID, Filename: "canary.jpg"})
		require.NoError(t, err)
		named, err := b.fetch(t, i, &conversationv1.Media{Id: mediaID + "7", Filename: "canary.jpg"})
		require.NoError(t, err)
		require.NotEqual(t, file.GetId(), named.GetId())
		require.Contains(t, b.bytesKept(t), "canary")

		request := &channelsv1.ForgetRequest{
			IntegrationId: i, Addresses: []*typev1.Address{ana, unsendable}, RequestIds: []string{"r-named"},
			MediaIds: []string{file.GetId()}, ProviderMediaIds: []string{mediaID + "7", "no id: ñ"},
		}
		for range 2 { // it may be repeated
			_, err = b.channels.Forget(t.Context(), request)
			require.NoError(t, err)
		}
		left := b.dump(t)
		for _, canary := range []string{phone, bsuid, "canary", mediaID, "r-bsuid", "r-phone", "r-named"} {
			require.NotContains(t, left, canary)
		}
		require.NotContains(t, b.bytesKept(t), "canary")
		_, err = b.channels.GetDelivery(t.Context(), &channelsv1.GetDeliveryRequest{RequestId: "r-eva"})
		require.NoError(t, err, "somebody else's")
		var pauses int
		require.NoError(t, b.Pool.QueryRow(t.Context(), `select count(*) from pauses`).Scan(&pauses))
		require.Equal(t, 1, pauses, "the number's own stays")
	})

	t.Run("AnotherIntegrationsIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest()).GetId()
		other := b.Telegram(t).ID
		_, err := b.channels.SendMessage(t.Context(), send("r", user(i), "hola"))
		require.NoError(t, err)
		_, err = b.channels.Forget(t.Context(), &channelsv1.ForgetRequest{
			IntegrationId: other, Addresses: []*typev1.Address{chat(other)}, RequestIds: []string{"r"},
		})
		require.NoError(t, err)
		_, err = b.channels.GetDelivery(t.Context(), &channelsv1.GetDeliveryRequest{RequestId: "r"})
		require.NoError(t, err)
	})

	t.Run("WhatCannotBeIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := uuid.NewString()
		for _, r := range []*channelsv1.ForgetRequest{
			{},
			{IntegrationId: "x"},
			{IntegrationId: id, Addresses: []*typev1.Address{user(uuid.NewString())}},
			{IntegrationId: id, Addresses: []*typev1.Address{{IntegrationId: id}}},
			{IntegrationId: id, MediaIds: []string{"x"}},
			{IntegrationId: id, ProviderMediaIds: make([]string, 1001)},
			{IntegrationId: id, RequestIds: []string{"ñ"}},
			{IntegrationId: id, RequestIds: make([]string, 1001)},
		} {
			_, err := b.channels.Forget(t.Context(), r)
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%v: %v", r, err)
		}
	})
}

func TestRetentionAndLimitsAreSettings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.create(t, whatsAppRequest())
	require.Nil(t, i.GetSettings().GetRetention())
	require.Nil(t, i.GetSettings().GetCustomerLimits())
	settings := &channelsv1.Settings{
		Retention:      &channelsv1.Retention{Messages: durationpb.New(720 * time.Hour), Media: durationpb.New(time.Hour)},
		CustomerLimits: &channelsv1.CustomerLimits{Hourly: proto.Int32(20), Daily: proto.Int32(0)},
	}
	changed, err := b.update(t, &channelsv1.Integration{Id: i.GetId(), Settings: settings}, "settings.retention", "settings.customer_limits")
	require.NoError(t, err)
	require.True(t, proto.Equal(settings.GetRetention(), changed.GetSettings().GetRetention()))
	require.True(t, proto.Equal(settings.GetCustomerLimits(), changed.GetSettings().GetCustomerLimits()))
	for path, wrong := range map[string]*channelsv1.Settings{
		"settings.retention":       {Retention: &channelsv1.Retention{WebhookPayloads: durationpb.New(time.Minute)}},
		"settings.customer_limits": {CustomerLimits: &channelsv1.CustomerLimits{Hourly: proto.Int32(-1)}},
	} {
		_, err := b.update(t, &channelsv1.Integration{Id: i.GetId(), Settings: wrong}, path)
		requireFault(t, err, fault.Invalid, "INVALID_INTEGRATION")
		require.ErrorContains(t, err, path)
	}
	changed, err = b.update(t, &channelsv1.Integration{Id: i.GetId()}, "settings.retention", "settings.customer_limits")
	require.NoError(t, err)
	require.Nil(t, changed.GetSettings().GetRetention())
}
