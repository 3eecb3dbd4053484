// Package graph imitates the part of Meta's Graph API that a WhatsApp business
// uses: sending, marking as read, media, and the webhooks that tell of
// messages and statuses. Shapes and limits follow the WhatsApp Cloud API
// documentation of September 2026 (Graph API v26.0).
package graph

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/quota"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// DefaultPath is where KnoBot receives WhatsApp's webhooks.
const DefaultPath = "/api/integrations/webhooks/whatsapp/"

// AttachmentPath is where files are downloaded from, as on Meta's
// lookaside.fbsbx.com.
const AttachmentPath = "/whatsapp_business/attachments/"

const maxJSON = 1 << 20

// API is the fake Graph API.
type API struct {
	desk     exchange.Desk
	store    *chat.Store
	shelf    *media.Shelf
	webhooks *webhook.Deliverer
	settings func() simulator.Settings
	base     string
	meter    *quota.Meter
	version  *regexp.Regexp

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.RWMutex
	numbers []simulator.Number
	// held and baskets are what faults keep back, by number.
	held    map[string]*heldback
	baskets map[string]*heldback
}

// New returns an API without numbers. Base is where webhooks go by default.
func New(desk exchange.Desk, store *chat.Store, shelf *media.Shelf, webhooks *webhook.Deliverer,
	settings func() simulator.Settings, base string,
) *API {
	ctx, cancel := context.WithCancel(context.Background())
	return &API{
		desk: desk, store: store, shelf: shelf, webhooks: webhooks, settings: settings,
		base: strings.TrimSuffix(base, "/"), meter: quota.NewMeter(),
		version: regexp.MustCompile(`^v\d{1,2}\.\d$`), ctx: ctx, cancel: cancel,
		held: make(map[string]*heldback), baskets: make(map[string]*heldback),
	}
}

// Close stops the statuses that are still to come.
func (a *API) Close() {
	a.mu.Lock()
	a.cancel() // under the lock, so that nothing starts after it
	a.mu.Unlock()
	a.running.Wait()
}

// after runs f on its own unless the API is closing.
func (a *API) after(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() == nil {
		a.running.Go(f)
	}
}

// AddNumber adds a number, or replaces the one with its id.
func (a *API) AddNumber(n simulator.Number) (simulator.Number, error) {
	if !digits(n.ID) || n.AccessToken == "" {
		return simulator.Number{}, errors.New("a number needs an id of digits and an access_token")
	}
	if n.DisplayPhone == "" {
		n.DisplayPhone = "57601" + tail(n.ID, 7)
	}
	if n.BusinessID == "" {
		n.BusinessID = "4" + tail(n.ID, 14)
	}
	if n.WebhookURL == "" {
		n.WebhookURL = a.base + DefaultPath
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.numbers = slices.DeleteFunc(a.numbers, func(o simulator.Number) bool { return o.ID == n.ID })
	a.numbers = append(a.numbers, n)
	return n.Public(), nil
}

// Numbers lists the numbers without their secrets.
func (a *API) Numbers() []simulator.Number {
	a.mu.RLock()
	defer a.mu.RUnlock()
	public := make([]simulator.Number, 0, len(a.numbers))
	for _, n := range a.numbers {
		public = append(public, n.Public())
	}
	return public
}

// number returns one number, the first when id is empty.
func (a *API) number(id string) (simulator.Number, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, n := range a.numbers {
		if n.ID == id || id == "" {
			return n, nil
		}
	}
	return simulator.Number{}, fmt.Errorf("%w: number %q", chat.ErrNoAccount, id)
}

// ServeHTTP answers the API's routes: /{version}/{id}[/{edge}].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, AttachmentPath) {
		a.download(w, r)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || !a.version.MatchString(parts[0]) {
		write(w, unknownObject(strings.Trim(r.URL.Path, "/")).reply())
		return
	}
	id, edge := parts[1], strings.Join(parts[2:], "")
	if edge == methodSubscriptions && r.Method == http.MethodGet {
		a.subscriptions(w, r, id)
		return
	}
	owner, failed := a.authorize(r, id, edge != "" && edge != methodSubscribed)
	if failed == nil {
		failed = proven(r, owner)
	}
	if failed != nil {
		a.desk.Serve(w, r, exchange.Call{Chat: chatOf(id, ""), Method: edge}, a.refuse, replyWith(failed))
		return
	}
	switch r.Method + " " + edge {
	case "POST messages":
		a.messages(w, r, owner)
	case "POST media":
		a.upload(w, r, owner)
	case "GET ":
		a.object(w, r, owner, id)
	case "GET " + methodSubscribed:
		a.account(w, r, id)
	default:
		write(w, unknownObject(id).reply())
	}
}

// authorize checks the bearer token. An edge belongs to one number; other
// objects are open to every token.
func (a *API) authorize(r *http.Request, id string, edge bool) (simulator.Number, *failure) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return simulator.Number{}, invalidToken()
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	known := false
	for _, n := range a.numbers {
		if subtle.ConstantTimeCompare([]byte(n.AccessToken), []byte(token)) != 1 {
			continue
		}
		if known = true; n.ID == id || !edge {
			return n, nil
		}
	}
	if known {
		return simulator.Number{}, unknownObject(id)
	}
	return simulator.Number{}, invalidToken()
}

// refuse makes the error that a fault orders.
func (a *API) refuse(f simulator.Fault) exchange.Reply {
	if f.Kind == simulator.FaultThrottled {
		return failureOf(codeThroughput).reply()
	}
	failed := failureOf(f.Code)
	if f.Description != "" {
		failed.details = f.Description
	}
	return failed.reply()
}

func replyWith(f *failure) func(simulator.Fault) exchange.Reply {
	return func(simulator.Fault) exchange.Reply { return f.reply() }
}

func chatOf(number, user string) simulator.Chat {
	return simulator.Chat{Platform: simulator.WhatsApp, Account: number, User: user}
}

func write(w http.ResponseWriter, reply exchange.Reply) {
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// digitsOf keeps the digits of a text.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func tail(s string, n int) string {
	return s[max(len(s)-n, 0):]
}
