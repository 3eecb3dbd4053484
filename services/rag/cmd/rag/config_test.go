package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/env"
)

// valid is the least that the service starts with.
func valid(more ...string) []string {
	return append([]string{"KNOBOT_DATABASE_URL=postgres://db", "KNOBOT_GRPC_ADDR=127.0.0.1:9102"}, more...)
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid()))
	require.Nil(t, cfg.model(prometheus.NewRegistry(), zap.NewNop()), "no key is needed")
	require.Nil(t, cfg.transcriber(), "nobody listens")
	require.Equal(t, "http://127.0.0.1:8080", cfg.weaviate().URL)
	require.Equal(t, "127.0.0.1:50051", cfg.weaviate().GRPCAddr)
	require.Equal(t, cfg.DatabaseURL, cfg.owner())
}

func TestConfigOfAModel(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_MODEL=tiny",
		"KNOBOT_LLM_BASE_URL=http://127.0.0.1:11434/v1", "KNOBOT_MIGRATE_DATABASE_URL=postgres://owner")))
	require.Equal(t, "openai/tiny", cfg.model(prometheus.NewRegistry(), zap.NewNop()).Name())
	require.Equal(t, env.Secret("postgres://owner"), cfg.owner())
}

func TestConfigOfAnthropic(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_LLM_PROVIDER=anthropic", "KNOBOT_LLM_MODEL=tiny", "KNOBOT_LLM_API_KEY=k",
		"KNOBOT_LLM_VISION=true")))
	require.Equal(t, "anthropic/tiny", cfg.model(prometheus.NewRegistry(), zap.NewNop()).Name())
	require.True(t, cfg.model(prometheus.NewRegistry(), zap.NewNop()).Sees())
}

func TestConfigOfAFallback(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_LLM_PROVIDER=anthropic", "KNOBOT_LLM_MODEL=large", "KNOBOT_LLM_API_KEY=k",
		"KNOBOT_LLM_FALLBACK_PROVIDER=openai", "KNOBOT_LLM_FALLBACK_MODEL=tiny", "KNOBOT_LLM_FALLBACK_API_KEY=k",
		"KNOBOT_LLM_FALLBACK_VISION=true")))
	require.Equal(t, "anthropic/large", cfg.model(prometheus.NewRegistry(), zap.NewNop()).Name())
	require.True(t, cfg.model(prometheus.NewRegistry(), zap.NewNop()).Sees())
}

func TestConfigOfEyesAndEars(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_MODEL=tiny", "KNOBOT_LLM_VISION=true",
		"KNOBOT_LLM_API_KEY=k", "KNOBOT_TRANSCRIPTION_MODEL=whisper-1", "KNOBOT_TRANSCRIPTION_BASE_URL=http://127.0.0.1:8000/v1")))
	require.True(t, cfg.model(prometheus.NewRegistry(), zap.NewNop()).Sees())
	require.NotNil(t, cfg.transcriber())
}

func TestConfigOfFetching(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_FETCH_ALLOW=intranet:80,[::1]:8080")))
	require.Equal(t, []string{"intranet:80", "[::1]:8080"}, cfg.FetchAllow)
}

func TestConfigOfEmbeddings(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, valid()))
	require.Nil(t, cfg.embedder(prometheus.NewRegistry(), zap.NewNop()), "keyword search by default")
	require.NoError(t, env.LoadFrom(&cfg, valid("KNOBOT_EMBEDDING_PROVIDER=openai", "KNOBOT_EMBEDDING_MODEL=tiny",
		"KNOBOT_EMBEDDING_BASE_URL=http://127.0.0.1:11434/v1")))
	require.Equal(t, "tiny", cfg.embedder(prometheus.NewRegistry(), zap.NewNop()).Model())
}

