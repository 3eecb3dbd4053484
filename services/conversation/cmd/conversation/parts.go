package main

import (
	"context"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/diagnosis"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
	"github.com/knobot/knobot/services/conversation/internal/erasure"
	"github.com/knobot/knobot/services/conversation/internal/export"
	"github.com/knobot/knobot/services/conversation/internal/files"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/opinions"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/reports"
	"github.com/knobot/knobot/services/conversation/internal/rpcapi"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/staff"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
	"github.com/knobot/knobot/services/conversation/internal/upkeep"
)

// parts is what both roles stand on.
type parts struct {
	store   *postgres.Store
	table   *integrations.Table
	sender  *sender.Client
	metrics *metrics.Metrics
	// database says how the database is.
	database func(context.Context) []doctor.Finding
	// sealer is nil without a keyset: then there are no subscriptions.
	sealer *sealing.Sealer
	// wake tells the workers of this process that there is work; in a process without workers, nobody.
	wake, wakeEraser func()
}

// work answers what waits.
func (p *parts) work(cfg Config, s *service.Service) {
	rag := s.Dial(cfg.RAGAddr)
	worker := dialogue.NewWorker(dialogue.Config{
		Mailbox: p.store, Answerer: answerer.New(rag, cfg.AnswerTimeout), Courier: p.sender, Integrations: p.table,
		Files: p.sender, Senses: answerer.NewSenses(rag), Limits: conversation.Limits{Hourly: cfg.HourlyLimit, Daily: cfg.DailyLimit},
		Workers: cfg.Workers, Lease: cfg.Lease, Metrics: p.metrics, Log: s.Logger(), Tracer: s.Tracer(),
	})
	fetcher := files.NewFetcher(p.store, p.sender, p.table, s.Logger())
	eraser := erasure.NewEraser(p.store, p.sender, answerer.New(rag, cfg.AnswerTimeout), s.Logger())
	p.wake, p.wakeEraser = func() { worker.Wake(); fetcher.Wake() }, eraser.Wake
	s.Go("worker", worker.Run)
	s.Go("files", fetcher.Run)
	s.Go("reports", reports.NewDrain(p.store, p.sender, p.table, p.metrics, s.Tracer(), s.Logger()).Run)
	s.Go("opinions", opinions.NewTeller(p.store, answerer.NewFeedback(rag), s.Logger()).Run)
	s.Go("erasure", eraser.Run)
	if p.sealer != nil {
		s.Go("notices", subscriptions.NewNotifier(p.store, p.sealer, cfg.addresses(), p.metrics, s.Logger()).Run)
	}
	s.Go("upkeep", upkeep.NewKeeper(p.store, p.table, cfg.keep(), p.metrics, s.Logger()).Run)
}

// serve takes webhooks in and shows what is stored.
func (p *parts) serve(ctx context.Context, cfg Config, s *service.Service) {
	courtesies := courtesy.NewQueue(ctx, p.sender, p.metrics)
	s.OnStop(courtesies.Close)
	intake := ingest.New(ctx, ingest.Config{
		Store: p.store, Integrations: p.table, Courtesies: courtesies, Wake: p.wake, Metrics: p.metrics, Log: s.Logger(),
		Settings: ingest.Settings{Debounce: cfg.Debounce, StaleAfter: cfg.StaleAfter, StaffPause: cfg.StaffPause},
	})
	s.OnStop(intake.Close) // after the last call has ended
	rejections := ingest.NewRejections(p.store, p.metrics, s.Logger())
	s.OnStop(func() { rejections.Flush(context.WithoutCancel(ctx)) })
	s.Go("rejections", rejections.Run)

	conversationv1.RegisterIngestServiceServer(s.GRPC(), rpcapi.NewIngest(intake, rejections))
	conversationv1.RegisterUserServiceServer(s.GRPC(), rpcapi.NewUsers(p.store, export.NewExporter(p.store), p.wakeEraser))
	desk := staff.NewDesk(p.store, p.table, cfg.StaffPause, p.wake)
	conversationv1.RegisterConversationServiceServer(s.GRPC(), rpcapi.NewConversations(p.store, desk, p.wake))
	told := subscriptions.NewService(p.store, p.sealer, cfg.addresses())
	conversationv1.RegisterSubscriptionServiceServer(s.GRPC(), rpcapi.NewSubscriptions(p.store, told))
	conversationv1.RegisterWebhookLogServiceServer(s.GRPC(), rpcapi.NewLogs(p.store, p.wake))
	conversationv1.RegisterDiagnosticsServiceServer(s.GRPC(), rpcapi.NewDiagnostics(diagnosis.New(p.store, told, p.database)))
}
