package rpcapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

func TestSendMessage(t *testing.T) {
	t.Parallel()

	t.Run("MarkdownReachesWhatsAppAsItsMarkup", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r, err := b.channels.SendMessage(t.Context(), send("r1", user(b.WhatsApp(t).ID), "**Hola**, ¿qué tal?"))
		require.NoError(t, err)
		require.Equal(t, conversationv1.DeliveryState_DELIVERY_STATE_SENT, r.GetDelivery().GetState())
		require.Equal(t, "wamid.1", r.GetDelivery().GetParts()[0].GetMessageId())
		asked := b.providers.asked()[0]
		require.Equal(t, "/v26.0/106540352242922/messages", asked.path)
		require.Equal(t, "+573001234567", asked.body["to"])
		require.Equal(t, map[string]any{"body": "*Hola*, ¿qué tal?"}, asked.body["text"])
		require.Equal(t, "r1/0/1", asked.body["biz_opaque_callback_data"])
	})

	t.Run("MarkdownReachesTelegramAsHTMLWithItsKeyboard", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		m := send("r1", chat(b.Telegram(t).ID), "**Hola** a < b")
		m.Content.ButtonRows = []*channelsv1.ButtonRow{{Buttons: []*channelsv1.Button{{Id: "opt1", Title: "Opción 1"}}}}
		_, err := b.channels.SendMessage(t.Context(), m)
		require.NoError(t, err)
		asked := b.providers.asked()[0]
		require.Equal(t, "<b>Hola</b> a &lt; b", asked.body["text"])
		require.Equal(t, map[string]any{"inline_keyboard": []any{[]any{map[string]any{"text": "Opción 1", "callback_data": "opt1"}}}}, asked.body["reply_markup"])
	})

	t.Run("LongAnswerIsSplitAndRecorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		m := send("r1", chat(b.Telegram(t).ID), strings.Repeat("palabra ", 1500))
		r, err := b.channels.SendMessage(t.Context(), m)
		require.NoError(t, err)
		require.Len(t, r.GetDelivery().GetParts(), len(b.providers.asked()))
		require.Greater(t, len(b.providers.asked()), 2)
		again, err := b.channels.SendMessage(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, r.String(), again.String())
		known, err := b.channels.GetDelivery(t.Context(), &channelsv1.GetDeliveryRequest{RequestId: "r1"})
		require.NoError(t, err)
		require.Equal(t, r.GetDelivery().String(), known.GetDelivery().String())
	})

	t.Run("EachRefusalHasItsReasonOnTheWire", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			status int
			body   string
			kind   fault.Kind
			reason string
		}{
			{400, `{"error":{"message":"Re-engagement message","type":"OAuthException","code":131047}}`, fault.Precondition, "WHATSAPP_WINDOW_CLOSED"},
			{400, `{"error":{"message":"undeliverable","code":131026}}`, fault.Precondition, "RECIPIENT_UNREACHABLE"},
			{401, `{"error":{"message":"token expired","code":190}}`, fault.Precondition, "INTEGRATION_STOPPED"},
			{429, `{"error":{"message":"throughput","code":130429}}`, fault.Throttled, "THROTTLED"},
			{400, `{"error":{"message":"pair","code":131056}}`, fault.Throttled, "THROTTLED"},
			{400, `{"error":{"message":"parameter","code":100}}`, fault.Invalid, "MESSAGE_REFUSED"},
			{503, `{"error":{"message":"overloaded","code":131016}}`, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{502, `<html>`, fault.InFlight, "DELIVERY_IN_DOUBT"},
		} {
			b := setup(t)
			b.providers.fail(c.status, c.body)
			_, err := b.channels.SendMessage(t.Context(), send("r1", user(b.WhatsApp(t).ID), "hola"))
			requireFault(t, err, c.kind, c.reason)
			_, hasRetry := fault.RetryAfterOf(err)
			require.Equal(t, c.kind == fault.Throttled || c.kind == fault.InFlight, hasRetry, c.reason)
		}
		b := setup(t)
		b.providers.fail(403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`)
		_, err := b.channels.SendMessage(t.Context(), send("r1", chat(b.Telegram(t).ID), "hola"))
		requireFault(t, err, fault.Precondition, "BOT_BLOCKED")
	})

	t.Run("ClosedWindowTravelsWithTheSend", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		m := send("r1", user(b.WhatsApp(t).ID), "hola")
		m.ServiceWindowExpireTime = timestamppb.New(time.Now().Add(-time.Minute))
		_, err := b.channels.SendMessage(t.Context(), m)
		requireFault(t, err, fault.Precondition, "WHATSAPP_WINDOW_CLOSED")
		require.Empty(t, b.providers.asked())
	})

	t.Run("BadInputIsInvalid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		to := chat(b.Telegram(t).ID)
		for name, m := range map[string]*channelsv1.SendMessageRequest{
			"no request id":      send("", to, "hola"),
			"long request id":    send(strings.Repeat("x", 65), to, "hola"),
			"blank in id":        send("a b", to, "hola"),
			"no address":         send("r1", nil, "hola"),
			"no recipient":       send("r1", &typev1.Address{IntegrationId: to.GetIntegrationId()}, "hola"),
			"no chat id":         send("r1", &typev1.Address{Recipient: &typev1.Address_Chat{Chat: &typev1.TelegramChat{}}}, "hola"),
			"no user":            send("r1", &typev1.Address{Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{}}}, "hola"),
			"phone with letters": send("r1", &typev1.Address{Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{PhoneNumber: "57x0012"}}}, "hola"),
			"no text":            send("r1", to, ""),
			"control characters": send("r1", to, "\x00\x01"),
			"nameless button": {RequestId: "r1", Address: to, Content: &channelsv1.Content{Text: "x", ButtonRows: []*channelsv1.ButtonRow{
				{Buttons: []*channelsv1.Button{{Id: "a"}}},
			}}},
			"button id not ASCII": {RequestId: "r1", Address: to, Content: &channelsv1.Content{Text: "x", ButtonRows: []*channelsv1.ButtonRow{
				{Buttons: []*channelsv1.Button{{Id: "ñ", Title: "x"}}},
			}}},
		} {
			_, err := b.channels.SendMessage(t.Context(), m)
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
		}
		require.Empty(t, b.providers.asked())
	})

	t.Run("TextWithNULIsSentWithoutIt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.channels.SendMessage(t.Context(), send("r1", chat(b.Telegram(t).ID), "ho\x00la"))
		require.NoError(t, err)
		require.NotContains(t, b.providers.asked()[0].body["text"], "\x00")
	})
}

func TestSendTemplate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.WhatsApp(t)
	r, err := b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "t1", Address: user(i.ID), Template: "bienvenida", BodyParameters: []string{"Ana"},
	})
	require.NoError(t, err)
	require.Equal(t, "wamid.1", r.GetDelivery().GetParts()[0].GetMessageId())
	require.Nil(t, r.GetDelivery().GetParts()[0].GetPricing(), "nothing is known yet")
	template, _ := b.providers.asked()[0].body["template"].(map[string]any)
	require.Equal(t, "bienvenida", template["name"])
	require.Equal(t, map[string]any{"code": "es"}, template["language"])

	_, err = b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{RequestId: "t2", Address: chat(b.Telegram(t).ID), Template: "bienvenida"})
	requireFault(t, err, fault.Invalid, "TEMPLATE_NEEDS_WHATSAPP")
	_, err = b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{RequestId: "t3", Address: user(i.ID), Template: "Bien Venida"})
	requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
}

func TestSmallCalls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	whatsApp, telegram := b.WhatsApp(t).ID, b.Telegram(t).ID
	_, err := b.channels.MarkMessageRead(t.Context(), &channelsv1.MarkMessageReadRequest{Address: user(whatsApp), MessageId: "wamid.in", Typing: true})
	require.NoError(t, err)
	_, err = b.channels.SendTypingIndicator(t.Context(), &channelsv1.SendTypingIndicatorRequest{Address: chat(telegram)})
	require.NoError(t, err)
	_, err = b.channels.AnswerButtonPress(t.Context(), &channelsv1.AnswerButtonPressRequest{IntegrationId: telegram, CallbackId: "cb"})
	require.NoError(t, err)
	_, err = b.channels.MarkMessageRead(t.Context(), &channelsv1.MarkMessageReadRequest{Address: chat(telegram), MessageId: "1"})
	require.NoError(t, err, "on Telegram it does nothing")
	asked := b.providers.asked()
	require.Len(t, asked, 3)
	require.Equal(t, "read", asked[0].body["status"])
	require.Equal(t, map[string]any{"type": "text"}, asked[0].body["typing_indicator"])
	require.Equal(t, "typing", asked[1].body["action"])
	require.Equal(t, "cb", asked[2].body["callback_query_id"])
}

func TestSendDraft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	telegram := b.Telegram(t).ID
	_, err := b.channels.SendDraft(t.Context(), &channelsv1.SendDraftRequest{Address: chat(telegram), DraftId: 3, Text: "**Hola**"})
	require.NoError(t, err)
	asked := b.providers.asked()[0]
	require.True(t, strings.HasSuffix(asked.path, "/sendMessageDraft"))
	require.Equal(t, "<b>Hola</b>", asked.body["text"])

	for reason, r := range map[string]*channelsv1.SendDraftRequest{
		"DRAFTS_UNSUPPORTED": {Address: user(b.WhatsApp(t).ID), DraftId: 3, Text: "hola"},
		"DRAFT_ID_MISSING":   {Address: chat(telegram), Text: "hola"},
		"TEXT_EMPTY":         {Address: chat(telegram), DraftId: 3},
		"INVALID_REQUEST":    {DraftId: 3, Text: "hola"},
	} {
		_, err := b.channels.SendDraft(t.Context(), r)
		require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
	}
	b.providers.fail(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}`)
	_, err = b.channels.SendDraft(t.Context(), &channelsv1.SendDraftRequest{Address: chat(telegram), DraftId: 3, Text: "hola"})
	requireFault(t, err, fault.Throttled, "THROTTLED")
	after, _ := fault.RetryAfterOf(err)
	require.Equal(t, 7*time.Second, after)
}

