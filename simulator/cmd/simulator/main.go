// Command simulator stands in for Meta's Graph API and Telegram's Bot API, and
// shows the phones of their customers on a web page. The environment is that
// of the README; the flags are for tests.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/knobot/knobot/platform/env"

	"github.com/knobot/knobot/simulator/internal/server"
)

func main() {
	history := flag.Int("history", 10_000, "messages per chat, and calls, webhooks and events, that are kept")
	scale := flag.Float64("retry-scale", 1, "stretches the delays between webhook retries")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("service", "simulator")
	if err := run(log, *history, *scale); err != nil {
		log.Error("the simulator stopped", "error", err)
		os.Exit(1)
	}
}

func run(log *slog.Logger, history int, scale float64) error {
	var cfg server.Config
	if err := env.Load(&cfg); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	settings := server.DefaultSettings()
	settings.RetryScale = scale
	s := server.New(server.Options{WebhookURL: cfg.WebhookURL, History: history, Settings: settings})
	if err := s.Seed(cfg); err != nil {
		return err
	}
	return s.Run(ctx, cfg.Addr, func(addr net.Addr) {
		log.Info("listening", "page", "http://"+addr.String()+"/", "webhooks", cfg.WebhookURL)
	})
}
