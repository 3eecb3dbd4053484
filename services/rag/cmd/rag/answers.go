package main

import (
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/erasure"
	"github.com/knobot/knobot/services/rag/internal/evaluation"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/feedback"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/transcription"
)

// registerAnswers serves what answers, and what is measured, counted and thought of answers.
func registerAnswers(cfg Config, s *service.Service, store *postgres.Store, searcher *retrieval.Searcher, analyzer *analysis.Analyzer) {
	ledger := cfg.ledger(store, s.Logger()).Measured(s.Metrics())
	answerer := orchestrator.New(searcher, store, extract.New(analyzer), cfg.model(s.Metrics(), s.Logger()), s.Logger(),
		orchestrator.WithMetrics(s.Metrics()), orchestrator.WithPatience(cfg.LLMTimeout), orchestrator.WithLedger(ledger))
	book := feedback.New(store, analyzer, s.Logger())
	transcriber := transcription.New(cfg.transcriber(), s.Logger())
	ragv1.RegisterAnswerServiceServer(s.GRPC(), rpcapi.NewAnswers(book.Listen(answerer), transcriber, erasure.New(store)))
	ragv1.RegisterEvaluationServiceServer(s.GRPC(), rpcapi.NewEvaluations(evaluation.New(answerer)))
	ragv1.RegisterFeedbackServiceServer(s.GRPC(), rpcapi.NewFeedback(book, store))
	ragv1.RegisterUsageServiceServer(s.GRPC(), rpcapi.NewUsages(store))
	s.Go("usage", ledger.Run)
	s.Go("feedback", book.Run)
}
