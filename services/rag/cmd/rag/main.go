// Command rag knows a company's documents and answers from them.
package main

import (
	"context"
	"os"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/crawl"
	"github.com/knobot/knobot/services/rag/internal/fetch"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/reader"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func main() {
	// Documents that are taken in leave tens of megabytes of garbage: with Go's own percentage that is half of the memory.
	defaults := service.Defaults{GRPCAddr: "127.0.0.1:9102", DebugAddr: "127.0.0.1:9202", GarbagePercent: 100}
	os.Exit(service.Main("rag", defaults, run, service.WithMigrate(migrate)))
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	pool, err := platform.Open(ctx, cfg.DatabaseURL, platform.WithSchema(postgres.Schema()),
		platform.WithTracing(s.Tracer()), platform.WithName("knobot-rag"))
	if err != nil {
		return err
	}
	s.OnStop(pool.Close)
	server, err := weaviate.Open(cfg.weaviate(), append(rpc.ClientTracing(s.Tracer()), weaviate.Measured(s.Metrics()))...)
	if err != nil {
		return err
	}
	s.OnStop(func() { _ = server.Close() })

	index := hybrid.New(server, cfg.embedder(s.Metrics(), s.Logger()))
	files := reader.New(cfg.CacheDir)
	s.OnStop(files.Close)
	store, analyzer := postgres.NewStore(pool), analysis.New()
	library, keeper := ingestion.New(store, index, files, analyzer, s.Logger())
	crawler := crawl.New(store, library, fetch.New(fetch.Config{Allow: cfg.FetchAllow}), s.Logger())
	searcher := retrieval.New(store, index, keeper, analyzer, s.Logger())
	registerAnswers(cfg, s, store, searcher, analyzer)
	rpcapi.RegisterDocuments(s.GRPC(), library, crawler, store, s.Draining())
	ragv1.RegisterKnowledgeBaseServiceServer(s.GRPC(), rpcapi.NewKnowledgeBases(library, store, searcher))
	registerDiagnostics(s, server, store, pool)
	s.Go("schema", func(ctx context.Context) error { return postgres.Schema().Await(ctx, pool) })
	s.Go("embeddings", index.Run)
	s.Go("index", keeper.Run)
	s.Go("sources", crawler.Run)
	s.Go("ingestions", ingestion.NewWorker(library, store, s.Logger()).Run)
	return s.Serve(ctx)
}
