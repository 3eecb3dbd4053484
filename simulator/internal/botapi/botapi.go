// Package botapi imitates Telegram's Bot API: the methods that a chat bot
// needs, and the updates that its webhook gets. It refuses what the real
// server refuses; rules and wording follow core.telegram.org/bots/api (10.1,
// 11 June 2026) and the public server (tdlib/telegram-bot-api 10.0).
package botapi

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/quota"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// DefaultPath is where KnoBot receives Telegram's webhooks.
const DefaultPath = "/api/integrations/webhooks/telegram/"

// API is the fake Bot API.
type API struct {
	desk     exchange.Desk
	store    *chat.Store
	shelf    *media.Shelf
	webhooks *webhook.Deliverer
	base     string
	meter    *quota.Meter
	token    *regexp.Regexp
	methods  map[string]method

	mu   sync.Mutex
	bots []*bot
}

// bot is one bot with what changes about it; guarded by API.mu.
type bot struct {
	simulator.Bot
	hook        hook
	nextSetHook time.Time
	lastMessage int64
	lastUpdate  int64
	callbacks   map[string]callback
	connections map[string]simulator.Connection
}

type callback struct {
	chat simulator.Chat
	time time.Time
}

// New returns an API without bots. Base is where webhooks go by default.
func New(desk exchange.Desk, store *chat.Store, shelf *media.Shelf, webhooks *webhook.Deliverer, base string) *API {
	a := &API{
		desk: desk, store: store, shelf: shelf, webhooks: webhooks, base: strings.TrimSuffix(base, "/"),
		meter: quota.NewMeter(), token: regexp.MustCompile(`^[0-9]{1,16}:[A-Za-z0-9_-]+$`),
	}
	a.methods = a.table()
	return a
}

// AddBot adds a bot, or replaces the one with its id. A bot that comes with a
// secret token has its webhook set already; another one keeps its updates
// until setWebhook is called.
func (a *API) AddBot(b simulator.Bot) (simulator.Bot, error) {
	if !a.token.MatchString(b.Token) {
		return simulator.Bot{}, errors.New("a bot needs a token like 123456:ABC")
	}
	b.ID, _, _ = strings.Cut(b.Token, ":")
	if b.Name == "" {
		b.Name = "KnoBot"
	}
	if b.Username == "" {
		b.Username = "knobot_" + b.ID + "_bot"
	}
	// Ids follow the clock, so that a simulator that was restarted does not use
	// those again that the program under test remembers.
	first := time.Now().Unix() * 64 % (1 << 30)
	added := &bot{Bot: b, lastMessage: first, lastUpdate: first, callbacks: make(map[string]callback)}
	added.connections = make(map[string]simulator.Connection)
	added.hook = hook{connections: defaultConnections, allowed: defaultUpdates()}
	if b.WebhookURL != "" || b.SecretToken != "" {
		added.hook.url, added.hook.secret = b.WebhookURL, b.SecretToken
		if b.WebhookURL == "" {
			added.hook.url = a.base + DefaultPath
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, old := range a.bots {
		if old.ID == b.ID {
			a.bots[i] = added
			return b.Public(), nil
		}
	}
	a.bots = append(a.bots, added)
	return b.Public(), nil
}

// Bots lists the bots without their secrets.
func (a *API) Bots() []simulator.Bot {
	a.mu.Lock()
	defer a.mu.Unlock()
	public := make([]simulator.Bot, 0, len(a.bots))
	for _, b := range a.bots {
		shown := b.Public()
		shown.WebhookURL = b.hook.url
		public = append(public, shown)
	}
	return public
}

// bot returns one bot, the first when id is empty.
func (a *API) bot(id string) (*bot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.bots {
		if b.ID == id || id == "" {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%w: bot %q", chat.ErrNoAccount, id)
}

func (a *API) authorize(token string) (*bot, *failure) {
	if !a.token.MatchString(token) {
		return nil, &failure{code: http.StatusNotFound, description: "Not Found"}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.bots {
		if subtle.ConstantTimeCompare([]byte(b.Token), []byte(token)) == 1 {
			return b, nil
		}
	}
	return nil, &failure{code: http.StatusUnauthorized, description: "Unauthorized"}
}

// ServeHTTP answers /bot<token>/<method> and /file/bot<token>/<path>.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
		token, name, _ := strings.Cut(path, "/")
		a.download(w, r, token, name)
		return
	}
	token, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	call := exchange.Call{Method: name}
	call.Chat.Platform = simulator.Telegram
	b, failed := a.authorize(token)
	if failed != nil {
		a.desk.Serve(w, r, call, refuse, replyWith(failed))
		return
	}
	call.Chat.Account = b.ID
	// "All methods in the Bot API are case-insensitive."
	m, ok := a.methods[strings.ToLower(name)]
	if !ok {
		a.desk.Serve(w, r, call, refuse, replyWith(&failure{http.StatusNotFound, "Not Found: method not found", nil}))
		return
	}
	args, failed := decode(w, r)
	if failed != nil {
		a.desk.Serve(w, r, call, refuse, replyWith(failed))
		return
	}
	call.Method, call.Request, call.Sends = m.name, args.journal(), m.sends
	call.Chat.User = chatName(args)
	a.desk.Serve(w, r, call, refuse, func(simulator.Fault) exchange.Reply { return a.carryOut(m, b, args) })
}

func (a *API) carryOut(m method, b *bot, args arguments) exchange.Reply {
	for _, name := range m.required {
		if !args.has(name) {
			return missing(name).reply()
		}
	}
	done, failed := m.run(b, args)
	if failed != nil {
		return failed.reply()
	}
	return done.reply()
}

func chatOf(b *bot, user string) simulator.Chat {
	return simulator.Chat{Platform: simulator.Telegram, Account: b.ID, User: user}
}
