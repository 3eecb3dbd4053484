package llm_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/llm"
)

func isRefused(err error) bool { return errors.Is(err, llm.ErrRefused) }

func TestFilesStandAfterTheTextOfTheirMessage(t *testing.T) {
	t.Parallel()
	seen := make(chan []any, 1)
	model, _ := serve(t, func(_ int32, w http.ResponseWriter, r *http.Request) {
		var body struct{ Messages []any }
		_ = json.NewDecoder(r.Body).Decode(&body)
		seen <- body.Messages
		_, _ = io.WriteString(w, reply)
	})
	image, document := llm.File{MIMEType: "image/png", Content: []byte("png")}, llm.File{MIMEType: "application/pdf", Content: []byte("%PDF")}
	_, err := model.Complete(t.Context(), llm.Prompt{Messages: []llm.Message{
		{Role: llm.User, Text: " ¿cuánto? ", Files: []llm.File{image, document}},
		{Role: llm.User, Files: []llm.File{image}},
	}})
	require.NoError(t, err)
	picture := map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64,cG5n"}}
	require.Equal(t, []any{
		map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "text", "text": " ¿cuánto? "},
			picture,
			map[string]any{"type": "file", "file": map[string]any{
				"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERg==",
			}},
		}},
		map[string]any{"role": "user", "content": []any{picture}},
	}, <-seen)
}

func TestRefusedContentIsToldFromAWrongKey(t *testing.T) {
	t.Parallel()
	for status, refused := range map[int]bool{400: true, 422: true, 401: false, 403: false, 404: false} {
		model, _ := serve(t, func(_ int32, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := model.Complete(t.Context(), prompt())
		require.Equal(t, refused, isRefused(err), "%d", status)
	}
}
