package whatsapp_test

import (
	"encoding/json"
	"path/filepath"
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

// TestBodiesEqualTheRecordedOnes compares with another client's, kind by kind. Ours never carry biz_opaque_callback_data
// here, because these sends have no echo.
func TestBodiesEqualTheRecordedOnes(t *testing.T) {
	t.Parallel()

	quoting := text("Mira https://example.com")
	quoting.ReplyTo = "wamid.QUOTED"
	template := func(parameters ...string) channels.SendRequest {
		r := text("")
		r.Template = &channels.Template{Name: "bienvenida", Language: "es", BodyParameters: parameters}
		return r
	}
	same := func(map[string]any) {}
	for file, c := range map[string]struct {
		request channels.SendRequest
		// differ makes the recorded body ours where we mean to differ.
		differ func(recorded map[string]any)
	}{
		"text.json":                {text("Hola, ¿en qué puedo ayudarte?"), same},
		"template_no_params.json":  {template(), same},
		"template_body_param.json": {template("Ana"), same},
		"reply_buttons_3.json":     {withButtons("Elige una opción:", "Opción 1", "Opción 2", "Opción 3"), same},
		// No preview is Meta's default, so we leave the field out.
		"text_no_preview_reply.json": {quoting, func(m map[string]any) { delete(m["text"].(map[string]any), "preview_url") }},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var want recorded
			reference.Load(t, reference.Glob(t, "whatsapp/outbound/kapso/"+file)[0], &want)
			c.differ(want.Body)

			server, _, err := send(t, c.request, fakeapi.Answer{Status: 200, Body: accepted})
			require.NoError(t, err)
			call := server.Only(t)
			require.Equal(t, want.Method, call.Method)
			require.Equal(t, want.Path, call.Path)
			require.JSONEq(t, jsonOf(t, want.Body), string(call.Raw))
		})
	}
}

// TestListEqualsTheRecordedOne: ours is made from buttons, so rows have no descriptions, and there are four or more of them
// in a section without title.
func TestListEqualsTheRecordedOne(t *testing.T) {
	t.Parallel()

	var want recorded
	reference.Load(t, reference.Glob(t, "whatsapp/outbound/kapso/list.json")[0], &want)
	row := func(id, title string) map[string]any { return map[string]any{"id": id, "title": title} }
	action := want.Body["interactive"].(map[string]any)["action"].(map[string]any)
	action["sections"] = []any{map[string]any{
		"rows": []any{row("opt1", "Envíos"), row("opt2", "Pagos"), row("opt3", "Tallas"), row("opt4", "Garantía")},
	}}

	got := sent(t, withButtons("Elige", "Envíos", "Pagos", "Tallas", "Garantía"))
	require.JSONEq(t, jsonOf(t, want.Body), jsonOf(t, got))
}

func TestReadMarksEqualTheRecordedOnes(t *testing.T) {
	t.Parallel()

	for file, typing := range map[string]bool{"mark_read.json": false, "mark_read_typing.json": true} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var want recorded
			reference.Load(t, reference.Glob(t, "whatsapp/outbound/kapso/"+file)[0], &want)
			server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: `{"success":true}`})
			client := whatsapp.New(whatsapp.Config{BaseURL: server.URL})
			require.NoError(t, client.MarkRead(t.Context(), credentials(), "wamid.IN", typing))
			require.JSONEq(t, jsonOf(t, want.Body), string(server.Only(t).Raw))
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
