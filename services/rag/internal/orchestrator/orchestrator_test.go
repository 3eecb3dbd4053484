package orchestrator_test

import (
	"os"
	"testing"

	"go.uber.org/zap/zaptest"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

func newOrchestrator(t *testing.T, b *ragtest.Bundle, model llm.Model) *orchestrator.Orchestrator {
	t.Helper()
	return orchestrator.New(b.Searcher, b.Store, extract.New(b.Analyzer), model, zaptest.NewLogger(t))
}

// request asks the default knowledge base what one customer message says.
func request(text string) rag.Request {
	return rag.Request{
		ID: "request", KnowledgeBase: rag.DefaultKnowledgeBase, TopK: retrieval.DefaultTopK, Retrieve: true,
		Turns: []rag.Turn{{Role: rag.Customer, Text: text}},
	}
}