func TestRecordDeliveryReports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.WhatsApp(t)
	_, err := b.channels.SendMessage(t.Context(), send("r1", user(i.ID), "hola"))
	require.NoError(t, err)
	r, err := b.channels.RecordDeliveryReports(t.Context(), &channelsv1.RecordDeliveryReportsRequest{
		IntegrationId: i.ID, Reports: []*conversationv1.DeliveryReport{
			{
				MessageId: "wamid.1", Echo: "r1/0/1", State: conversationv1.DeliveryState_DELIVERY_STATE_READ,
				Billable: true, PricingModel: "PMP", PricingType: "regular", PricingCategory: "service",
			},
			{MessageId: "wamid.foreign", State: conversationv1.DeliveryState_DELIVERY_STATE_READ},
			{MessageId: "wamid.1", State: conversationv1.DeliveryState_DELIVERY_STATE_FAILED, ErrorCode: 131047, ErrorMessage: "Re-engagement"},
		},
	})
	require.NoError(t, err)
	require.Len(t, r.GetOutcomes(), 3)
	require.Equal(t, conversationv1.DeliveryState_DELIVERY_STATE_READ, r.GetOutcomes()[0].GetState())
	require.Empty(t, r.GetOutcomes()[1].GetRequestId())
	require.True(t, r.GetOutcomes()[2].GetWindowClosed())
	known, err := b.channels.GetDelivery(t.Context(), &channelsv1.GetDeliveryRequest{RequestId: "r1"})
	require.NoError(t, err)
	price := known.GetDelivery().GetParts()[0].GetPricing()
	require.True(t, price.GetBillable())
	require.Equal(t, []string{"PMP", "regular", "service"}, []string{price.GetModel(), price.GetType(), price.GetCategory()})
	_, err = b.channels.RecordDeliveryReports(t.Context(), &channelsv1.RecordDeliveryReportsRequest{IntegrationId: "x"})
	requireFault(t, err, fault.Invalid, "INVALID_REQUEST")
}

func TestEnumsHaveOneOrder(t *testing.T) {
	t.Parallel()
	require.Equal(t, int(conversationv1.DeliveryState_DELIVERY_STATE_SENT), int(channels.DeliverySent))
	require.Equal(t, int(conversationv1.DeliveryState_DELIVERY_STATE_DELIVERED), int(channels.DeliveryDelivered))
	require.Equal(t, int(conversationv1.DeliveryState_DELIVERY_STATE_READ), int(channels.DeliveryRead))
	require.Equal(t, int(conversationv1.DeliveryState_DELIVERY_STATE_PLAYED), int(channels.DeliveryPlayed))
	require.Equal(t, int(conversationv1.DeliveryState_DELIVERY_STATE_FAILED), int(channels.DeliveryFailed))
}
