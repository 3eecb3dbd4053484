package orchestrator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

// dialect is how a provider speaks.
type dialect struct {
	open   func(base string) llm.Streamer
	whole  func(text string) string
	pieces func(text string) string
	end    string
}

func dialects() map[string]dialect {
	quoted := func(text string) string {
		out, _ := json.Marshal(text)
		return string(out)
	}
	return map[string]dialect{
		"openai": {
			open: func(base string) llm.Streamer {
				return llm.NewOpenAI(llm.OpenAIConfig{BaseURL: base, Model: "tiny", Idle: 300 * time.Millisecond})
			},
			whole: func(text string) string {
				return `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":` + quoted(text) + `}}],"usage":{"prompt_tokens":100,"completion_tokens":7}}`
			},
			pieces: func(text string) string {
				return `data: {"choices":[{"index":0,"delta":{"content":` + quoted(text) + "},\"finish_reason\":null}]}\n\n"
			},
			end: "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		},
		"anthropic": {
			open: func(base string) llm.Streamer {
				return llm.NewAnthropic(llm.AnthropicConfig{BaseURL: base, Model: "tiny", Idle: 300 * time.Millisecond})
			},
			whole: func(text string) string {
				return `{"type":"message","role":"assistant","stop_reason":"end_turn","content":[{"type":"text","text":` + quoted(text) + `}],"usage":{"input_tokens":100,"output_tokens":7}}`
			},
			pieces: func(text string) string {
				return "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + quoted(text) + "}}\n\n"
			},
			end: "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n",
		},
	}
}

// misbehaviours are what providers do to us, whether asked for a stream or not.
func misbehaviours(d dialect) map[string]http.HandlerFunc {
	status := func(code int, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(code)
		}
	}
	writes := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { d.write(w, r, text, true) }
	}
	return map[string]http.HandlerFunc{
		"hangs":        func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"errors":       status(http.StatusInternalServerError, "0"),
		"throttles":    status(http.StatusTooManyRequests, "3600"),
		"refuses":      status(http.StatusBadRequest, ""),
		"is nonsense":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>no</html>") },
		"writes empty": writes(" "),
		"hangs up":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"floods": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				d.write(w, r, strings.Repeat("garantía ", 10_000), false)
			}
		},
		"breaks off": func(w http.ResponseWriter, r *http.Request) {
			d.write(w, r, proof+"Dura 24 meses [1]. Y emp", false)
			panic(http.ErrAbortHandler)
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				d.write(w, r, "a", false)
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		},
		"cites nothing":               writes("Dura 24 meses."),
		"cites without evidence":      writes("Dura 24 meses [1]."),
		"cites what does not exist":   writes(proof + "Dura 24 meses y cuesta $ 129.990 [9]."),
		"answers what was not asked":  writes("¡Hola! Soy un modelo de lenguaje."),
		"answers what no source says": writes(proof + "Dura 87 meses [1]."),
	}
}

// contentIsBad names those that no other provider is asked for: the answer came, and is not said.
func contentIsBad(name string) bool {
	return strings.HasPrefix(name, "cites") || strings.HasPrefix(name, "answers")
}

// proof is put before an answer about the guarantee of bicycles.
const proof = "EVIDENCE [1]: \"Bicicletas; Duración: 24 meses\"\n"

// write answers in the form that was asked for.
func (d dialect) write(w http.ResponseWriter, r *http.Request, text string, end bool) {
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), `"stream":true`) && w.Header().Get("Content-Type") != "text/event-stream" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, d.whole(text))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, d.pieces(text))
	if end {
		_, _ = io.WriteString(w, d.end)
	}
	_ = http.NewResponseController(w).Flush()
}

func (d dialect) serve(t *testing.T, handler http.HandlerFunc) llm.Streamer {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then the server notices that the caller went away
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return d.open(server.URL)
}

// TestCustomerIsAnsweredWhateverModelsDo asks each provider, and two in a row, while they misbehave: the customer gets one
// good answer in time, from the fallback where there is a good one, else in the documents' own words.
func TestCustomerIsAnsweredWhateverModelsDo(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	const patience = 1500 * time.Millisecond

	for name, d := range dialects() {
		other := dialects()[map[string]string{"openai": "anthropic", "anthropic": "openai"}[name]]
		good := other.serve(t, func(w http.ResponseWriter, r *http.Request) { other.write(w, r, proof+"Son 24 meses [1].", true) })
		for what, misbehaves := range misbehaviours(d) {
			bad := func(t *testing.T) llm.Model { t.Helper(); return d.serve(t, misbehaves) }
			for chain, models := range map[string]func(t *testing.T) []llm.Model{
				"alone":               func(t *testing.T) []llm.Model { t.Helper(); return []llm.Model{bad(t)} },
				"like its fallback":   func(t *testing.T) []llm.Model { t.Helper(); return []llm.Model{bad(t), bad(t)} },
				"before another good": func(t *testing.T) []llm.Model { t.Helper(); return []llm.Model{bad(t), good} },
			} {
				t.Run(fmt.Sprintf("%s %s %s", name, what, chain), func(t *testing.T) {
					t.Parallel()
					answers := orchestrator.New(b.Searcher, b.Store, extract.New(b.Analyzer), llm.NewChain(zap.NewNop(), models(t)...), zaptest.NewLogger(t),
						orchestrator.WithPatience(patience))
					for _, streams := range []bool{false, true} {
						begin := time.Now()
						answer, shown := askFor(t, answers, streams)
						require.Less(t, time.Since(begin), patience+5*time.Second)
						require.Equal(t, rag.Answered, answer.Outcome)
						require.Contains(t, answer.Text, "24 meses")
						require.Contains(t, answer.Text, "_Fuente: Garantía_")
						require.NotContains(t, answer.Text+shown, "129.990")
						require.NotContains(t, answer.Text+shown, "87")
						require.NotContains(t, shown, "EVIDENCE")
						rescued := strings.Contains(chain, "before") && !contentIsBad(what)
						require.Equal(t, rescued, answer.Mode == rag.Generated, answer.Text)
					}
				})
			}
		}
	}
}

func askFor(t *testing.T, answers *orchestrator.Orchestrator, streams bool) (rag.Answer, string) {
	t.Helper()
	req, shown := request("¿Cuánto dura la garantía de las bicicletas?"), ""
	if !streams {
		answer, err := answers.GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return answer, ""
	}
	answer, err := answers.StreamAnswer(t.Context(), req, func(draft string) { shown += draft })
	require.NoError(t, err)
	return answer, shown
}
