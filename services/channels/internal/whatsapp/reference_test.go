package whatsapp_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/reference"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// recorded is what another client of the Cloud API put on the wire.
type recorded struct {
	Method string         `json:"method"`
	Path   string         `json:"path"`
	Body   map[string]any `json:"body"`
}

// comparison is a send and how its recorded body is made ours where we mean to differ.
type comparison struct {
	call   func(*testing.T, *whatsapp.Client) error
	differ func(recorded map[string]any)
}

// comparisons are all recorded actions: KnoBot does every one of them.
func comparisons() map[string]comparison {
	same := func(map[string]any) {}
	sends := func(r channels.SendRequest) comparison {
		return comparison{differ: same, call: func(t *testing.T, c *whatsapp.Client) error {
			t.Helper()
			_, err := c.Send(t.Context(), credentials(), r)
			return err
		}}
	}
	marks := func(typing bool) comparison {
		return comparison{differ: same, call: func(t *testing.T, c *whatsapp.Client) error {
			t.Helper()
			return c.MarkRead(t.Context(), credentials(), "wamid.IN", typing)
		}}
	}
	quoting := text("Mira https://example.com")
	quoting.ReplyTo = "wamid.QUOTED"
	quote := sends(quoting)
	// No preview is Meta's default, so we leave the field out.
	quote.differ = func(m map[string]any) { delete(m["text"].(map[string]any), "preview_url") }
	template := func(parameters ...string) channels.SendRequest {
		r := text("")
		r.Template = &channels.Template{Name: "bienvenida", Language: "es", BodyParameters: parameters}
		return r
	}
	reaction := func(emoji string) channels.SendRequest {
		return carrying("", channels.Attachment{Reaction: &channels.Reaction{MessageID: "wamid.IN", Emoji: emoji}})
	}
	list := channels.List{ButtonTitle: "Ver opciones", Sections: []channels.ListSection{{Title: "Temas", Rows: []channels.ListRow{
		{ID: "r1", Title: "Envíos", Description: "Plazos y costes"}, {ID: "r2", Title: "Pagos"},
	}}}}
	return map[string]comparison{
		"text.json":                  sends(text("Hola, ¿en qué puedo ayudarte?")),
		"text_no_preview_reply.json": quote,
		"template_no_params.json":    sends(template()),
		"template_body_param.json":   sends(template("Ana")),
		"reply_buttons_3.json":       sends(withButtons("Elige una opción:", "Opción 1", "Opción 2", "Opción 3")),
		"list.json":                  sends(carrying("Elige", channels.Attachment{List: &list})),
		"image_by_link.json":         sends(withFile("Foto", channels.Media{Kind: channels.MediaImage, URL: "https://example.com/a.jpg"})),
		"document_by_id.json":        sends(withFile("Manual", channels.Media{Kind: channels.MediaDocument, ID: "pdf", Filename: "manual.pdf"})),
		"reaction.json":              sends(reaction("👍")),
		"reaction_remove.json":       sends(reaction("")),
		"mark_read.json":             marks(false),
		"mark_read_typing.json":      marks(true),
	}
}

// TestBodiesEqualTheRecordedOnes compares with another client's, kind by kind. Ours never carry biz_opaque_callback_data
// here, because these sends have no echo.
func TestBodiesEqualTheRecordedOnes(t *testing.T) {
	t.Parallel()

	known := comparisons()
	for _, file := range reference.Glob(t, "whatsapp/outbound/kapso/*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, ok := known[filepath.Base(file)]
			require.True(t, ok, "a new recording: compare with it, or say why we do not do that")
			var want recorded
			reference.Load(t, file, &want)
			c.differ(want.Body)

			server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: strings.Replace(accepted, "{", `{"id":"1013859600285441",`, 1)})
			require.NoError(t, c.call(t, whatsapp.New(whatsapp.Config{BaseURL: server.URL, Media: library()})))
			calls := server.Calls()
			got := calls[len(calls)-1] // after the file, where there is one
			require.Equal(t, want.Method, got.Method)
			require.Equal(t, want.Path, got.Path)
			require.JSONEq(t, jsonOf(t, want.Body), string(got.Raw))
		})
	}
}

// TestRecordedResponsesHaveTheirClass serves every recorded answer to a send.
func TestRecordedResponsesHaveTheirClass(t *testing.T) {
	t.Parallel()

	want := map[string]channels.SendError{
		"err_100_param.json":                {Class: channels.ClassInvalid, Code: 100},
		"err_130429_throughput.json":        {Class: channels.ClassThrottled, Code: 130429, RetryAfter: 2 * time.Second},
		"err_131000_generic.json":           {Class: channels.ClassRetry, Code: 131000},
		"err_131009_value.json":             {Class: channels.ClassInvalid, Code: 131009},
		"err_131016_unavailable.json":       {Class: channels.ClassRetry, Code: 131016},
		"err_131047_window.json":            {Class: channels.ClassWindowClosed, Code: 131047},
		"err_131056_pair_rate.json":         {Class: channels.ClassPairThrottled, Code: 131056},
		"err_131062_bsuid_unsupported.json": {Class: channels.ClassInvalid, Code: 131062},
		"err_132001_template.json":          {Class: channels.ClassInvalid, Code: 132001},
		"err_190_token_expired.json":        {Class: channels.ClassStopIntegration, Code: 190},
		"err_2_temporary.json":              {Class: channels.ClassRetry, Code: 2},
		"err_368_blocked.json":              {Class: channels.ClassStopIntegration, Code: 368},
		"err_4_app_rate.json":               {Class: channels.ClassThrottled, Code: 4, RetryAfter: 5 * time.Minute},
		"err_502_html.json":                 {Class: channels.ClassInDoubt},
		"err_80007_waba_rate.json":          {Class: channels.ClassThrottled, Code: 80007, RetryAfter: 5 * time.Minute},
		"err_empty_body_500.json":           {Class: channels.ClassInDoubt},
		// Answers to other calls: taken for an accepted message whose id is unknown.
		"media_upload.json": {Class: channels.ClassInDoubt},
		"media_url.json":    {Class: channels.ClassInDoubt},
		"ok_success.json":   {Class: channels.ClassInDoubt},
	}
	accepted := map[string]string{
		"ok_message.json":                          "wamid.HBgMNTczMDAxMjM0NTY3FQIAERgSOUE0RkU0QTU2QkY0RkZBRTFEAA==",
		"ok_message_bsuid.json":                    "wamid.HBgMNTczMDAxMjM0NTY3FQIAERgSOUE0RkU0QTU2QkY0RkZBRTFFAA==",
		"ok_message_wa_id_differs_from_input.json": "wamid.X",
		"ok_template_paced.json":                   "wamid.T",
	}
	for _, file := range reference.Glob(t, "whatsapp/responses/*.json") {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer reference.Response
			reference.Load(t, file, &answer)
			_, id, err := send(t, text("Hola"), fakeapi.Answer{Status: answer.Status, Header: answer.Headers, Body: string(answer.Bytes())})
			if wantID, ok := accepted[name]; ok {
				require.NoError(t, err)
				require.Equal(t, wantID, id)
				return
			}
			require.Contains(t, want, name, "a new recording: say what it means")
			got := failure(t, err)
			require.Equal(t, want[name], channels.SendError{Class: got.Class, Code: got.Code, RetryAfter: got.RetryAfter})
		})
	}
}
