package embedding_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/knobot/knobot/services/rag/internal/embedding"
)

// request is what a server was asked.
type request struct {
	path, key string
	Model     string   `json:"model"`
	Input     []string `json:"input"`
}

// bundle is a client before a server of OpenAI's protocol.
type bundle struct {
	client  *embedding.Client
	metrics *prometheus.Registry
	logs    *observer.ObservedLogs

	mu       sync.Mutex
	requests []request
}

func (b *bundle) calls() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// setup serves what answer makes of each request; it writes the status itself if that is another one than 200.
func setup(t *testing.T, answer func(call int, r request, w http.ResponseWriter) any) *bundle {
	t.Helper()
	b := &bundle{metrics: prometheus.NewRegistry()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := request{path: r.Method + " " + r.URL.Path, key: r.Header.Get("Authorization")}
		_ = json.NewDecoder(r.Body).Decode(&in)
		b.mu.Lock()
		b.requests = append(b.requests, in)
		call := len(b.requests)
		b.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if out := answer(call, in, w); out != nil {
			_ = json.NewEncoder(w).Encode(out)
		}
	}))
	t.Cleanup(server.Close)
	core, logs := observer.New(zap.DebugLevel)
	b.logs = logs
	b.client = embedding.New(embedding.Config{
		BaseURL: server.URL + "/v1/", APIKey: "sk-secret", Model: "m", Rest: 200 * time.Millisecond,
		Metrics: b.metrics, Log: zap.New(core),
	})
	return b
}

// item is a vector in an answer.
type item struct {
	Index     int       `json:"index"`
	Embedding []float64 `json:"embedding"`
}

func list(items ...item) any { return map[string]any{"object": "list", "data": items} }

// lengths answers with a vector (1, length) for each text, last text first.
func lengths(r request) any {
	var items []item
	for i, text := range r.Input {
		items = append([]item{{i, []float64{1, float64(len(text))}}}, items...)
	}
	return list(items...)
}

func TestDocumentsSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, _ http.ResponseWriter) any { return lengths(r) })
	vectors, err := b.client.Documents(t.Context(), []string{"a", "bcd"})
	require.NoError(t, err)
	require.Equal(t, []request{{"POST /v1/embeddings", "Bearer sk-secret", "m", []string{"a", "bcd"}}}, b.calls())
	require.Len(t, vectors, 2)
	require.InDelta(t, 1, embedding.Cosine(vectors[0], vectors[0]), 1e-6, "vectors have length 1")
	require.InDelta(t, 1, vectors[0][1]/vectors[0][0], 1e-6, "the order is that of the texts, whatever the server's")
	require.InDelta(t, 3, vectors[1][1]/vectors[1][0], 1e-5)
}

func TestManyDocumentsGoInBatches(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, _ http.ResponseWriter) any { return lengths(r) })
	texts := make([]string, 70)
	for i := range texts {
		texts[i] = strings.Repeat("x", i+1)
	}
	vectors, err := b.client.Documents(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, b.calls(), 3)
	for i, v := range vectors {
		require.InDelta(t, i+1, v[1]/v[0], 1e-2)
	}
}

func TestEveryTextIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, _ http.ResponseWriter) any { return lengths(r) })
	_, err := b.client.Documents(t.Context(), []string{
		"", "\x00\a", "\U0001F3F4\U000E0067\U000E007F", "roto\xff", strings.Repeat("ñ", 100_000),
	})
	require.NoError(t, err)
	sent := b.calls()[0].Input
	require.Equal(t, []string{"-", "-", "\U0001F3F4\U000E0067\U000E007F", "roto"}, sent[:4])
	require.Len(t, []rune(sent[4]), 2000)
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, func(call int, r request, w http.ResponseWriter) any {
		switch call {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return nil
		case 2:
			w.Header().Set("Retry-After-Ms", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return nil
		}
		return lengths(r)
	})
	_, err := b.client.Documents(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Len(t, b.calls(), 3)
}

func TestTextThatIsTooLongCostsNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, w http.ResponseWriter) any {
		for _, text := range r.Input {
			if len(text) > 1000 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return nil
			}
		}
		return lengths(r)
	})
	vectors, err := b.client.Documents(t.Context(), []string{"ab", strings.Repeat("x", 1500)})
	require.NoError(t, err)
	require.InDelta(t, 2, vectors[0][1]/vectors[0][0], 1e-5)
	require.InDelta(t, 500, vectors[1][1]/vectors[1][0], 1)
}

func TestErrorsShowNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, w http.ResponseWriter) any {
		w.WriteHeader(http.StatusUnauthorized)
		return map[string]any{"error": map[string]string{"message": "key sk-secret, text " + r.Input[0]}}
	})
	_, err := b.client.Documents(t.Context(), []string{"mi número es 5551234"})
	require.EqualError(t, err, "embedding: the provider answered with status 401")
	require.Len(t, b.calls(), 1, "a wrong key is not tried again")

	away := embedding.New(embedding.Config{BaseURL: "http://127.0.0.1:1/v1", APIKey: "sk-secret", Model: "m", Metrics: prometheus.NewRegistry(), Log: zap.NewNop()})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = away.Documents(ctx, []string{"x"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "127.0.0.1")
}

func TestUnusableVectorsAreRefused(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]any{
		"none":         list(),
		"too few":      list(item{0, []float64{1}}),
		"twice":        list(item{0, []float64{1}}, item{0, []float64{1}}),
		"index":        list(item{0, []float64{1}}, item{7, []float64{1}}),
		"dimensions":   list(item{0, []float64{1}}, item{1, []float64{1, 2}}),
		"no direction": list(item{0, []float64{0, 0}}, item{1, []float64{1, 2}}),
		"empty":        list(item{0, nil}, item{1, nil}),
	} {
		b := setup(t, func(int, request, http.ResponseWriter) any { return answer })
		_, err := b.client.Documents(t.Context(), []string{"a", "b"})
		require.ErrorIs(t, err, embedding.ErrUnusable, name)
	}
	b := setup(t, func(_ int, _ request, w http.ResponseWriter) any {
		_, _ = io.WriteString(w, "<html>")
		return nil
	})
	_, err := b.client.Documents(t.Context(), []string{"a"})
	require.EqualError(t, err, "embedding: the provider's answer cannot be read")
}

func TestQuestionIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := true
	var mu sync.Mutex
	b := setup(t, func(_ int, r request, _ http.ResponseWriter) any {
		mu.Lock()
		hang := hanging
		mu.Unlock()
		if hang {
			<-release
		}
		return lengths(r)
	})
	t.Cleanup(func() { close(release) }) // before the server closes
	begin := time.Now()
	require.Nil(t, b.client.Question(t.Context(), "¿devuelven la plata?"))
	require.Less(t, time.Since(begin), 10*time.Second)
	mu.Lock()
	hanging = false
	mu.Unlock()
	require.Nil(t, b.client.Question(t.Context(), "¿devuelven la plata?"), "none is tried soon after")
	require.Eventually(t, func() bool { return b.client.Question(t.Context(), "¿devuelven la plata?") != nil }, 10*time.Second, 20*time.Millisecond)

	require.Len(t, b.logs.All(), 1)
	require.NotContains(t, b.logs.All()[0].ContextMap()["error"], "plata")
	outcomes, err := testutil.GatherAndCount(b.metrics, "knobot_rag_question_embeddings_total")
	require.NoError(t, err)
	require.Equal(t, 3, outcomes, "done, failed, skipped")
}

func TestBackgroundIsMeasured(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ int, r request, _ http.ResponseWriter) any {
		var items []item
		for i := range r.Input {
			v := make([]float64, 9)
			v[i], v[8] = 1, 2 // all have the last direction in common
			items = append(items, item{i, v})
		}
		return list(items...)
	})
	_, known := b.client.Background()
	require.False(t, known)
	require.NoError(t, b.client.Measure(t.Context()))
	background, known := b.client.Background()
	require.True(t, known)
	require.InDelta(t, 0.8, background, 1e-6)
}

func TestModelThatIsAwayIsMeasuredLater(t *testing.T) {
	t.Parallel()
	b := setup(t, func(call int, r request, w http.ResponseWriter) any {
		if call == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return nil
		}
		return lengths(r)
	})
	require.NoError(t, b.client.Run(t.Context()))
	_, known := b.client.Background()
	require.True(t, known)
}