func TestFaultyConfigIsRefused(t *testing.T) {
	t.Parallel()
	for sentence, environ := range map[string][]string{
		"required with KNOBOT_LLM_PROVIDER=anthropic": valid("KNOBOT_LLM_PROVIDER=anthropic", "KNOBOT_LLM_MODEL=m"),
		`"gpt" is not extractive, openai or`:          valid("KNOBOT_LLM_PROVIDER=gpt"),
		"KNOBOT_LLM_MAX_TOKENS":                       valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_MODEL=m", "KNOBOT_LLM_API_KEY=k", "KNOBOT_LLM_MAX_TOKENS=0"),
		"KNOBOT_LLM_MODEL is required":                valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_API_KEY=sk-secret"),
		"KNOBOT_LLM_FALLBACK_MODEL is required":       valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_MODEL=m", "KNOBOT_LLM_API_KEY=k", "KNOBOT_LLM_FALLBACK_PROVIDER=anthropic"),
		"KNOBOT_LLM_FALLBACK_BASE_URL":                valid("KNOBOT_LLM_FALLBACK_BASE_URL=localhost:1"),
		"KNOBOT_LLM_FALLBACK_PRICE_OUTPUT":            valid("KNOBOT_LLM_FALLBACK_PRICE_OUTPUT=-1"),
		"KNOBOT_LLM_PRICE_INPUT":                      valid("KNOBOT_LLM_PRICE_INPUT=NaN"),
		"KNOBOT_LLM_DAILY_PER_CUSTOMER":               valid("KNOBOT_LLM_DAILY_PER_KNOWLEDGE_BASE=-1"),
		"nothing to stand in for":                     valid("KNOBOT_LLM_FALLBACK_PROVIDER=openai", "KNOBOT_LLM_FALLBACK_MODEL=m", "KNOBOT_LLM_FALLBACK_API_KEY=k"),
		"KNOBOT_LLM_TIMEOUT":                          valid("KNOBOT_LLM_TIMEOUT=0s"),
		"KNOBOT_LLM_API_KEY is required":              valid("KNOBOT_LLM_PROVIDER=openai", "KNOBOT_LLM_MODEL=m"),
		"KNOBOT_TRANSCRIPTION_MODEL is required":      valid("KNOBOT_TRANSCRIPTION_API_KEY=sk-secret"),
		"KNOBOT_TRANSCRIPTION_API_KEY is required":    valid("KNOBOT_TRANSCRIPTION_MODEL=m"),
		"KNOBOT_TRANSCRIPTION_BASE_URL: it must":      valid("KNOBOT_TRANSCRIPTION_MODEL=m", "KNOBOT_TRANSCRIPTION_BASE_URL=whisper:1"),
		"KNOBOT_LLM_VISION":                           valid("KNOBOT_LLM_VISION=perhaps"),
		"KNOBOT_LLM_BASE_URL":                         valid("KNOBOT_LLM_BASE_URL=localhost:1"),
		"KNOBOT_WEAVIATE_URL":                         valid("KNOBOT_WEAVIATE_URL=weaviate:8080"),
		"KNOBOT_DATABASE_URL":                         {"KNOBOT_GRPC_ADDR=127.0.0.1:9102"},
		"KNOBOT_FETCH_ALLOW":                          valid("KNOBOT_FETCH_ALLOW=intranet:80,wiki"),
		`"ada" is not none or openai`:                 valid("KNOBOT_EMBEDDING_PROVIDER=ada"),
		"KNOBOT_EMBEDDING_MODEL is required":          valid("KNOBOT_EMBEDDING_PROVIDER=openai", "KNOBOT_EMBEDDING_API_KEY=sk-secret"),
		"KNOBOT_EMBEDDING_API_KEY is required":        valid("KNOBOT_EMBEDDING_PROVIDER=openai", "KNOBOT_EMBEDDING_MODEL=m"),
		"KNOBOT_EMBEDDING_BASE_URL: it must":          valid("KNOBOT_EMBEDDING_PROVIDER=openai", "KNOBOT_EMBEDDING_MODEL=m", "KNOBOT_EMBEDDING_BASE_URL=ollama:1"),
	} {
		var cfg Config
		err := env.LoadFrom(&cfg, environ)
		require.ErrorContains(t, err, sentence)
		require.NotContains(t, err.Error(), "sk-secret")
	}
}
