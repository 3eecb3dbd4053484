package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

// modelConfig says who writes answers.
type modelConfig struct {
	Provider string     `env:"PROVIDER"`
	BaseURL  string     `env:"BASE_URL"`
	APIKey   env.Secret `env:"API_KEY"`
	Model    string     `env:"MODEL"`
	Vision   bool       `env:"VISION"`
	// Prices are in some currency per million tokens.
	PriceInput  float64 `env:"PRICE_INPUT"`
	PriceOutput float64 `env:"PRICE_OUTPUT"`
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
	if c.DailyPerCustomer < 0 || c.DailyPerKnowledgeBase < 0 {
		faults = append(faults, errors.New("KNOBOT_LLM_DAILY_PER_CUSTOMER and KNOBOT_LLM_DAILY_PER_KNOWLEDGE_BASE: 0 is no limit, less is nothing"))
	}
	return errors.Join(faults...)
}

// check checks what is set under a prefix.
func (m modelConfig) check(prefix string) error {
	if m.BaseURL != "" && !isHTTP(m.BaseURL) {
		return errors.New(prefix + "BASE_URL: it must be an http or https address")
	}
	if !isPrice(m.PriceInput) || !isPrice(m.PriceOutput) {
		return errors.New(prefix + "PRICE_INPUT and " + prefix + "PRICE_OUTPUT: they must be amounts of money")
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

// isPrice also refuses what is no number.
func isPrice(amount float64) bool { return amount >= 0 && amount <= 1e6 }

// writers are the models that write, in their order.
func (c *Config) writers() []modelConfig {
	var out []modelConfig
	for _, m := range []modelConfig{c.LLM, c.Fallback} {
		if m.writes() {
			out = append(out, m)
		}
	}
	return out
}

// model is nil for extraction.
func (c *Config) model(metrics prometheus.Registerer, log *zap.Logger) llm.Model {
	var models []llm.Model
	for _, m := range c.writers() {
		models = append(models, m.open(c.LLMMaxTokens))
	}
	if len(models) == 0 {
		return nil
	}
	return llm.NewChain(log, models...).Measured(metrics)
}

// ledger limits and sums what the models cost. Of two prices for one model the first counts.
func (c *Config) ledger(store usage.Store, log *zap.Logger) *usage.Ledger {
	prices := map[string]usage.Price{}
	for _, m := range slices.Backward(c.writers()) {
		prices[m.open(c.LLMMaxTokens).Name()] = usage.Price{Input: m.PriceInput, Output: m.PriceOutput}
	}
	return usage.New(store, usage.Limits{PerCustomer: c.DailyPerCustomer, PerKnowledgeBase: c.DailyPerKnowledgeBase}, prices, log)
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
