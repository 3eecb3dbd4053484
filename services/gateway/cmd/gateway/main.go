// Command gateway is KnoBot's public edge: it verifies, decodes and hands on what WhatsApp and Telegram post.
package main

import (
	"context"
	"net/netip"
	"os"
	"time"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/gateway/internal/conversation"
	"github.com/knobot/knobot/services/gateway/internal/edge"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
	"github.com/knobot/knobot/services/gateway/internal/verification"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

// Config is what the gateway reads from the environment.
type Config struct {
	service.Config
	HTTPAddr         string         `env:"KNOBOT_HTTP_ADDR" envDefault:"127.0.0.1:9000"`
	ConversationAddr string         `env:"KNOBOT_CONVERSATION_ADDR" envDefault:"127.0.0.1:9101"`
	ChannelsAddr     string         `env:"KNOBOT_CHANNELS_ADDR" envDefault:"127.0.0.1:9103"`
	TelegramCIDRs    []netip.Prefix `env:"KNOBOT_TELEGRAM_CIDRS"`
	TrustedProxies   []netip.Prefix `env:"KNOBOT_TRUSTED_PROXIES"`
}

func (c *Config) sources() edge.Sources {
	return edge.Sources{Proxies: c.TrustedProxies, Telegram: c.TelegramCIDRs}
}

// firstNews is how long a starting gateway waits for the credentials at most. Without them it would say that it is ready and refuse.
const firstNews = 2 * time.Second

func main() {
	os.Exit(service.Main("gateway", service.Defaults{GRPCAddr: "127.0.0.1:9100", DebugAddr: "127.0.0.1:9200"}, run))
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	table := &verification.Table{}
	store := conversation.New(s.Dial(cfg.ConversationAddr))
	notes := webhook.NewNotes(store, s.Logger(), s.Metrics())
	receiver := webhook.NewReceiver(table, store, notes)
	gatewayv1.RegisterWebhookServiceServer(s.GRPC(), rpcapi.NewWebhook(receiver, rpcapi.PeerAddress))

	local := rpc.NewLocal(edge.Sampled(s.Logger()), rpc.WithMetrics(s.Metrics()), rpc.WithTracing(s.Tracer()))
	gatewayv1.RegisterWebhookServiceServer(local, rpcapi.NewWebhook(receiver, edge.RemoteAddress))
	mux, err := edge.NewMux(ctx, local)
	if err != nil {
		return err
	}
	s.HTTP("webhooks", cfg.HTTPAddr, edge.NewHandler(mux, receiver, cfg.sources()))
	feed := verification.NewFeed(s.Dial(cfg.ChannelsAddr), table, s.Logger())
	s.Go("verification", feed.Run)
	s.Go("refused webhooks", notes.Run)
	feed.Await(ctx, firstNews)
	return s.Serve(ctx)
}
