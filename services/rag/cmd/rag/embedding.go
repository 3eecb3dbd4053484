package main

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/rag/internal/embedding"
)

// embedding checks who makes vectors: nobody by default.
func (c *Config) embedding() error {
	switch {
	case c.EmbeddingProvider == "none":
		return nil
	case c.EmbeddingProvider != "openai":
		return fmt.Errorf("KNOBOT_EMBEDDING_PROVIDER: %q is not none or openai", c.EmbeddingProvider)
	case c.EmbeddingModel == "":
		return errors.New("KNOBOT_EMBEDDING_MODEL is required with KNOBOT_EMBEDDING_PROVIDER=openai")
	case c.EmbeddingBaseURL == "" && !c.EmbeddingAPIKey.IsSet():
		return errors.New("KNOBOT_EMBEDDING_API_KEY is required with KNOBOT_EMBEDDING_PROVIDER=openai, unless KNOBOT_EMBEDDING_BASE_URL names a server that asks for none")
	case c.EmbeddingBaseURL != "" && !isHTTP(c.EmbeddingBaseURL):
		return errors.New("KNOBOT_EMBEDDING_BASE_URL: it must be an http or https address")
	}
	return nil
}

// embedder is nil for keyword search alone.
func (c *Config) embedder(metrics prometheus.Registerer, log *zap.Logger) *embedding.Client {
	if c.EmbeddingProvider != "openai" {
		return nil
	}
	return embedding.New(embedding.Config{
		BaseURL: c.EmbeddingBaseURL, APIKey: c.EmbeddingAPIKey.Reveal(), Model: c.EmbeddingModel, Metrics: metrics, Log: log,
	})
}
