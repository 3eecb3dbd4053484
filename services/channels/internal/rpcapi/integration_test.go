package rpcapi_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
)

func whatsAppRequest() *channelsv1.Integration {
	return &channelsv1.Integration{
		Name: "Ventas", Platform: typev1.Platform_PLATFORM_WHATSAPP,
		Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{
			PhoneNumberId: channelstest.PhoneNumberID, WabaId: "102290129340398", AccessToken: channelstest.AccessToken,
			VerifyToken: channelstest.VerifyToken, AppSecret: channelstest.AppSecret,
		}},
	}
}

func (b *bundle) create(t *testing.T, in *channelsv1.Integration) *channelsv1.Integration {
	t.Helper()
	r, err := b.integrations.CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{Integration: in})
	require.NoError(t, err)
	return r.GetIntegration()
}

func (b *bundle) update(t *testing.T, in *channelsv1.Integration, paths ...string) (*channelsv1.Integration, error) {
	t.Helper()
	r, err := b.integrations.UpdateIntegration(t.Context(), &channelsv1.UpdateIntegrationRequest{
		Integration: in, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
	})
	return r.GetIntegration(), err
}

func TestIntegrations(t *testing.T) {
	t.Parallel()

	t.Run("CreatedOneHasDefaultsAndShowsNoSecret", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		require.Equal(t, channelsv1.Integration_STATE_ENABLED, i.GetState())
		require.True(t, i.GetEnabled())
		require.True(t, i.GetSettings().GetRagEnabled())
		require.Equal(t, int32(5), i.GetSettings().GetTopK())
		require.Equal(t, "es", i.GetSettings().GetLanguage())
		require.Equal(t, "default", i.GetSettings().GetKnowledgeBase())
		require.Equal(t, "102290129340398", i.GetWhatsapp().GetWabaId())
		require.Empty(t, i.GetWhatsapp().GetAccessToken()+i.GetWhatsapp().GetVerifyToken()+i.GetWhatsapp().GetAppSecret())
		got, err := b.integrations.GetIntegration(t.Context(), &channelsv1.GetIntegrationRequest{Id: i.GetId()})
		require.NoError(t, err)
		require.True(t, proto.Equal(i, got.GetIntegration()))
	})

	t.Run("MaskChangesWhatItNamesAndNothingElse", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		changed, err := b.update(t, &channelsv1.Integration{
			Id: i.GetId(), Name: "no", Settings: &channelsv1.Settings{TopK: proto.Int32(9), HumanContact: "no", Debounce: durationpb.New(time.Second), StaffPause: durationpb.New(time.Hour)},
		}, "settings.top_k", "settings.debounce", "settings.staff_pause")
		require.NoError(t, err)
		require.Equal(t, int32(9), changed.GetSettings().GetTopK())
		require.Equal(t, time.Second, changed.GetSettings().GetDebounce().AsDuration())
		require.Equal(t, time.Hour, changed.GetSettings().GetStaffPause().AsDuration())
		require.Equal(t, "Ventas", changed.GetName())
		require.Empty(t, changed.GetSettings().GetHumanContact())

		off := &channelsv1.Integration{Id: i.GetId(), Enabled: proto.Bool(false), Settings: &channelsv1.Settings{RagEnabled: proto.Bool(false)}}
		changed, err = b.update(t, off, "enabled", "settings.rag_enabled")
		require.NoError(t, err)
		require.Equal(t, channelsv1.Integration_STATE_DISABLED, changed.GetState())
		require.False(t, changed.GetSettings().GetRagEnabled())

		require.False(t, changed.GetSettings().GetStreamDrafts(), "off unless set")
		drafts := &channelsv1.Integration{Id: i.GetId(), Settings: &channelsv1.Settings{StreamDrafts: true}}
		changed, err = b.update(t, drafts, "settings.stream_drafts")
		require.NoError(t, err)
		require.True(t, changed.GetSettings().GetStreamDrafts())
		require.Equal(t, int32(9), changed.GetSettings().GetTopK())

		require.Nil(t, changed.GetSettings().Suggestions, "on unless set")
		changed, err = b.update(t, &channelsv1.Integration{Id: i.GetId(), Settings: &channelsv1.Settings{Suggestions: proto.Bool(false)}}, "settings.suggestions")
		require.NoError(t, err)
		require.Equal(t, proto.Bool(false), changed.GetSettings().Suggestions)
		got, err := b.integrations.GetIntegration(t.Context(), &channelsv1.GetIntegrationRequest{Id: i.GetId()})
		require.NoError(t, err)
		require.Equal(t, proto.Bool(false), got.GetIntegration().GetSettings().Suggestions)
		changed, err = b.update(t, &channelsv1.Integration{Id: i.GetId()}, "settings.suggestions")
		require.NoError(t, err)
		require.Nil(t, changed.GetSettings().Suggestions)

		whole := &channelsv1.Integration{Id: i.GetId(), Settings: &channelsv1.Settings{Language: "pt"}}
		changed, err = b.update(t, whole, "settings")
		require.NoError(t, err)
		require.Equal(t, "pt", changed.GetSettings().GetLanguage())
		require.Equal(t, int32(5), changed.GetSettings().GetTopK(), "settings as a whole are replaced")
		require.False(t, changed.GetSettings().GetStreamDrafts())
		require.True(t, changed.GetSettings().GetRagEnabled())
	})

	t.Run("WholeConfigKeepsTheSecretsThatAreNotGiven", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		in := &channelsv1.Integration{Id: i.GetId(), Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{AccessToken: "EAAG-new"}}}
		changed, err := b.update(t, in, "whatsapp")
		require.NoError(t, err)
		require.Equal(t, channelsv1.Integration_STATE_ENABLED, changed.GetState())
		require.Equal(t, channelstest.PhoneNumberID, changed.GetWhatsapp().GetPhoneNumberId())
		_, err = b.channels.SendMessage(t.Context(), send("r1", user(i.GetId()), "hola"))
		require.NoError(t, err)
	})

	t.Run("RefusalsNameAFieldAndRepeatNothingElse", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		in := &channelsv1.Integration{Id: b.create(t, whatsAppRequest()).GetId(), Settings: &channelsv1.Settings{
			WindowTemplate: &channelsv1.WindowTemplate{Name: "hola", Languages: []string{"es", channelstest.AccessToken}},
		}}
		_, err := b.update(t, in, "settings.topK")
		require.ErrorContains(t, err, "settings.topK")
		for _, path := range []string{channelstest.AccessToken, channelstest.BotToken, strings.Repeat("a", 65), "settings.window_template"} {
			_, err := b.update(t, in, path)
			require.Equal(t, codes.InvalidArgument, status.Code(err))
			require.NotContains(t, err.Error(), channelstest.AccessToken)
			require.NotContains(t, err.Error(), channelstest.BotToken)
			require.NotContains(t, err.Error(), strings.Repeat("a", 65))
		}
	})

	t.Run("BadMasksAndValuesAreInvalid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		in := &channelsv1.Integration{Id: b.create(t, whatsAppRequest()).GetId(), Settings: &channelsv1.Settings{TopK: proto.Int32(21)}}
		for _, paths := range [][]string{nil, {"*"}, {"id"}, {"state"}, {"settings.topK"}, {"telegram.bot_id"}, {"settings.top_k"}, {"name"}} {
			_, err := b.update(t, in, paths...)
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%v: %v", paths, err)
		}
		in.Id = "nobody"
		_, err := b.update(t, in, "enabled")
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
		wrong := whatsAppRequest()
		wrong.Platform = typev1.Platform_PLATFORM_TELEGRAM
		_, err = b.integrations.CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{Integration: wrong})
		requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
		_, err = b.integrations.CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{})
		requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
		_, err = b.integrations.CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{Integration: whatsAppRequest()})
		requireFault(t, err, fault.Conflict, "PHONE_NUMBER_ID_TAKEN")
	})

	t.Run("PagesCoverAllByName", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for n := range 5 {
			in := whatsAppRequest()
			in.Name, in.GetWhatsapp().PhoneNumberId = fmt.Sprintf("n%d/ñ", n%3), fmt.Sprintf("10000%d", n)
			b.create(t, in)
		}
		b.Telegram(t)
		var names []string
		token := ""
		for {
			r, err := b.integrations.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{
				PageSize: 2, PageToken: token, Platform: typev1.Platform_PLATFORM_WHATSAPP,
			})
			require.NoError(t, err)
			for _, i := range r.GetIntegrations() {
				names = append(names, i.GetName())
			}
			if token = r.GetNextPageToken(); token == "" {
				break
			}
			_, err = b.integrations.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{
				PageToken: token, Platform: typev1.Platform_PLATFORM_TELEGRAM,
			})
			requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
		}
		require.Equal(t, []string{"n0/ñ", "n0/ñ", "n1/ñ", "n1/ñ", "n2/ñ"}, names)
		for _, bad := range []string{"!", "eA", "AAAA"} {
			_, err := b.integrations.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{PageToken: bad})
			requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
		}
	})

	t.Run("DeletedOneIsGoneFromListsAndGets", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		_, err := b.integrations.DeleteIntegration(t.Context(), &channelsv1.DeleteIntegrationRequest{Id: i.GetId()})
		require.NoError(t, err)
		_, err = b.integrations.GetIntegration(t.Context(), &channelsv1.GetIntegrationRequest{Id: i.GetId()})
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
		r, err := b.integrations.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{})
		require.NoError(t, err)
		require.Empty(t, r.GetIntegrations())
	})
}

func TestSetWebhookOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.Telegram(t)
	r, err := b.integrations.SetWebhook(t.Context(), &channelsv1.SetWebhookRequest{IntegrationId: i.ID, Url: "https://example.org"})
	require.NoError(t, err)
	require.Equal(t, int32(3), r.GetWebhookInfo().GetPendingUpdateCount())
	asked := b.providers.asked()[0]
	require.Equal(t, "https://example.org/api/integrations/webhooks/telegram/", asked.body["url"])
	require.Equal(t, channelstest.WebhookSecret, asked.body["secret_token"])
	require.Subset(t, asked.body["allowed_updates"], []any{"message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "business_message"})
	info, err := b.integrations.GetWebhookInfo(t.Context(), &channelsv1.GetWebhookInfoRequest{IntegrationId: i.ID})
	require.NoError(t, err)
	require.NotEmpty(t, info.GetWebhookInfo().GetUrl())
}

func TestWatches(t *testing.T) {
	t.Parallel()

	t.Run("VerificationGetsWhatVerifiesAndNoMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		bot := b.Telegram(t)
		stream, err := b.verification.Watch(t.Context(), &channelsv1.WatchRequest{})
		require.NoError(t, err)
		got := map[string]*channelsv1.Credentials{}
		for {
			r, err := stream.Recv()
			require.NoError(t, err)
			if r.GetSynced() != nil {
				break
			}
			got[r.GetCredentials().GetIntegrationId()] = r.GetCredentials()
		}
		digest := func(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:] }
		require.Equal(t, [][]byte{[]byte(channelstest.AppSecret)}, got[i.GetId()].GetAppSecrets())
		require.Equal(t, digest(channelstest.VerifyToken), got[i.GetId()].GetVerifyTokenSha256())
		require.Equal(t, channelstest.PhoneNumberID, got[i.GetId()].GetPhoneNumberId())
		require.Equal(t, [][]byte{digest(channelstest.WebhookSecret)}, got[bot.ID].GetWebhookSecretSha256())
		require.Equal(t, int64(123456), got[bot.ID].GetBotId())

		rotated := &channelsv1.Integration{Id: i.GetId(), Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{AppSecret: "rotated"}}}
		_, err = b.update(t, rotated, "whatsapp.app_secret")
		require.NoError(t, err)
		r, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte("rotated"), []byte(channelstest.AppSecret)}, r.GetCredentials().GetAppSecrets())
	})

	t.Run("IntegrationsWithoutSecretsUntilDraining", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		stream, err := b.integrations.WatchIntegrations(t.Context(), &channelsv1.WatchIntegrationsRequest{})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.True(t, proto.Equal(i, first.GetIntegration()))
		synced, err := stream.Recv()
		require.NoError(t, err)
		require.Positive(t, synced.GetSynced().GetRevision())
		close(b.draining)
		_, err = stream.Recv()
		requireFault(t, err, fault.Unavailable, "DRAINING")
	})
}

