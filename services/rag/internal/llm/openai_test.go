package llm_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/llm"
)

const reply = `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",
"message":{"role":"assistant","content":" Hola "}}],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}`

// serve returns a model behind a server of OpenAI's protocol, and the number of calls that it got.
func serve(t *testing.T, handler func(call int32, w http.ResponseWriter, r *http.Request)) (*llm.OpenAI, *atomic.Int32) {
	t.Helper()
	calls := &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		handler(calls.Add(1), w, r)
	}))
	t.Cleanup(server.Close)
	return llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL + "/v1", APIKey: "sk-secret", Model: "m"}), calls
}

func prompt() llm.Prompt {
	return llm.Prompt{RequestID: "id-1", Messages: []llm.Message{
		{Role: llm.System, Text: "rules"}, {Role: llm.Assistant, Text: "before"}, {Role: llm.User, Text: "¿Qué? <b>\"'"},
	}}
}

func TestCompleteSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	type call struct {
		path, key, id string
		body          map[string]any
	}
	seen := make(chan call, 1)
	model, _ := serve(t, func(_ int32, w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		seen <- call{r.Method + " " + r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Client-Request-Id"), body}
		_, _ = io.WriteString(w, reply)
	})
	completion, err := model.Complete(t.Context(), prompt())
	require.NoError(t, err)
	require.Equal(t, llm.Completion{Model: "openai/m", Text: "Hola", InputTokens: 12, OutputTokens: 3}, completion)
	require.Equal(t, "openai/m", model.Name())
	require.Equal(t, call{"POST /v1/chat/completions", "Bearer sk-secret", "id-1", map[string]any{
		"model": "m", "max_tokens": float64(llm.DefaultMaxTokens),
		"messages": []any{
			map[string]any{"role": "system", "content": "rules"},
			map[string]any{"role": "assistant", "content": "before"},
			map[string]any{"role": "user", "content": "¿Qué? <b>\"'"},
		},
	}}, <-seen)
}

func TestNoKeyIsSentWhereNoneIsSet(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-of-the-environment")
	headers := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(server.Close)
	_, err := llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL, Model: "m"}).Complete(t.Context(), prompt())
	require.NoError(t, err)
	require.Empty(t, <-headers)
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"throttled": 429, "broken": 500, "overloaded": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, calls := serve(t, func(call int32, w http.ResponseWriter, _ *http.Request) {
				if call == 1 {
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(status)
					return
				}
				_, _ = io.WriteString(w, reply)
			})
			completion, err := model.Complete(t.Context(), prompt())
			require.NoError(t, err)
			require.Equal(t, "Hola", completion.Text)
			require.EqualValues(t, 2, calls.Load())
		})
	}
}

func TestLongRetryAfterFailsAtOnce(t *testing.T) {
	t.Parallel()
	model, calls := serve(t, func(_ int32, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	start := time.Now()
	_, err := model.Complete(t.Context(), prompt())
	require.EqualError(t, err, "llm: the provider answered with status 429")
	require.Less(t, time.Since(start), 30*time.Second)
	require.EqualValues(t, 1, calls.Load())
}

func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(int32, http.ResponseWriter, *http.Request){
		"refused": func(_ int32, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided: sk-secret, rules"}}`)
		},
		"nonsense": func(_ int32, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>sk-secret</html>")
		},
		"moved": func(_ int32, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/sk-secret")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"flood": func(_ int32, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"`+strings.Repeat("a", 8<<20)+`"}}]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, calls := serve(t, handler)
			_, err := model.Complete(t.Context(), prompt())
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "127.0.0.1")
			require.NotContains(t, err.Error(), "rules")
			require.EqualValues(t, 1, calls.Load(), "what cannot pass is not tried again")
		})
	}
}

func TestUnreachableProviderIsAnError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL, Model: "m"}).Complete(t.Context(), prompt())
	require.EqualError(t, err, "llm: the provider cannot be reached")
}

func TestEmptyAnswerIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"choices":[]}`, `{"choices":[{"message":{"role":"assistant","content":"  "}}]}`} {
		model, _ := serve(t, func(_ int32, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := model.Complete(t.Context(), prompt())
		require.ErrorIs(t, err, llm.ErrEmpty)
	}
}

func TestHalfAnAnswerIsAnError(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]error{"length": llm.ErrCut, "content_filter": llm.ErrRefused} {
		model, calls := serve(t, func(_ int32, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[{"finish_reason":"`+reason+`","message":{"role":"assistant","content":"La garantía du"}}]}`)
		})
		_, err := model.Complete(t.Context(), prompt())
		require.ErrorIs(t, err, want)
		require.EqualValues(t, 1, calls.Load())
	}
}

func TestHangingProviderEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	called := make(chan struct{}, 1)
	model, _ := serve(t, func(_ int32, _ http.ResponseWriter, _ *http.Request) {
		called <- struct{}{}
		<-released
	})
	t.Cleanup(func() { close(released) }) // before the server is closed, which waits for its handlers
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-called
		cancel()
	}()
	_, err := model.Complete(ctx, prompt())
	require.ErrorIs(t, err, context.Canceled)
}
