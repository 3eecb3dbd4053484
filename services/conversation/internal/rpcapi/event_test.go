package rpcapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

func TestEverythingThatAMessageSaysIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.text("573001234567", "¿Cuánto cuesta?")
	e.OccurTime = timestamppb.New(time.Now().Add(-time.Hour).Truncate(time.Second))
	m := e.GetMessage()
	m.Sender.UserId, m.Sender.LanguageCode = "CO.ana", "pt-BR"
	m.Kind = conversationv1.MessageKind_MESSAGE_KIND_IMAGE
	m.Media = &conversationv1.Media{Id: "77", MimeType: "image/jpeg", Sha256: "ab", Filename: "foto.jpg", SizeBytes: 9}
	m.ReplyToMessageId, m.QuotedText, m.AlbumId, m.Forwarded = "wamid.0", "antes", "album", true
	b.post(e)
	var text, kind, language, platformID, external, phone string
	var occurred time.Time
	var raw []byte
	require.NoError(t, b.pool.QueryRow(t.Context(), `
		select m.text, m.kind, m.language, m.platform_message_id, u.external_id, u.phone, m.occur_time, m.details
		from messages m join users u on u.id = m.user_id`).
		Scan(&text, &kind, &language, &platformID, &external, &phone, &occurred, &raw))
	require.Equal(t, "¿Cuánto cuesta?", text)
	require.Equal(t, "image", kind)
	require.Equal(t, "pt", language)
	require.Equal(t, m.GetMessageId(), platformID)
	require.Equal(t, "CO.ana", external)
	require.Equal(t, "573001234567", phone)
	require.True(t, occurred.Equal(e.GetOccurTime().AsTime()))
	var details map[string]any
	require.NoError(t, json.Unmarshal(raw, &details))
	require.Equal(t, map[string]any{
		"reply_to": "wamid.0", "quoted": "antes", "album": "album", "forwarded": true,
		"media": map[string]any{"id": "77", "mime_type": "image/jpeg", "sha256": "ab", "filename": "foto.jpg", "size_bytes": 9.0},
	}, details)
}

func TestTelegramChatIsStoredWithThreadAndBusinessConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.text("", "@bot hola")
	e.IntegrationId = "tg-1"
	m := e.GetMessage()
	m.Sender = &conversationv1.Sender{UserId: "7", Username: "eva"}
	m.Group, m.Addressed = true, true
	m.Address = &typev1.Address{Recipient: &typev1.Address_Chat{Chat: &typev1.TelegramChat{Id: -1001234567890, MessageThreadId: 4, BusinessConnectionId: "bc"}}}
	b.n++
	_, err := b.ingest.IngestWebhook(t.Context(), &conversationv1.IngestWebhookRequest{
		Platform: typev1.Platform_PLATFORM_TELEGRAM, Payload: []byte("{}"), Events: []*conversationv1.Event{e},
	})
	require.NoError(t, err)
	list, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"platform": "telegram", "platform_user_id": "-1001234567890", "created_via": "telegram"},
		list.GetConversations()[0].GetMetadata())
	var scope string
	require.NoError(t, b.pool.QueryRow(t.Context(), `select scope from conversations`).Scan(&scope))
	require.Equal(t, "chat/-1001234567890/4/bc", scope)
}

func TestLabelsAreBoundedAndClean(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.text("573001234567", "hola")
	e.Kind = "te\x00xt" + strings.Repeat("ñ", 300)
	e.GetMessage().Sender.DisplayName = "A\x00na" + strings.Repeat("ñ", 300)
	r := b.post(e)
	l, err := b.logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: r.GetWebhookLogId()})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(l.GetWebhookLog().GetEventType(), "textñ"))
	require.LessOrEqual(t, len(l.GetWebhookLog().GetEventType()), 256)
	require.Equal(t, "open", l.GetWebhookLog().GetEvents()[0].GetOutcome())
	users, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(users.GetUsers()[0].GetDisplayName(), "Anañ"))
}

func TestNULInATextFailsThatEventOnlyAndIsAcknowledged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.post(b.text("573001234567", "bien"), b.text("573001234567", "nul\x00"))
	l, err := b.logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: r.GetWebhookLogId()})
	require.NoError(t, err)
	require.Equal(t, "open", l.GetWebhookLog().GetEvents()[0].GetOutcome())
	require.Equal(t, "failed", l.GetWebhookLog().GetEvents()[1].GetOutcome())
	require.NotContains(t, l.GetWebhookLog().GetErrorMessage(), "nul")
	require.EqualValues(t, 200, l.GetWebhookLog().GetResponseStatus())
}
