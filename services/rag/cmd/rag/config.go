package main

import (
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/transcription"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// Config is the service's configuration.
type Config struct {
	service.Config
	DatabaseURL        env.Secret `env:"KNOBOT_DATABASE_URL,required"`
	MigrateDatabaseURL env.Secret `env:"KNOBOT_MIGRATE_DATABASE_URL"`
	WeaviateURL        string     `env:"KNOBOT_WEAVIATE_URL" envDefault:"http://127.0.0.1:8080"`
	WeaviateGRPCAddr   string     `env:"KNOBOT_WEAVIATE_GRPC_ADDR" envDefault:"127.0.0.1:50051"`
	WeaviateAPIKey     env.Secret `env:"KNOBOT_WEAVIATE_API_KEY"`
	CacheDir           string     `env:"KNOBOT_CACHE_DIR"`
	FetchAllow         []string   `env:"KNOBOT_FETCH_ALLOW"`

	LLM          modelConfig   `envPrefix:"KNOBOT_LLM_"`
	Fallback     modelConfig   `envPrefix:"KNOBOT_LLM_FALLBACK_"`
	LLMMaxTokens int64         `env:"KNOBOT_LLM_MAX_TOKENS" envDefault:"1024"`
	LLMTimeout   time.Duration `env:"KNOBOT_LLM_TIMEOUT" envDefault:"25s"`

	EmbeddingProvider string     `env:"KNOBOT_EMBEDDING_PROVIDER" envDefault:"none"`
	EmbeddingBaseURL  string     `env:"KNOBOT_EMBEDDING_BASE_URL"`
	EmbeddingAPIKey   env.Secret `env:"KNOBOT_EMBEDDING_API_KEY"`
	EmbeddingModel    string     `env:"KNOBOT_EMBEDDING_MODEL"`

	DailyPerCustomer      int64 `env:"KNOBOT_LLM_DAILY_PER_CUSTOMER" envDefault:"200"`
	DailyPerKnowledgeBase int64 `env:"KNOBOT_LLM_DAILY_PER_KNOWLEDGE_BASE" envDefault:"0"`

	TranscriptionBaseURL string     `env:"KNOBOT_TRANSCRIPTION_BASE_URL"`
	TranscriptionAPIKey  env.Secret `env:"KNOBOT_TRANSCRIPTION_API_KEY"`
	TranscriptionModel   string     `env:"KNOBOT_TRANSCRIPTION_MODEL"`
}

// Validate checks what types cannot say.
func (c *Config) Validate() error {
	faults := []error{c.models(), c.embedding(), c.transcription()}
	if !isHTTP(c.WeaviateURL) {
		faults = append(faults, errors.New("KNOBOT_WEAVIATE_URL: it must be http://host:port or https://host:port"))
	}
	if c.TranscriptionBaseURL != "" && !isHTTP(c.TranscriptionBaseURL) {
		faults = append(faults, errors.New("KNOBOT_TRANSCRIPTION_BASE_URL: it must be an http or https address"))
	}
	for _, address := range c.FetchAllow {
		if _, _, err := net.SplitHostPort(address); err != nil {
			faults = append(faults, errors.New("KNOBOT_FETCH_ALLOW: it must be a list of host:port, separated by commas"))
		}
	}
	return errors.Join(faults...)
}

// transcription checks who listens to voice notes: nobody without a model.
func (c *Config) transcription() error {
	located := c.TranscriptionBaseURL != "" || c.TranscriptionAPIKey.IsSet()
	switch {
	case c.TranscriptionModel == "" && located:
		return errors.New("KNOBOT_TRANSCRIPTION_MODEL is required with KNOBOT_TRANSCRIPTION_BASE_URL or KNOBOT_TRANSCRIPTION_API_KEY")
	case c.TranscriptionModel != "" && !located:
		return errors.New("KNOBOT_TRANSCRIPTION_API_KEY is required with KNOBOT_TRANSCRIPTION_MODEL, unless KNOBOT_TRANSCRIPTION_BASE_URL names a server that asks for none")
	}
	return nil
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (c *Config) owner() env.Secret {
	if c.MigrateDatabaseURL.IsSet() {
		return c.MigrateDatabaseURL
	}
	return c.DatabaseURL
}

func (c *Config) weaviate() weaviate.Config {
	return weaviate.Config{URL: c.WeaviateURL, GRPCAddr: c.WeaviateGRPCAddr, APIKey: c.WeaviateAPIKey.Reveal()}
}

// transcriber is nil where voice notes are not listened to.
func (c *Config) transcriber() transcription.Model {
	if c.TranscriptionModel == "" {
		return nil
	}
	return llm.NewTranscriber(llm.TranscriberConfig{
		BaseURL: c.TranscriptionBaseURL, APIKey: c.TranscriptionAPIKey.Reveal(), Model: c.TranscriptionModel,
	})
}
