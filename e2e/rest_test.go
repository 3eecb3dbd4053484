package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
)

// callREST makes a call of the management API and decodes its answer.
func callREST(t *testing.T, s *system.System, method, path, contentType string, body io.Reader, into any) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.AdminURL+path, body)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+s.Credentials.AdminKey)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
	return response.StatusCode
}

// TestRESTManagesAWholeSystem does over HTTP what people do: a knowledge base, a file for it, a question, the webhooks that came.
func TestRESTManagesAWholeSystem(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	var base struct {
		KnowledgeBase struct{ Name string }
	}
	require.Equal(t, http.StatusOK, callREST(t, s, http.MethodPost, "/api/v1/knowledgeBases", "application/json", strings.NewReader(`{"name":"tienda"}`), &base))
	require.Equal(t, "tienda", base.KnowledgeBase.Name)
	var problem struct {
		Details []struct{ Reason string }
	}
	require.Equal(t, http.StatusConflict, callREST(t, s, http.MethodPost, "/api/v1/knowledgeBases", "application/json", strings.NewReader(`{"name":"tienda"}`), &problem))
	require.NotEmpty(t, problem.Details[0].Reason)

	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "horario.md")
	require.NoError(t, err)
	_, err = io.WriteString(file, hours)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var upload struct {
		Ingestion struct{ ID string }
	}
	require.Equal(t, http.StatusOK, callREST(t, s, http.MethodPost, "/api/v1/knowledgeBases/tienda/documents:upload", w.FormDataContentType(), &form, &upload))
	eventually(t, 30*time.Second, func() bool {
		var got struct{ Ingestion struct{ State string } }
		require.Equal(t, http.StatusOK, callREST(t, s, http.MethodGet, "/api/v1/ingestions/"+upload.Ingestion.ID, "", nil, &got))
		return got.Ingestion.State == "STATE_DONE"
	}, "the file becomes a document")

	var answer struct{ Text, Outcome string }
	question, err := json.Marshal(map[string]any{"knowledgeBase": "tienda", "turns": []any{map[string]string{"role": "ROLE_CUSTOMER", "text": saturday}}})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, callREST(t, s, http.MethodPost, "/api/v1/answers:generate", "application/json", bytes.NewReader(question), &answer))
	require.Equal(t, "OUTCOME_ANSWERED", answer.Outcome)
	require.Contains(t, answer.Text, "10:00 a 14:00")

	telegramCustomer(t, s, "7410", "").write("Hola")
	eventually(t, 30*time.Second, func() bool {
		var logs struct {
			WebhookLogs []struct{ Platform string }
		}
		require.Equal(t, http.StatusOK, callREST(t, s, http.MethodGet, "/api/v1/webhookLogs?platform=PLATFORM_TELEGRAM", "", nil, &logs))
		return len(logs.WebhookLogs) > 0
	}, "the webhook is logged")
}

// TestRESTIsClosedWithoutTheKey asks every listed route as a stranger would: only the document and its page answer.
func TestRESTIsClosedWithoutTheKey(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	stranger := func(method, path, key string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), method, s.AdminURL+path, nil)
		require.NoError(t, err)
		if key != "" {
			request.Header.Set("Authorization", key)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	var document struct {
		Paths map[string]map[string]any
	}
	require.NoError(t, json.NewDecoder(stranger(http.MethodGet, "/api/openapi.json", "").Body).Decode(&document))
	require.Equal(t, http.StatusOK, stranger(http.MethodGet, "/api/docs", "").StatusCode)
	require.Greater(t, len(document.Paths), 30)
	for _, key := range []string{"Bearer", "Bearer ", "Bearer x", "Basic " + s.Credentials.AdminKey, "bearer " + s.Credentials.AdminKey + "x"} {
		require.Equal(t, http.StatusUnauthorized, stranger(http.MethodGet, "/api/v1/webhookLogs", key).StatusCode, "%q", key)
	}
	for path, methods := range document.Paths {
		if strings.HasSuffix(path, ":upload") {
			continue // reads a form before it calls anybody
		}
		for method := range methods {
			got := stranger(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), "")
			require.Equal(t, http.StatusUnauthorized, got.StatusCode, "%s %s", method, path)
			require.NotEmpty(t, got.Header.Get("WWW-Authenticate"), "%s %s", method, path)
		}
	}
}