func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i, bot := b.create(t, whatsAppRequest()), b.Telegram(t)
	var seen []string
	note := func(m any, err error) { seen = append(seen, fmt.Sprint(m), fmt.Sprintf("%+v", err)) }
	exercise := func() {
		ctx := t.Context()
		for n, to := range []*typev1.Address{user(i.GetId()), chat(bot.ID)} {
			note(b.channels.SendMessage(ctx, send(fmt.Sprintf("r%d-%d", n, len(seen)), to, "hola")))
		}
		note(b.channels.MarkMessageRead(ctx, &channelsv1.MarkMessageReadRequest{Address: user(i.GetId()), MessageId: "wamid.x"}))
		note(b.channels.SendTypingIndicator(ctx, &channelsv1.SendTypingIndicatorRequest{Address: chat(bot.ID)}))
		note(b.integrations.SetWebhook(ctx, &channelsv1.SetWebhookRequest{IntegrationId: bot.ID, Url: "https://example.org"}))
		note(b.integrations.GetWebhookInfo(ctx, &channelsv1.GetWebhookInfoRequest{IntegrationId: bot.ID}))
		note(b.integrations.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{}))
		note(b.integrations.CheckIntegration(ctx, &channelsv1.CheckIntegrationRequest{Id: i.GetId()}))
		note(b.integrations.CheckIntegration(ctx, &channelsv1.CheckIntegrationRequest{Id: bot.ID}))
		note(b.integrations.RotateWebhookSecret(ctx, &channelsv1.RotateWebhookSecretRequest{Id: bot.ID}))
	}
	echo := func(s string) string { raw, _ := json.Marshal(s); return string(raw) } //nolint:errchkjson // a string
	all := channelstest.AccessToken + " " + channelstest.BotToken + " " + channelstest.WebhookSecret + " " + channelstest.AppSecret
	exercise()
	b.providers.fail(500, "canary? "+all)
	exercise()
	b.providers.fail(400, `{"ok":false,"error_code":400,"description":`+echo("Bad Request: "+channelstest.BotToken)+
		`,"error":{"code":100,"message":`+echo("bad token "+channelstest.AccessToken)+`}}`)
	exercise()
	b.providers.Close() // errors of net/http hold the address, and Telegram's address holds the token
	exercise()
	_, err := b.integrations.DeleteIntegration(t.Context(), &channelsv1.DeleteIntegrationRequest{Id: bot.ID})
	note(nil, err)
	for _, e := range b.Logs.All() {
		fields, err := json.Marshal(e.ContextMap())
		require.NoError(t, err)
		seen = append(seen, e.Message, string(fields))
	}
	for _, s := range seen {
		for _, secret := range []string{
			channelstest.AccessToken, channelstest.BotToken, "canary-bot-token", channelstest.WebhookSecret, channelstest.AppSecret, channelstest.VerifyToken,
		} {
			require.NotContains(t, s, secret)
		}
	}
}
