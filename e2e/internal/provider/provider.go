// Package provider is a Graph API and a Bot API in one that take every send, from whomever and to whomever, and remember it.
// The simulator knows customers and their windows and refuses what the platforms would refuse; here a test may answer a
// customer who never wrote.
package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/knobot/knobot/simulator"
)

// BotUsername is the name of every bot here: that of the bot which recorded updates speak to.
const BotUsername = "knobot_test_bot"

// Call is one call of the program under test.
type Call struct {
	Platform simulator.Platform
	// Method is the Bot API's, or for the Graph API messages, read or typing.
	Method string
	// Body is the JSON that was sent.
	Body json.RawMessage
}

// Text returns a member of the body as it would be written in a URL, empty if it is missing.
func (c Call) Text(name string) string {
	var body map[string]json.RawMessage
	if json.Unmarshal(c.Body, &body) != nil {
		return ""
	}
	var s string
	if json.Unmarshal(body[name], &s) == nil {
		return s
	}
	return string(body[name])
}

// Provider is a running one.
type Provider struct {
	URL string

	mu    sync.Mutex
	calls []Call
}

// Start starts one that ends with the test.
func Start(t *testing.T) *Provider {
	t.Helper()
	p := &Provider{}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Environment points channels at it.
func (p *Provider) Environment() map[string]string {
	return map[string]string{"WHATSAPP_API_URL": p.URL, "TELEGRAM_API_URL": p.URL}
}

// Calls returns what was called so far, in order.
func (p *Provider) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call(nil), p.calls...)
}

func (p *Provider) keep(c Call) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	return len(p.calls)
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		body = nil // uploads are not looked into
	}
	w.Header().Set("Content-Type", "application/json")
	if rest, ok := strings.CutPrefix(r.URL.Path, "/bot"); ok {
		_, method, _ := strings.Cut(rest, "/")
		p.bot(w, method, body)
		return
	}
	p.graph(w, r, body)
}

// bot answers a method of the Bot API. What puts a message into a chat is answered by that message, the rest by true.
func (p *Provider) bot(w io.Writer, method string, body []byte) {
	call := Call{Platform: simulator.Telegram, Method: method, Body: body}
	n := p.keep(call)
	switch {
	case method == "getMe":
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"id":7000000001,"is_bot":true,"first_name":"KnoBot","username":%q}}`, BotUsername)
	case method == "getWebhookInfo":
		_, _ = io.WriteString(w, `{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}`)
	case method == "getFile":
		_, _ = io.WriteString(w, `{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}`)
	case strings.HasPrefix(method, "send") && method != "sendChatAction" && method != "sendMessageDraft":
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":%s,"type":"private"}}}`,
			1_000_000+n, orNull(call.Text("chat_id")))
	default:
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	}
}

func orNull(number string) string {
	if number == "" {
		return "null"
	}
	return number
}

// graph answers a call of the Graph API. No file is here: what a customer sent has been deleted meanwhile.
func (p *Provider) graph(w http.ResponseWriter, r *http.Request, body []byte) {
	call := Call{Platform: simulator.WhatsApp, Method: r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], Body: body}
	switch {
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"message":"(#100) Unsupported get request","type":"GraphMethodException","code":100}}`)
	case call.Text("status") == "read":
		call.Method = "read"
		if call.Text("typing_indicator") != "" {
			call.Method = "typing"
		}
		p.keep(call)
		_, _ = io.WriteString(w, `{"success":true}`)
	default:
		n := p.keep(call)
		to, _ := json.Marshal(call.Text("to"))
		_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%s,"wa_id":%s}],"messages":[{"id":"wamid.taken.%d"}],`+
			`"id":"media%d"}`, to, to, n, n)
	}
}
