package botapi

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
)

const defaultConnections = 40

// hook is a bot's webhook.
type hook struct {
	url         string
	secret      string
	connections int
	allowed     []string
	// explicit says that allowed was asked for.
	explicit  bool
	lastError time.Time
	lastText  string
}

type hookInfo struct {
	URL            string   `json:"url"`
	Certificate    bool     `json:"has_custom_certificate"`
	Pending        int      `json:"pending_update_count"`
	IP             string   `json:"ip_address,omitempty"`
	LastErrorDate  int64    `json:"last_error_date,omitempty"`
	LastError      string   `json:"last_error_message,omitempty"`
	MaxConnections int      `json:"max_connections,omitempty"`
	Allowed        []string `json:"allowed_updates,omitempty"`
}

// knownUpdates are the kinds that can be asked for; unknown names are skipped
// without a word.
func knownUpdates() []string {
	return append(defaultUpdates(), "chat_member", "message_reaction", "message_reaction_count")
}

// defaultUpdates is what a bot gets that asked for nothing: "all update types
// except chat_member, message_reaction, and message_reaction_count".
func defaultUpdates() []string {
	return []string{
		"message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
		"edited_business_message", "deleted_business_messages", "inline_query", "chosen_inline_result", "callback_query",
		"shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "my_chat_member",
		"chat_join_request", "chat_boost", "removed_chat_boost", "stopped_message_generation",
	}
}

func (a *API) setWebhook(b *bot, args arguments) (result, *failure) {
	address := args.get("url")
	if address == "" {
		return a.deleteWebhook(b, args)
	}
	if failed := checkHook(address, args.get("secret_token")); failed != nil {
		return result{}, failed
	}
	next := hook{url: address, secret: args.get("secret_token"), connections: defaultConnections}
	if n, ok := args.integer("max_connections"); ok {
		next.connections = int(min(max(n, 1), 100))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Before(b.nextSetHook) {
		return result{}, tooMany(1)
	} else {
		b.nextSetHook = now.Add(time.Second)
	}
	next.allowed, next.explicit = allowed(args, b.hook)
	done := result{value: true, description: "Webhook was set"}
	if next.url == b.hook.url && next.secret == b.hook.secret && next.connections == b.hook.connections {
		done.description = "Webhook is already set"
	}
	b.hook = next
	if args.truth("drop_pending_updates") {
		a.webhooks.Discard(simulator.Telegram, b.ID)
	}
	done.after = a.webhooks.Kick
	return done, nil
}

// checkHook refuses addresses that Telegram refuses, except that loopback may
// be plain HTTP on any port: otherwise nothing on this machine could be tried.
func checkHook(address, secret string) *failure {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return badRequest("bad webhook: invalid webhook URL specified")
	case !loopback(u.Hostname()) && u.Scheme != "https":
		return badRequest("bad webhook: An HTTPS URL must be provided for webhook")
	case !loopback(u.Hostname()) && !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()):
		return badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	case len(secret) > 256:
		return badRequest("secret token is too long")
	case strings.TrimFunc(secret, tokenRune) != "" || strings.IndexFunc(secret, notTokenRune) >= 0:
		return badRequest("secret token contains unallowed characters")
	}
	return nil
}

func tokenRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' || r == '-'
}

func notTokenRune(r rune) bool { return !tokenRune(r) }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// allowed reads allowed_updates: absent keeps the list there is, an empty list
// means the default.
func allowed(args arguments, old hook) ([]string, bool) {
	var names []string
	if !args.has("allowed_updates") || json.Unmarshal([]byte(args.get("allowed_updates")), &names) != nil {
		return old.allowed, old.explicit
	}
	known := knownUpdates()
	names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(known, name) })
	if len(names) == 0 {
		return defaultUpdates(), false
	}
	return names, true
}

func (a *API) deleteWebhook(b *bot, args arguments) (result, *failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := result{value: true, description: "Webhook was deleted"}
	if b.hook.url == "" {
		done.description = "Webhook is already deleted"
	}
	b.hook = hook{connections: defaultConnections, allowed: b.hook.allowed, explicit: b.hook.explicit}
	if args.truth("drop_pending_updates") {
		a.webhooks.Discard(simulator.Telegram, b.ID)
	}
	return done, nil
}

func (a *API) getWebhookInfo(b *bot, _ arguments) (result, *failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	info := hookInfo{URL: b.hook.url, Pending: a.webhooks.PendingOf(simulator.Telegram, b.ID)}
	if b.hook.explicit {
		info.Allowed = b.hook.allowed
	}
	if info.URL == "" {
		return result{value: info}, nil
	}
	info.MaxConnections = b.hook.connections
	if u, err := url.Parse(info.URL); err == nil && net.ParseIP(u.Hostname()) != nil {
		info.IP = u.Hostname()
	}
	if !b.hook.lastError.IsZero() {
		info.LastErrorDate, info.LastError = b.hook.lastError.Unix(), b.hook.lastText
	}
	return result{value: info}, nil
}

// failed keeps what getWebhookInfo tells of the last failure.
func (a *API) failed(b *bot, attempt simulator.Delivery) {
	text := "Connection failed: " + attempt.Error
	if attempt.Status > 0 {
		text = "Wrong response from the webhook: " + statusLine(attempt.Status)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b.hook.lastError, b.hook.lastText = attempt.Time, text
}

func statusLine(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
