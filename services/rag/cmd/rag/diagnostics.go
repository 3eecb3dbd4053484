package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/rag/internal/diagnosis"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// registerDiagnostics serves what is found out about the service and the stores that it stands on.
func registerDiagnostics(s *service.Service, index *weaviate.Index, store *postgres.Store, pool *pgxpool.Pool) {
	database := func(ctx context.Context) []doctor.Finding { return doctor.Database(ctx, pool, postgres.Schema()) }
	ragv1.RegisterDiagnosticsServiceServer(s.GRPC(), rpcapi.NewDiagnostics(diagnosis.New(index, store, database)))
}
