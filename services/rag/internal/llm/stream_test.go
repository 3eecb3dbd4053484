package llm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/llm"
)

// chunk is one event of a stream.
func chunk(content, finish string) string {
	reason := "null"
	if finish != "" {
		reason = fmt.Sprintf("%q", finish)
	}
	return fmt.Sprintf("data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":%s}]}\n\n", content, reason)
}

const (
	usage = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15}}\n\n"
	done  = "data: [DONE]\n\n"
)

// streaming returns a model whose server streams by stream and answers what asks for no stream with reply, and the bodies
// that it got.
func streaming(t *testing.T, stream func(w http.ResponseWriter, r *http.Request, flush func(string))) (*llm.OpenAI, func() []map[string]any) {
	t.Helper()
	var mu sync.Mutex
	var bodies []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		mu.Lock()
		bodies = append(bodies, body)
		mu.Unlock()
		if body["stream"] != true {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, reply)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		stream(w, r, func(s string) {
			_, _ = io.WriteString(w, s)
			_ = http.NewResponseController(w).Flush()
		})
	}))
	t.Cleanup(server.Close)
	model := llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL + "/v1", APIKey: "sk-secret", Model: "m", Idle: 200 * time.Millisecond})
	return model, func() []map[string]any {
		mu.Lock()
		defer mu.Unlock()
		return append([]map[string]any(nil), bodies...)
	}
}

func TestStreamShowsTheTextAsItGrows(t *testing.T) {
	t.Parallel()
	model, bodies := streaming(t, func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
		flush(chunk("¡Ho", "") + chunk("la! ", "") + ": a comment\n\n" + chunk("Adiós ", "") + chunk("", "stop") + usage + done)
	})
	var seen []string
	completion, err := model.Stream(t.Context(), prompt(), func(text string) { seen = append(seen, text) })
	require.NoError(t, err)
	require.Equal(t, llm.Completion{Model: "openai/m", Text: "¡Hola! Adiós", InputTokens: 12, OutputTokens: 3}, completion)
	require.Equal(t, []string{"¡Ho", "¡Hola! ", "¡Hola! Adiós "}, seen)
	require.Len(t, bodies(), 1)
	require.Equal(t, map[string]any{"include_usage": true}, bodies()[0]["stream_options"])
}

// TestStreamThatFailsIsAskedForAgainWhole gives each failure the answer that Complete gives.
func TestStreamThatFailsIsAskedForAgainWhole(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]func(w http.ResponseWriter, r *http.Request, flush func(string)){
		"cut mid-sentence": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush(chunk("La garantía du", ""))
			panic(http.ErrAbortHandler)
		},
		"closed without an end": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) { flush(chunk("La garantía du", "")) },
		"hanging after a while": func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
			flush(chunk("La garantía du", ""))
			<-r.Context().Done()
		},
		"error in the stream": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush(chunk("La", "") + "data: {\"error\":{\"message\":\"sk-secret\"}}\n\n")
		},
		"flood": func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
			for r.Context().Err() == nil {
				flush(chunk(strings.Repeat("a", 1<<10), ""))
			}
		},
		"flood without text": func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
			for r.Context().Err() == nil {
				flush(": " + strings.Repeat("a", 1<<16) + "\n\n")
			}
		},
		"nonsense":     func(_ http.ResponseWriter, _ *http.Request, flush func(string)) { flush("data: {{{\n\n") },
		"no streaming": func(w http.ResponseWriter, _ *http.Request, _ func(string)) { w.WriteHeader(http.StatusBadRequest) },
		"silent":       func(_ http.ResponseWriter, _ *http.Request, flush func(string)) { flush(chunk("", "stop") + done) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, bodies := streaming(t, stream)
			completion, err := model.Stream(t.Context(), prompt(), func(string) {})
			require.NoError(t, err)
			require.Equal(t, llm.Completion{Model: "openai/m", Text: "Hola", InputTokens: 12, OutputTokens: 3}, completion)
			require.Len(t, bodies(), 2)
		})
	}
}

func TestStreamThatIsCutIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]error{"length": llm.ErrCut, "content_filter": llm.ErrRefused} {
		model, bodies := streaming(t, func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush(chunk("La garantía du", "") + chunk("", reason) + done)
		})
		_, err := model.Stream(t.Context(), prompt(), func(string) {})
		require.ErrorIs(t, err, want)
		require.Len(t, bodies(), 1)
	}
}

func TestStreamWithoutLastWordsIsTaken(t *testing.T) {
	t.Parallel()
	model, bodies := streaming(t, func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
		flush(chunk("Hola", "") + chunk("", "stop"))
		<-r.Context().Done()
	})
	completion, err := model.Stream(t.Context(), prompt(), func(string) {})
	require.NoError(t, err)
	require.Equal(t, llm.Completion{Model: "openai/m", Text: "Hola"}, completion)
	require.Len(t, bodies(), 1)
}

func TestHangingStreamEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	model, bodies := streaming(t, func(_ http.ResponseWriter, r *http.Request, _ func(string)) {
		cancel()
		<-r.Context().Done()
	})
	_, err := model.Stream(ctx, prompt(), func(string) {})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, bodies(), 1)
}
