package main

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

// modelConfig says who writes answers.
type modelConfig struct {
	Provider string     `env:"PROVIDER"`
	BaseURL  string     `env:"BASE_URL"`
	APIKey   env.Secret `env:"API_KEY"`
	Model    string     `env:"MODEL"`
	Vision   bool       `env:"VISION"`
}

// writes tells whether a model does, and not extraction alone.
func (m modelConfig) writes() bool { return m.Provider != "" && m.Provider != "extractive" }

// models checks who writes the answers, and in whose place.
func (c *Config) models() error {
	faults := []error{c.LLM.check("KNOBOT_LLM_"), c.Fallback.check("KNOBOT_LLM_FALLBACK_")}
	if c.Fallback.writes() && !c.LLM.writes() {
		faults = append(faults, errors.New("KNOBOT_LLM_FALLBACK_PROVIDER: there is nothing to stand in for while KNOBOT_LLM_PROVIDER is extractive"))
	}
	if c.LLMMaxTokens < 1 {
		faults = append(faults, errors.New("KNOBOT_LLM_MAX_TOKENS: it must be positive"))
	}
	if c.LLMTimeout <= 0 {
		faults = append(faults, errors.New("KNOBOT_LLM_TIMEOUT: it must be positive"))
	}
	return errors.Join(faults...)
}

// check checks what is set under a prefix.
func (m modelConfig) check(prefix string) error {
	if m.BaseURL != "" && !isHTTP(m.BaseURL) {
		return errors.New(prefix + "BASE_URL: it must be an http or https address")
	}
	switch m.Provider {
	case "", "extractive":
		return nil
	case "openai", "anthropic":
	default:
		return fmt.Errorf("%sPROVIDER: %q is not extractive, openai or anthropic", prefix, m.Provider)
	}
	switch {
	case m.Model == "":
		return fmt.Errorf("%[1]sMODEL is required with %[1]sPROVIDER=%[2]s", prefix, m.Provider)
	case m.BaseURL == "" && !m.APIKey.IsSet():
		return fmt.Errorf("%[1]sAPI_KEY is required with %[1]sPROVIDER=%[2]s, unless %[1]sBASE_URL names a server that asks for none",
			prefix, m.Provider)
	}
	return nil
}

// model is nil for extraction.
func (c *Config) model(log *zap.Logger) llm.Model {
	if !c.LLM.writes() {
		return nil
	}
	models := []llm.Model{c.LLM.open(c.LLMMaxTokens)}
	if c.Fallback.writes() {
		models = append(models, c.Fallback.open(c.LLMMaxTokens))
	}
	return llm.NewChain(log, models...)
}

func (m modelConfig) open(maxTokens int64) llm.Model {
	if m.Provider == "anthropic" {
		return llm.NewAnthropic(llm.AnthropicConfig{
			BaseURL: m.BaseURL, APIKey: m.APIKey.Reveal(), Model: m.Model, Vision: m.Vision, MaxTokens: maxTokens,
		})
	}
	return llm.NewOpenAI(llm.OpenAIConfig{
		BaseURL: m.BaseURL, APIKey: m.APIKey.Reveal(), Model: m.Model, Vision: m.Vision, MaxTokens: maxTokens,
	})
}
