// Package server puts the simulator together and runs it.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/botapi"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/control"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/graph"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/ring"
	"github.com/knobot/knobot/simulator/internal/web"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// Options are what can be set when the simulator starts.
type Options struct {
	// WebhookURL is the base to which webhooks go by default.
	WebhookURL string
	// History is how many messages per chat, calls, deliveries and events are
	// kept.
	History int
	// Transport delivers webhooks; net/http's when nil.
	Transport http.RoundTripper
	Settings  simulator.Settings
}

// DefaultSettings is how the simulator behaves when nothing is said: retries
// at real delays, statuses as fast as with a good connection.
func DefaultSettings() simulator.Settings {
	return simulator.Settings{
		RetryScale:     1,
		SentDelay:      simulator.Duration(50 * time.Millisecond),
		DeliveredDelay: simulator.Duration(150 * time.Millisecond),
		ReadDelay:      simulator.Duration(400 * time.Millisecond),
	}
}

// maxChats bounds the phones that are remembered.
const maxChats = 10_000

// Server is a simulator.
type Server struct {
	Graph    *graph.API
	Bots     *botapi.API
	webhooks *webhook.Deliverer
	control  http.Handler
	page     http.Handler
	stopping chan struct{}
}

// New puts a simulator together. Close it when done.
func New(o Options) *Server {
	settings := &atomic.Pointer[simulator.Settings]{}
	settings.Store(&o.Settings)
	calls := ring.New[simulator.Call](o.History)
	attempts := ring.New[simulator.Delivery](o.History)
	store := chat.NewStore(chat.Limits{Messages: o.History, Chats: maxChats, Events: o.History})
	shelf := media.NewShelf()
	ordered := faults.NewSet()
	desk := exchange.Desk{Faults: ordered, Journal: calls}
	webhooks := webhook.New(o.Transport, attempts, func() float64 { return settings.Load().RetryScale })

	s := &Server{webhooks: webhooks, page: web.Handler(), stopping: make(chan struct{})}
	s.Graph = graph.New(desk, store, shelf, webhooks, func() simulator.Settings { return *settings.Load() }, o.WebhookURL)
	s.Bots = botapi.New(desk, store, shelf, webhooks, o.WebhookURL)
	s.control = (&control.API{
		Graph: s.Graph, Bots: s.Bots, Store: store, Shelf: shelf, Faults: ordered,
		Calls: calls, Attempts: attempts, Webhooks: webhooks, Settings: settings, Stopping: s.stopping,
	}).Handler()
	return s
}

// Close stops everything that goes on by itself.
func (s *Server) Close() {
	close(s.stopping)
	s.Graph.Close()
	s.webhooks.Close()
}

// ServeHTTP tells the APIs apart by their paths. It is no ServeMux, because
// Telegram's /bot<token>/<method> is no pattern of one.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, control.Prefix+"/"):
		s.control.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/bot"), strings.HasPrefix(path, "/file/bot"):
		s.Bots.ServeHTTP(w, r)
	case strings.HasPrefix(path, graph.AttachmentPath), len(path) > 2 && path[1] == 'v' && path[2] >= '0' && path[2] <= '9':
		s.Graph.ServeHTTP(w, r)
	default:
		s.page.ServeHTTP(w, r)
	}
}

// Run serves on addr until ctx ends. Ready is called once it listens.
func (s *Server) Run(ctx context.Context, addr string, ready func(net.Addr)) error {
	defer s.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stopped := context.AfterFunc(ctx, func() {
		// Streams and hanging calls never end by themselves.
		_ = server.Close()
	})
	defer stopped()
	ready(listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
