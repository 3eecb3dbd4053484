package graph_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/reference"
)

// recorded is one file of reference/whatsapp/responses.
type recorded struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// TestResponsesEqualTheReference provokes each recorded answer and compares it
// as JSON, leaving out what differs from call to call.
func TestResponsesEqualTheReference(t *testing.T) {
	t.Parallel()
	for _, path := range reference.Files(t, "whatsapp/responses/*.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want recorded
			reference.Read(t, path, &want)
			inBubble(t, func(t *testing.T, b bundle) {
				got := provoke(t, b, name)
				require.Equal(t, want.Status, got.Code)
				require.Equal(t, want.Headers["Content-Type"], got.Header().Get("Content-Type"))
				var body any
				if text, ok := want.Body.(string); ok {
					require.Equal(t, text, got.Body.String())
					return
				}
				require.NoError(t, json.Unmarshal(got.Body.Bytes(), &body))
				require.Equal(t, blur(want.Body), blur(body))
			})
		})
	}
}

func provoke(t *testing.T, b bundle, name string) *httptest.ResponseRecorder {
	t.Helper()
	m := b.greet(t)
	order := func(f simulator.Fault) {
		_, err := b.faults.Add(f)
		require.NoError(t, err)
	}
	if code := regexp.MustCompile(`^err_(\d+)_`).FindStringSubmatch(name); code != nil && code[1] != "502" {
		number, err := strconv.Atoi(code[1])
		require.NoError(t, err)
		f := simulator.Fault{Kind: simulator.FaultError, Code: number}
		if number == 132001 {
			f.Description = "template name (bienvenida) does not exist in es"
		}
		order(f)
		return b.post(t, text("hola"))
	}
	switch name {
	case "ok_message":
		return b.post(t, text("hola"))
	case "ok_message_bsuid":
		return b.post(t, map[string]any{"messaging_product": "whatsapp", "recipient": userID, "text": map[string]string{"body": "a"}})
	case "ok_message_wa_id_differs_from_input":
		_, err := b.api.Say(simulator.Utterance{From: "525512345678", Text: "Hola"})
		require.NoError(t, err)
		body := text("hola")
		body["to"] = "+5215512345678"
		return b.post(t, body)
	case "ok_template_paced":
		order(simulator.Fault{Kind: simulator.FaultPaced})
		body := text("")
		body["type"] = "template"
		body["template"] = map[string]any{"name": "a", "language": map[string]string{"code": "es"}}
		return b.post(t, body)
	case "ok_success":
		return b.post(t, map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": m.ID})
	case "media_url":
		file := b.shelf.Put([]byte("x"), "image/jpeg", "")
		return b.call(httptest.NewRequest(http.MethodGet, "/v26.0/"+file.ID, nil))
	case "media_upload":
		return b.upload(t)
	case "err_502_html":
		order(simulator.Fault{Kind: simulator.FaultBadGateway})
	case "err_empty_body_500":
		order(simulator.Fault{Kind: simulator.FaultEmpty})
	default:
		require.Fail(t, "nothing provokes this answer yet")
	}
	return b.post(t, text("hola"))
}

// blur replaces what is new in every answer.
func blur(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			switch key {
			case "fbtrace_id", "id", "url", "sha256", "file_size":
				v[key] = "…"
			default:
				v[key] = blur(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = blur(v[i])
		}
	}
	return v
}

// TestAcceptsWhatAnIndependentSDKSends posts the recorded bodies of kapso's SDK.
func TestAcceptsWhatAnIndependentSDKSends(t *testing.T) {
	t.Parallel()
	for _, path := range reference.Files(t, "whatsapp/outbound/kapso/*.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var sent struct {
				Path string          `json:"path"`
				Body json.RawMessage `json:"body"`
			}
			reference.Read(t, path, &sent)
			inBubble(t, func(t *testing.T, b bundle) {
				m := b.greet(t)
				file := b.shelf.Put([]byte("x"), "application/pdf", "")
				body := strings.NewReplacer("wamid.IN", m.ID, "1013859600285441", file.ID).Replace(string(sent.Body))
				w := b.call(httptest.NewRequest(http.MethodPost, sent.Path, strings.NewReader(body)))
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			})
		})
	}
}
