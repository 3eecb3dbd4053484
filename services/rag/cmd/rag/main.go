// Command rag knows a company's documents and answers from them.
package main

import (
	"context"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/evaluation"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/transcription"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func main() {
	os.Exit(service.Main("rag", service.Defaults{GRPCAddr: "127.0.0.1:9102", DebugAddr: "127.0.0.1:9202"}, run,
		service.WithMigrate(migrate)))
}

func migrate(ctx context.Context, cfg Config, _ *zap.Logger) error {
	return postgres.Schema().Migrate(ctx, cfg.owner(), cfg.DatabaseURL)
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	pool, err := platform.Open(ctx, cfg.DatabaseURL, platform.WithSchema(postgres.Schema()),
		platform.WithTracing(s.Tracer()), platform.WithName("knobot-rag"))
	if err != nil {
		return err
	}
	s.OnStop(pool.Close)
	index, err := weaviate.Open(cfg.weaviate(),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(s.Tracer()))))
	if err != nil {
		return err
	}
	s.OnStop(func() { _ = index.Close() })

	store, analyzer := postgres.NewStore(pool), analysis.New()
	library, keeper := ingestion.New(store, index, analyzer, s.Logger())
	searcher := retrieval.New(store, index, keeper, analyzer)
	ledger := cfg.ledger(store, s.Logger())
	answerer := orchestrator.New(searcher, extract.New(analyzer), cfg.model(s.Logger()), s.Logger(),
		orchestrator.WithMetrics(s.Metrics()), orchestrator.WithPatience(cfg.LLMTimeout), orchestrator.WithLedger(ledger))
	ragv1.RegisterAnswerServiceServer(s.GRPC(), rpcapi.NewAnswers(answerer, transcription.New(cfg.transcriber(), s.Logger())))
	ragv1.RegisterEvaluationServiceServer(s.GRPC(), rpcapi.NewEvaluations(evaluation.New(answerer)))
	ragv1.RegisterDocumentServiceServer(s.GRPC(), rpcapi.NewDocuments(library, store))
	ragv1.RegisterKnowledgeBaseServiceServer(s.GRPC(), rpcapi.NewKnowledgeBases(library, store, searcher))
	ragv1.RegisterUsageServiceServer(s.GRPC(), rpcapi.NewUsages(store))
	s.Go("schema", func(ctx context.Context) error { return postgres.Schema().Await(ctx, pool) })
	s.Go("index", keeper.Run)
	s.Go("usage", ledger.Run)
	return s.Serve(ctx)
}
