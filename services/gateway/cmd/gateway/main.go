// Command gateway is KnoBot's public edge: it verifies, decodes and hands on what WhatsApp and Telegram post.
package main

import (
	"context"
	"os"
	"time"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/gateway/internal/admin"
	"github.com/knobot/knobot/services/gateway/internal/conversation"
	"github.com/knobot/knobot/services/gateway/internal/edge"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
	"github.com/knobot/knobot/services/gateway/internal/verification"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

// firstNews is how long a starting gateway waits for the credentials at most. Without them it would say that it is ready and refuse.
const firstNews = 2 * time.Second

func main() {
	os.Exit(service.Main("gateway", service.Defaults{GRPCAddr: "127.0.0.1:9100", DebugAddr: "127.0.0.1:9200"}, run,
		service.WithMigrate(migrate)))
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	p := peers{s.Dial(cfg.ConversationAddr), s.Dial(cfg.RAGAddr), s.Dial(cfg.ChannelsAddr)}
	inside, err := management(ctx, cfg, s, p)
	if err != nil {
		return err
	}
	table := &verification.Table{}
	store := conversation.New(p.conversation)
	notes := webhook.NewNotes(store, s.Logger(), s.Metrics())
	receiver := webhook.NewReceiver(table, store, notes)
	gatewayv1.RegisterWebhookServiceServer(s.GRPC(), rpcapi.NewWebhook(receiver, rpcapi.PeerAddress))

	local := rpc.NewLocal(edge.Sampled(s.Logger()), rpc.WithMetrics(s.Metrics()), rpc.WithTracing(s.Tracer()))
	gatewayv1.RegisterWebhookServiceServer(local, rpcapi.NewWebhook(receiver, edge.RemoteAddress))
	mux, err := edge.NewMux(ctx, local)
	if err != nil {
		return err
	}
	s.HTTP("webhooks", cfg.HTTPAddr, edge.NewTraced(edge.NewHandler(mux, receiver, cfg.sources()), s.Tracer(), s.Metrics()))
	people, err := admin.NewHandler(ctx, inside, s.Draining())
	if err != nil {
		return err
	}
	s.HTTP("admin", cfg.AdminAddr, people)
	feed := verification.NewFeed(p.channels, table, s.Logger())
	s.Go("verification", feed.Run)
	s.Go("refused webhooks", notes.Run)
	feed.Await(ctx, firstNews)
	return s.Serve(ctx)
}
