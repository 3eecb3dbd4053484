// Package embedding turns texts into vectors by any server of OpenAI's embeddings protocol: OpenAI, Azure, Ollama, vLLM,
// Text Embeddings Inference, llama.cpp.
package embedding

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/telemetry"
)

const (
	// batchSize and batchBytes bound one call. OpenAI takes 2,048 texts of together 300,000 tokens (API reference, Create
	// embeddings, 2026-08-21), other servers take far less: Text Embeddings Inference 32 texts by default.
	batchSize  = 32
	batchBytes = 64 << 10
	// maxText bounds one text, in characters. Passages are shorter, but for a rare table row; models read 512 tokens and more.
	maxText = 2000
	// callTimeout bounds one call for documents, totalTimeout its repetitions with the waits between.
	callTimeout  = 30 * time.Second
	totalTimeout = time.Minute
	maxRetries   = 3
	// questionTimeout bounds all that is done for a question: somebody waits, and keyword search answers too.
	questionTimeout = 1500 * time.Millisecond
	questionRetries = 1
	// rest is how long questions are not embedded after one could not be.
	rest = 10 * time.Second
)

// Vector is a text's place among the others, of length 1.
type Vector []float32

// Config says which model to ask, and where.
type Config struct {
	// BaseURL of the API, empty for OpenAI's own.
	BaseURL string
	// APIKey is empty for servers that ask for none.
	APIKey string
	// Model is the model's name.
	Model string
	// Patience is how long a question may take, Rest how long none is tried after one that failed; 0 for 1.5 s and 10 s.
	Patience, Rest time.Duration
	// Metrics counts the questions.
	Metrics prometheus.Registerer
	Log     *zap.Logger
}

// Client makes vectors. It is safe for concurrent use.
type Client struct {
	cfg       Config
	service   openai.EmbeddingService
	questions *prometheus.CounterVec
	// tired is when questions may be embedded again, in nanoseconds since 1970.
	tired      atomic.Int64
	background atomic.Pointer[float64]
}

// New returns a client. The service is made directly: openai.NewClient would also read the environment.
func New(cfg Config) *Client {
	if cfg.Patience == 0 {
		cfg.Patience = questionTimeout
	}
	if cfg.Rest == 0 {
		cfg.Rest = rest
	}
	c := &Client{
		cfg: cfg, service: openai.NewEmbeddingService(options(cfg.BaseURL, cfg.APIKey)...),
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_rag_question_embeddings_total",
			Help: "Questions by what became of their embedding: done, failed, or skipped soon after a failure; the last two are searched by keyword alone.",
		}, []string{"outcome"}),
	}
	cfg.Metrics.MustRegister(c.questions)
	return c
}

// Model is the model's name.
func (c *Client) Model() string { return c.cfg.Model }

// Documents returns a vector for each text, in order, all of one dimension. It tries again by itself what may pass; its errors
// hold no address, key or text.
func (c *Client) Documents(ctx context.Context, texts []string) ([]Vector, error) {
	out := make([]Vector, 0, len(texts))
	for len(texts) > 0 {
		n := batch(texts)
		vectors, err := c.documents(ctx, texts[:n])
		if errors.Is(err, errRefused) {
			vectors, err = c.singly(ctx, texts[:n])
		}
		if err != nil {
			return nil, err
		}
		if out, texts = append(out, vectors...), texts[n:]; len(out[0]) != len(vectors[0]) {
			return nil, ErrUnusable
		}
	}
	return out, nil
}

func (c *Client) documents(ctx context.Context, texts []string) ([]Vector, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	return c.embed(ctx, texts, option.WithMaxRetries(maxRetries), option.WithRequestTimeout(callTimeout))
}

// shortText is as much of a text as every model reads, in characters.
const shortText = 500

// singly makes the best of texts that were refused together: servers refuse all for one that is too long for their model.
func (c *Client) singly(ctx context.Context, texts []string) ([]Vector, error) {
	var out []Vector
	for _, text := range texts {
		vectors, err := c.documents(ctx, []string{text})
		if runes := []rune(text); errors.Is(err, errRefused) && len(runes) > shortText {
			vectors, err = c.documents(ctx, []string{string(runes[:shortText])})
		}
		if err != nil {
			return nil, err
		}
		out = append(out, vectors[0])
	}
	return out, nil
}

// batch is how many of the texts go into one call: at least one.
func batch(texts []string) int {
	size := 0
	for i, text := range texts[:min(len(texts), batchSize)] {
		if size += min(len(text), 4*maxText); size > batchBytes && i > 0 {
			return i
		}
	}
	return min(len(texts), batchSize)
}

