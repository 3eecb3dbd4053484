// Package embeddingtest is a server of OpenAI's embeddings protocol for tests. Its vectors are deterministic: texts are alike as
// far as they share words, or words of one meaning by a tiny table.
package embeddingtest

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/services/rag/internal/embedding"
)

// meanings are words that stand for each other; a word is known by how it begins.
func meanings() [][]string {
	return [][]string{
		{"reembols", "devolvemos", "plata", "dinero", "guita"},
		{"sucursal", "local", "tienda", "negocio"},
		{"garantía", "rompe", "falla"},
	}
}

// Server is the server.
type Server struct {
	URL string
	// Texts counts what was embedded.
	Texts atomic.Int64
	// Down makes it answer 503, Dimension makes vectors longer or shorter than 1024.
	Down      atomic.Bool
	Dimension atomic.Int64
}

// New starts a server.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{}
	s.Dimension.Store(1024)
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Client returns a client of the server for a model of this name.
func (s *Server) Client(t testing.TB, model string) *embedding.Client {
	t.Helper()
	return embedding.New(embedding.Config{
		BaseURL: s.URL, APIKey: "sk-test", Model: model, Patience: 5 * time.Second, Rest: time.Millisecond,
		Metrics: prometheus.NewRegistry(), Log: zaptest.NewLogger(t),
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var in struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/embeddings" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if s.Down.Load() {
		w.Header().Set("Retry-After-Ms", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	type item struct {
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	}
	out := make([]item, len(in.Input))
	for i, text := range in.Input {
		out[i] = item{i, vector(text, int(s.Dimension.Load()))}
	}
	s.Texts.Add(int64(len(out)))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": out})
}

// vector counts a text's longer words, each in a place of its own as far as there are places; a meaning has one for all its
// words, and weighs more.
func vector(text string, dimension int) []float64 {
	out := make([]float64, dimension)
	table := meanings()
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if at := meaning(table, word); at >= 0 {
			out[at] += 3
		} else if len(word) > 4 {
			h := fnv.New32a()
			_, _ = h.Write([]byte(word))
			out[len(table)+int(h.Sum32())%(dimension-len(table))] += 0.5
		}
	}
	out[dimension-1] += 0.01 // no text is without a direction
	return out
}

func meaning(table [][]string, word string) int {
	for i, words := range table {
		for _, w := range words {
			if strings.HasPrefix(word, w) {
				return i
			}
		}
	}
	return -1
}
