package llm_test

import (
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

// message is an answer of the Messages API.
const message = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},
{"type":"text","text":" Ho"},{"type":"text","text":"la "}],"stop_reason":"end_turn","stop_sequence":null,
"usage":{"input_tokens":10,"cache_creation_input_tokens":1,"cache_read_input_tokens":1,"output_tokens":3}}`

// asked is a call as it reaches the provider.
type asked struct {
	path, key, version string
	body               map[string]any
}

// speaking returns a model behind a server of the Messages API that streams by stream and answers what asks for no stream by
// whole, and the calls that it got.
func speaking(t *testing.T, whole http.HandlerFunc, stream func(w http.ResponseWriter, r *http.Request, flush func(string))) (*llm.Anthropic, func() []asked) {
	t.Helper()
	var mu sync.Mutex
	var calls []asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		mu.Lock()
		calls = append(calls, asked{r.Method + " " + r.URL.Path, r.Header.Get("X-Api-Key"), r.Header.Get("Anthropic-Version"), body})
		mu.Unlock()
		if body["stream"] != true {
			w.Header().Set("Content-Type", "application/json")
			whole(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		stream(w, r, func(s string) {
			_, _ = io.WriteString(w, s)
			_ = http.NewResponseController(w).Flush()
		})
	}))
	t.Cleanup(server.Close)
	model := llm.NewAnthropic(llm.AnthropicConfig{BaseURL: server.URL + "/v1", APIKey: "sk-secret", Model: "m", Idle: 200 * time.Millisecond})
	return model, func() []asked {
		mu.Lock()
		defer mu.Unlock()
		return append([]asked(nil), calls...)
	}
}

func writes(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// The six kinds of events of a stream, and two that may stand between them.
const (
	messageStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"m\",\"stop_reason\":null,\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n"
	blockStart   = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	blockStop    = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
	messageStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	ping         = "event: ping\ndata: {\"type\":\"ping\"}\n\n"
	overloaded   = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"sk-secret\"}}\n\n"
)

func blockDelta(text string) string {
	return fmt.Sprintf("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", text)
}

func messageDelta(reason string) string {
	return fmt.Sprintf("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":%q,\"stop_sequence\":null},\"usage\":{\"output_tokens\":3}}\n\n", reason)
}

func TestAnthropicSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	model, calls := speaking(t, writes(message), nil)
	completion, err := model.Complete(t.Context(), llm.Prompt{RequestID: "id-1", Messages: []llm.Message{
		{Role: llm.System, Text: "rules"},
		{Role: llm.Assistant, Text: "a dialogue must not begin so"},
		{Role: llm.User, Text: "sources"},
		{Role: llm.Assistant, Text: "before"},
		{Role: llm.User, Text: "  "},
		{Role: llm.User, Text: " ¿Qué? <b>\"'"},
	}})
	require.NoError(t, err)
	require.Equal(t, llm.Completion{Model: "anthropic/m", Text: "Hola", InputTokens: 12, OutputTokens: 3}, completion)
	require.Equal(t, "anthropic/m", model.Name())
	require.False(t, model.Sees())
	text := func(role, text string) any {
		return map[string]any{"role": role, "content": []any{map[string]any{"type": "text", "text": text}}}
	}
	require.Equal(t, []asked{{"POST /v1/messages", "sk-secret", "2023-06-01", map[string]any{
		"model": "m", "max_tokens": float64(llm.DefaultMaxTokens),
		"system":   []any{map[string]any{"type": "text", "text": "rules"}},
		"messages": []any{text("user", "sources"), text("assistant", "before"), text("user", " ¿Qué? <b>\"'")},
	}}}, calls())
}

func TestAnthropicReadsFilesAfterTheText(t *testing.T) {
	t.Parallel()
	model, calls := speaking(t, writes(message), nil)
	_, err := model.Complete(t.Context(), llm.Prompt{Messages: []llm.Message{{Role: llm.User, Text: "¿cuánto?", Files: []llm.File{
		{MIMEType: "image/png", Content: []byte("png")}, {MIMEType: "application/pdf", Content: []byte("%PDF")},
	}}}})
	require.NoError(t, err)
	source := func(kind, mime, data string) any {
		return map[string]any{"type": kind, "source": map[string]any{"type": "base64", "media_type": mime, "data": data}}
	}
	require.Equal(t, []any{map[string]any{"role": "user", "content": []any{
		map[string]any{"type": "text", "text": "¿cuánto?"},
		source("image", "image/png", "cG5n"), source("document", "application/pdf", "JVBERg=="),
	}}}, calls()[0].body["messages"])
}

func TestAnthropicReadsNothingOfTheEnvironment(t *testing.T) {
	t.Setenv("ANTHROPIC_API_KEY", "sk-of-the-environment")
	t.Setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
	keys := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Api-Key") + r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, message)
	}))
	t.Cleanup(server.Close)
	_, err := llm.NewAnthropic(llm.AnthropicConfig{BaseURL: server.URL, Model: "m"}).Complete(t.Context(), prompt())
	require.NoError(t, err)
	require.Empty(t, <-keys)
}

func TestAnthropicStreamsAllKindsOfEvents(t *testing.T) {
	t.Parallel()
	model, calls := speaking(t, writes(message), func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
		flush(messageStart + blockStart + ping + blockDelta("¡Ho") + blockDelta("la! ") + blockStop + messageDelta("end_turn") + messageStop)
	})
	var seen []string
	completion, err := model.Stream(t.Context(), prompt(), func(text string) { seen = append(seen, text) })
	require.NoError(t, err)
	require.Equal(t, llm.Completion{Model: "anthropic/m", Text: "¡Hola!", InputTokens: 12, OutputTokens: 3}, completion)
	require.Equal(t, []string{"¡Ho", "¡Hola! "}, seen)
	require.Len(t, calls(), 1)
}

func TestAnthropicStreamThatFailsIsAskedForAgainWhole(t *testing.T) {
	t.Parallel()
	begun := messageStart + blockStart + blockDelta("La garantía du")
	for name, stream := range map[string]func(w http.ResponseWriter, r *http.Request, flush func(string)){
		"cut mid-sentence": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush(begun)
			panic(http.ErrAbortHandler)
		},
		"closed without an end": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) { flush(begun + blockStop) },
		"hanging after a while": func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
			flush(begun)
			<-r.Context().Done()
		},
		"error in the stream": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) { flush(begun + overloaded) },
		"flood": func(_ http.ResponseWriter, r *http.Request, flush func(string)) {
			for r.Context().Err() == nil {
				flush(blockDelta(strings.Repeat("a", 1<<10)))
			}
		},
		"nonsense": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush("event: message_start\ndata: {{{\n\n")
		},
		"refused": func(w http.ResponseWriter, _ *http.Request, _ func(string)) { w.WriteHeader(http.StatusBadRequest) },
		"silent": func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
			flush(messageStart + messageDelta("end_turn") + messageStop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, calls := speaking(t, writes(message), stream)
			completion, err := model.Stream(t.Context(), prompt(), func(string) {})
			require.NoError(t, err)
			require.Equal(t, "Hola", completion.Text)
			require.Len(t, calls(), 2)
		})
	}
}

func TestAnthropicHalfAnAnswerIsAnError(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]error{"max_tokens": llm.ErrCut, "refusal": llm.ErrRefused} {
		model, calls := speaking(t, writes(strings.Replace(message, "end_turn", reason, 1)),
			func(_ http.ResponseWriter, _ *http.Request, flush func(string)) {
				flush(messageStart + blockStart + blockDelta("La ga") + messageDelta(reason))
			})
		_, err := model.Complete(t.Context(), prompt())
		require.ErrorIs(t, err, want)
		_, err = model.Stream(t.Context(), prompt(), func(string) {})
		require.ErrorIs(t, err, want)
		require.Len(t, calls(), 2)
	}
}

func TestAnthropicErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	secret := `{"type":"error","error":{"type":"x","message":"sk-secret, rules"}}`
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, secret)
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"wrong key":  {status(http.StatusUnauthorized), "status 401"},
		"refused":    {status(http.StatusBadRequest), "refuses the content with status 400"},
		"too large":  {status(http.StatusRequestEntityTooLarge), "refuses the content"},
		"nonsense":   {writes("<html>sk-secret</html>"), "cannot be read"},
		"no message": {writes(`{"content":[]}`), "wrote nothing"},
		"flood":      {writes(`{"content":[{"type":"text","text":"` + strings.Repeat("a", 8<<20) + `"}]}`), "cannot be read"},
		"babble":     {writes(`{"content":[{"type":"text","text":"` + strings.Repeat("a", 1<<20) + `"}]}`), "does not end"},
		"moved": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/sk-secret")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, ""},
		"long wait": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "status 429"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, calls := speaking(t, c.handler, nil)
			_, err := model.Complete(t.Context(), prompt())
			require.ErrorContains(t, err, c.want)
			for _, word := range []string{"secret", "127.0.0.1", "rules"} {
				require.NotContains(t, err.Error(), word)
			}
			require.Len(t, calls(), 1, "what cannot pass is not tried again")
		})
	}
}

func TestAnthropicTriesAgainWhatMayPass(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 529} {
		failed := make(chan bool, 1)
		model, calls := speaking(t, func(w http.ResponseWriter, r *http.Request) {
			select {
			case failed <- true:
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
			default:
				writes(message)(w, r)
			}
		}, nil)
		completion, err := model.Complete(t.Context(), prompt())
		require.NoError(t, err)
		require.Equal(t, "Hola", completion.Text)
		require.Len(t, calls(), 2)
	}
}