// Question returns the vector of a question, or nothing if it cannot be had soon: that is logged and counted.
func (c *Client) Question(ctx context.Context, text string) Vector {
	if time.Now().UnixNano() < c.tired.Load() {
		c.questions.WithLabelValues("skipped").Inc()
		return nil
	}
	short, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	vectors, err := c.embed(short, []string{text}, option.WithMaxRetries(questionRetries), option.WithRequestTimeout(c.cfg.Patience))
	if err == nil {
		c.questions.WithLabelValues("done").Inc()
		return vectors[0]
	}
	if ctx.Err() != nil {
		return nil // the caller has gone
	}
	c.tired.Store(time.Now().Add(c.cfg.Rest).UnixNano())
	c.questions.WithLabelValues("failed").Inc()
	c.cfg.Log.Warn("question not embedded, searching by keyword", zap.Error(err))
	return nil
}

// embed makes one call.
func (c *Client) embed(ctx context.Context, texts []string, opts ...option.RequestOption) ([]Vector, error) {
	ctx, span := telemetry.Start(ctx, "embeddings "+c.cfg.Model, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "embeddings"), attribute.String("gen_ai.request.model", c.cfg.Model),
		attribute.Int("knobot.texts", len(texts))))
	defer span.End()
	input := make([]string, len(texts))
	for i, text := range texts {
		input[i] = clean(text)
	}
	response, err := c.service.New(ctx, openai.EmbeddingNewParams{
		Model: c.cfg.Model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: input},
	}, opts...)
	if err != nil {
		return nil, describe(err)
	}
	return read(response.Data, len(texts))
}

// read puts the vectors into the order of the texts and refuses what is not one for each.
func read(data []openai.Embedding, n int) ([]Vector, error) {
	if len(data) != n {
		return nil, ErrUnusable
	}
	out := make([]Vector, n)
	for _, e := range data {
		if e.Index < 0 || e.Index >= int64(n) || out[e.Index] != nil || len(e.Embedding) != len(data[0].Embedding) {
			return nil, ErrUnusable
		}
		v, ok := unit(e.Embedding)
		if !ok {
			return nil, ErrUnusable
		}
		out[e.Index] = v
	}
	return out, nil
}

// maxDimension bounds a vector; Weaviate's own bound is 65,535.
const maxDimension = 16_384

// unit scales a vector to length 1. One without a direction is none.
func unit(in []float64) (Vector, bool) {
	var sum float64
	for _, x := range in {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if len(in) > maxDimension || math.IsNaN(length) || math.IsInf(length, 0) || length < 1e-12 {
		return nil, false
	}
	out := make(Vector, len(in))
	for i, x := range in {
		out[i] = float32(x / length)
	}
	return out, true
}

// Cosine is the likeness of two vectors, -1 to 1.
func Cosine(a, b Vector) float64 {
	var sum float64
	for i := range a[:min(len(a), len(b))] {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// Run measures the model's background, as often as it takes.
func (c *Client) Run(ctx context.Context) error {
	for {
		err := c.Measure(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			c.cfg.Log.Warn("embedding model not measured, searching by keyword", zap.Error(err))
		}
		timer := time.NewTimer(c.cfg.Rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Measure asks the model for vectors of fixed sentences on unrelated subjects: what they have in common is its background.
func (c *Client) Measure(ctx context.Context) error {
	vectors, err := c.documents(ctx, unrelated())
	if err != nil {
		return err
	}
	var cosines []float64
	for i, a := range vectors {
		for _, b := range vectors[i+1:] {
			cosines = append(cosines, Cosine(a, b))
		}
	}
	slices.Sort(cosines)
	background := min(max(cosines[len(cosines)/2], 0), 0.95)
	c.background.Store(&background)
	return nil
}

// Background is the cosine of texts that have nothing to do with each other, near 0 for some models, 0.8 for others, once it
// was measured.
func (c *Client) Background() (cosine float64, known bool) {
	if b := c.background.Load(); b != nil {
		return *b, true
	}
	return 0, false
}

// unrelated are sentences that no two people would take for answers to one question.
func unrelated() []string {
	return []string{
		"El tren de las ocho sale del andén número tres.",
		"Las ballenas jorobadas cantan durante el invierno.",
		"Mezclá la harina con dos huevos y un poco de leche.",
		"La sesión vence después de treinta minutos sin actividad.",
		"El volcán hizo erupción a fines del siglo pasado.",
		"Nuestro abogado revisa los contratos de alquiler.",
		"El equipo local perdió la final por penales.",
		"Guarde el medicamento en un lugar fresco y seco.",
	}
}
