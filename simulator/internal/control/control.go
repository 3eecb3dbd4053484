// Package control is the simulator's own HTTP API under /simulator/v1: what
// people, the web page, the terminal chat and tests use to act as customers, to
// watch the phones and to order faults.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/botapi"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/graph"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/ring"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// Prefix is where the API lives.
const Prefix = "/simulator/v1"

const maxBody = 8 << 20

// network is one platform, as customers use it.
type network interface {
	Say(u simulator.Utterance) (simulator.Message, error)
	Press(p simulator.Press) (simulator.Message, error)
	OpenPhone(where simulator.Chat, phone simulator.Phone) (simulator.ChatInfo, error)
	Raw(ctx context.Context, raw simulator.Raw, body []byte) (simulator.Answer, error)
}

// API is the control API.
type API struct {
	Graph    *graph.API
	Bots     *botapi.API
	Store    *chat.Store
	Shelf    *media.Shelf
	Faults   *faults.Set
	Calls    *ring.Log[simulator.Call]
	Attempts *ring.Log[simulator.Delivery]
	Webhooks *webhook.Deliverer
	Settings *atomic.Pointer[simulator.Settings]
	// Stopping ends the event streams.
	Stopping <-chan struct{}
}

// Handler routes the API. Other sites' pages may not use it, although it
// listens on loopback, where their scripts could reach it.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range a.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := handle(w, r); err != nil {
				fail(w, err)
			}
		})
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

type handler func(w http.ResponseWriter, r *http.Request) error

func (a *API) routes() map[string]handler {
	const chats = Prefix + "/chats/{platform}/{account}/{user}"
	return map[string]handler{
		"GET " + Prefix + "/health":               a.health,
		"GET " + Prefix + "/accounts":             a.accounts,
		"POST " + Prefix + "/numbers":             a.addNumber,
		"POST " + Prefix + "/numbers/{id}/verify": a.verify,
		"POST " + Prefix + "/bots":                a.addBot,
		"POST " + Prefix + "/messages":            a.say,
		"POST " + Prefix + "/batches":             a.sayTogether,
		"POST " + Prefix + "/presses":             a.press,
		"POST " + Prefix + "/moves":               a.move,
		"POST " + Prefix + "/connections":         a.connect,
		"POST " + Prefix + "/raw":                 a.raw,
		"POST " + Prefix + "/media":               a.addMedia,
		"GET " + Prefix + "/media/{id}":           a.getMedia,
		"GET " + Prefix + "/chats":                a.listChats,
		"PATCH " + chats:                          a.changePhone,
		"GET " + chats + "/messages":              a.listMessages,
		"GET " + Prefix + "/events":               a.events,
		"GET " + Prefix + "/journal":              a.journal,
		"GET " + Prefix + "/deliveries":           a.deliveries,
		"GET " + Prefix + "/faults":               a.listFaults,
		"POST " + Prefix + "/faults":              a.addFault,
		"DELETE " + Prefix + "/faults":            a.removeFaults,
		"DELETE " + Prefix + "/faults/{id}":       a.removeFault,
		"GET " + Prefix + "/settings":             a.getSettings,
		"PATCH " + Prefix + "/settings":           a.changeSettings,
	}
}

func (a *API) network(platform simulator.Platform) (network, error) {
	switch platform {
	case simulator.WhatsApp:
		return a.Graph, nil
	case simulator.Telegram:
		return a.Bots, nil
	default:
		return nil, fmt.Errorf("platform must be whatsapp or telegram, not %q", platform)
	}
}

// decode reads a JSON body. Unknown members are refused, so that a mistyped
// name is no silent default.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is not what this route takes: %w", err)
	}
	return nil
}

func respond(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone; there is nobody to tell
	return nil
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	for _, missing := range []error{chat.ErrNoChat, chat.ErrNoMessage, chat.ErrNoAccount} {
		if errors.Is(err, missing) {
			status = http.StatusNotFound
		}
	}
	_ = respond(w, status, map[string]string{"error": err.Error()})
}
