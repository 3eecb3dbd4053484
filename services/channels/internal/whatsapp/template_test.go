package whatsapp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
)

func TestTemplateFillsHeaderBodyAndButtons(t *testing.T) {
	t.Parallel()

	r := text("")
	r.Template = &channels.Template{Name: "pedido", Language: "es_MX", Components: []channels.TemplateComponent{
		{Type: channels.TemplateHeader, Parameters: []channels.TemplateParameter{{Media: &channels.Media{Kind: channels.MediaDocument, ID: "pdf"}}}},
		{Type: channels.TemplateBody, Parameters: []channels.TemplateParameter{{Name: "nombre", Text: "Ana"}, {Name: "total", Text: "4,95 €"}}},
		{Type: channels.TemplateQuickReply, Parameters: []channels.TemplateParameter{{Text: "si"}}},
		{Type: channels.TemplateURL, Index: 1, Parameters: []channels.TemplateParameter{{Text: "1234"}}},
		{Type: channels.TemplateCopyCode, Index: 2, Parameters: []channels.TemplateParameter{{Text: "ABC10"}}},
	}}
	server, err := sendStored(t, library(), r, fakeapi.Answer{Status: 200, Body: kept}, fakeapi.Answer{Status: 200, Body: accepted})
	require.NoError(t, err)
	require.Len(t, server.Calls(), 2, "the header's file is handed over first")
	require.JSONEq(t, `{"name":"pedido","language":{"code":"es_MX"},"components":[
		{"type":"header","parameters":[{"type":"document","document":{"id":"1013859600285441","filename":"archivo.pdf"}}]},
		{"type":"body","parameters":[
			{"type":"text","parameter_name":"nombre","text":"Ana"},{"type":"text","parameter_name":"total","text":"4,95 €"}]},
		{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"si"}]},
		{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"1234"}]},
		{"type":"button","sub_type":"copy_code","index":"2","parameters":[{"type":"coupon_code","coupon_code":"ABC10"}]}]}`,
		jsonOf(t, server.Calls()[1].Body["template"]))
}

func TestTemplateHeaderTakesATextOrALink(t *testing.T) {
	t.Parallel()

	for want, value := range map[string]channels.TemplateParameter{
		`{"type":"text","text":"Rebajas"}`:                              {Text: "Rebajas"},
		`{"type":"image","image":{"link":"https://example.com/a.jpg"}}`: {Media: &channels.Media{Kind: channels.MediaImage, URL: "https://example.com/a.jpg"}},
	} {
		r := text("")
		r.Template = &channels.Template{Name: "a", Language: "es", Components: []channels.TemplateComponent{
			{Type: channels.TemplateHeader, Parameters: []channels.TemplateParameter{value}},
		}}
		template, ok := sent(t, r)["template"].(map[string]any)
		require.True(t, ok)
		require.JSONEq(t, `[{"type":"header","parameters":[`+want+`]}]`, jsonOf(t, template["components"]))
	}
}
