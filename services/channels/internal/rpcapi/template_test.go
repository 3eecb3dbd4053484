package rpcapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
)

const (
	header     = channelsv1.TemplateComponent_TYPE_HEADER
	body       = channelsv1.TemplateComponent_TYPE_BODY
	quickReply = channelsv1.TemplateComponent_TYPE_QUICK_REPLY_BUTTON
	urlButton  = channelsv1.TemplateComponent_TYPE_URL_BUTTON
	copyCode   = channelsv1.TemplateComponent_TYPE_COPY_CODE_BUTTON
)

func says(name, text string) *channelsv1.TemplateParameter {
	return &channelsv1.TemplateParameter{Name: name, Value: &channelsv1.TemplateParameter_Text{Text: text}}
}

func shows(m *channelsv1.OutboundMedia) *channelsv1.TemplateParameter {
	return &channelsv1.TemplateParameter{Value: &channelsv1.TemplateParameter_Media{Media: m}}
}

func part(of channelsv1.TemplateComponent_Type, index int32, p ...*channelsv1.TemplateParameter) *channelsv1.TemplateComponent {
	return &channelsv1.TemplateComponent{Type: of, Index: index, Parameters: p}
}

func TestTemplateComponentsReachMeta(t *testing.T) {
	t.Parallel()

	b := setup(t)
	_, err := b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "t1", Address: user(b.WhatsApp(t).ID), Template: "pedido", Components: []*channelsv1.TemplateComponent{
			part(header, 0, shows(linked(channelsv1.OutboundMedia_KIND_IMAGE, "https://example.com/a.jpg"))),
			part(body, 0, says("nombre", "Ana"), says("total", "4,95 €")),
			part(quickReply, 0, says("", "si")), part(urlButton, 1, says("", "1234")), part(copyCode, 2, says("", "ABC10")),
		},
	})
	require.NoError(t, err)
	template, ok := b.providers.asked()[0].body["template"].(map[string]any)
	require.True(t, ok)
	components, ok := template["components"].([]any)
	require.True(t, ok)
	require.Len(t, components, 5)
	require.Equal(t, map[string]any{"type": "button", "sub_type": "url", "index": "1", "parameters": []any{
		map[string]any{"type": "text", "text": "1234"},
	}}, components[3])
}

func TestBadTemplateComponentsAreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()

	b := setup(t)
	number := b.WhatsApp(t).ID
	picture := linked(channelsv1.OutboundMedia_KIND_IMAGE, "https://example.com/a.jpg")
	many := make([]*channelsv1.TemplateParameter, 51)
	parts := make([]*channelsv1.TemplateComponent, 13)
	for i := range many {
		many[i] = says("", "a")
	}
	for i := range parts {
		parts[i] = part(quickReply, int32(i), says("", "a"))
	}
	const invalid, conflict = "INVALID_REQUEST", "CONTENT_CONFLICT"
	for name, c := range map[string]struct {
		components []*channelsv1.TemplateComponent
		reason     string
	}{
		"no type":                {[]*channelsv1.TemplateComponent{part(0, 0, says("", "a"))}, invalid},
		"no value":               {[]*channelsv1.TemplateComponent{part(body, 0, &channelsv1.TemplateParameter{})}, invalid},
		"empty text":             {[]*channelsv1.TemplateComponent{part(body, 0, says("", ""))}, invalid},
		"line break":             {[]*channelsv1.TemplateComponent{part(body, 0, says("", "a\nb"))}, invalid},
		"body without values":    {[]*channelsv1.TemplateComponent{part(body, 0)}, invalid},
		"body with too many":     {[]*channelsv1.TemplateComponent{part(body, 0, many...)}, invalid},
		"header with two":        {[]*channelsv1.TemplateComponent{part(header, 0, says("", "a"), says("", "b"))}, invalid},
		"button with two":        {[]*channelsv1.TemplateComponent{part(urlButton, 0, says("", "a"), says("", "b"))}, invalid},
		"index of a body":        {[]*channelsv1.TemplateComponent{part(body, 1, says("", "a"))}, invalid},
		"eleventh button":        {[]*channelsv1.TemplateComponent{part(urlButton, 10, says("", "a"))}, invalid},
		"negative index":         {[]*channelsv1.TemplateComponent{part(urlButton, -1, says("", "a"))}, invalid},
		"two bodies":             {[]*channelsv1.TemplateComponent{part(body, 0, says("", "a")), part(body, 0, says("", "a"))}, invalid},
		"two buttons in a place": {[]*channelsv1.TemplateComponent{part(urlButton, 1, says("", "a")), part(copyCode, 1, says("", "a"))}, invalid},
		"too many":               {parts, invalid},
		"name not allowed":       {[]*channelsv1.TemplateComponent{part(body, 0, says("Nombre", "a"))}, invalid},
		"name of a button":       {[]*channelsv1.TemplateComponent{part(quickReply, 0, says("a", "a"))}, invalid},
		"long payload":           {[]*channelsv1.TemplateComponent{part(quickReply, 0, says("", strings.Repeat("a", 257)))}, invalid},
		"half named":             {[]*channelsv1.TemplateComponent{part(body, 0, says("a", "a"), says("", "b"))}, conflict},
		"file in the body":       {[]*channelsv1.TemplateComponent{part(body, 0, shows(picture))}, conflict},
		"voice in the header":    {[]*channelsv1.TemplateComponent{part(header, 0, shows(linked(channelsv1.OutboundMedia_KIND_VOICE, "https://example.com/a.ogg")))}, conflict},
		"file by http":           {[]*channelsv1.TemplateComponent{part(header, 0, shows(linked(channelsv1.OutboundMedia_KIND_IMAGE, "http://example.com/a.jpg")))}, "MEDIA_URL_REFUSED"},
	} {
		_, err := b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
			RequestId: "t1", Address: user(number), Template: "pedido", Components: c.components,
		})
		require.Equal(t, c.reason, fault.ReasonOf(err), "%s: %v", name, err)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
	}
	_, err := b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "t1", Address: user(number), Template: "pedido", BodyParameters: []string{"Ana"},
		Components: []*channelsv1.TemplateComponent{part(body, 0, says("", "a"))},
	})
	requireFault(t, err, fault.Invalid, conflict)
	_, err = b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "t1", Address: user(number), Template: "pedido", Components: []*channelsv1.TemplateComponent{part(header, 0, shows(stored("gone")))},
	})
	requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
	_, err = b.channels.SendTemplate(t.Context(), &channelsv1.SendTemplateRequest{
		RequestId: "t1", Address: chat(b.Telegram(t).ID), Template: "pedido", Components: []*channelsv1.TemplateComponent{part(body, 0, says("", "a"))},
	})
	requireFault(t, err, fault.Invalid, "TEMPLATE_NEEDS_WHATSAPP")
	require.Empty(t, b.providers.asked())
}
