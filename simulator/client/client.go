// Package client is a small Go client of the simulator's HTTP API, for the
// terminal chat and for tests.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/knobot/knobot/simulator"
)

const prefix = "/simulator/v1"

// Client talks to one simulator. It may be used concurrently.
type Client struct {
	base string
	http *http.Client
}

// New returns a client of the simulator at base, such as
// http://127.0.0.1:9800. A nil client means net/http's default one.
func New(base string, client *http.Client) *Client {
	if client == nil {
		client = http.DefaultClient
	}
	return &Client{base: strings.TrimSuffix(base, "/"), http: client}
}

// Error is a refusal by the simulator.
type Error struct {
	Status  int
	Message string
}

// Error returns the simulator's sentence.
func (e *Error) Error() string { return fmt.Sprintf("simulator: %s (%d)", e.Message, e.Status) }

// Health returns nil once the simulator serves.
func (c *Client) Health(ctx context.Context) error {
	return c.do(ctx, http.MethodGet, "/health", nil, nil)
}

// PendingWebhooks returns how many webhooks still wait for their
// acknowledgement.
func (c *Client) PendingWebhooks(ctx context.Context) (int, error) {
	var health struct {
		Pending int `json:"pending_webhooks"`
	}
	err := c.do(ctx, http.MethodGet, "/health", nil, &health)
	return health.Pending, err
}

// Accounts lists the numbers and bots, without their secrets.
func (c *Client) Accounts(ctx context.Context) (simulator.Accounts, error) {
	var accounts simulator.Accounts
	err := c.do(ctx, http.MethodGet, "/accounts", nil, &accounts)
	return accounts, err
}

// AddNumber adds a WhatsApp number.
func (c *Client) AddNumber(ctx context.Context, n simulator.Number) (simulator.Number, error) {
	var added simulator.Number
	err := c.do(ctx, http.MethodPost, "/numbers", n, &added)
	return added, err
}

// AddBot adds a Telegram bot.
func (c *Client) AddBot(ctx context.Context, b simulator.Bot) (simulator.Bot, error) {
	var added simulator.Bot
	err := c.do(ctx, http.MethodPost, "/bots", b, &added)
	return added, err
}

// Verify does WhatsApp's webhook handshake for a number.
func (c *Client) Verify(ctx context.Context, number string) (simulator.Answer, error) {
	var answer simulator.Answer
	err := c.do(ctx, http.MethodPost, "/numbers/"+url.PathEscape(number)+"/verify", nil, &answer)
	return answer, err
}

// Say lets a customer write, and returns the message as the phone shows it.
func (c *Client) Say(ctx context.Context, u simulator.Utterance) (simulator.Message, error) {
	var said simulator.Message
	err := c.do(ctx, http.MethodPost, "/messages", u, &said)
	return said, err
}

// SayTogether delivers several WhatsApp messages in one webhook.
func (c *Client) SayTogether(ctx context.Context, all []simulator.Utterance) ([]simulator.Message, error) {
	var said []simulator.Message
	err := c.do(ctx, http.MethodPost, "/batches", map[string]any{"messages": all}, &said)
	return said, err
}

// Press lets a customer press a button.
func (c *Client) Press(ctx context.Context, p simulator.Press) (simulator.Message, error) {
	var pressed simulator.Message
	err := c.do(ctx, http.MethodPost, "/presses", p, &pressed)
	return pressed, err
}

// Move gives a WhatsApp customer another number or user id, and returns the chat
// in which the talk goes on.
func (c *Client) Move(ctx context.Context, m simulator.Move) (simulator.ChatInfo, error) {
	var info simulator.ChatInfo
	err := c.do(ctx, http.MethodPost, "/moves", m, &info)
	return info, err
}

// Connect connects a Telegram Business account to a bot, or changes the
// connection.
func (c *Client) Connect(ctx context.Context, connection simulator.Connection) (simulator.Connection, error) {
	var connected simulator.Connection
	err := c.do(ctx, http.MethodPost, "/connections", connection, &connected)
	return connected, err
}

// Raw delivers a payload as it stands, once, and returns the answer to it.
func (c *Client) Raw(ctx context.Context, raw simulator.Raw) (simulator.Answer, error) {
	var answer simulator.Answer
	err := c.do(ctx, http.MethodPost, "/raw", raw, &answer)
	return answer, err
}

// Upload keeps a file that customers can send.
func (c *Client) Upload(ctx context.Context, content []byte, mimeType, filename string) (simulator.Media, error) {
	var kept simulator.Media
	path := "/media?" + url.Values{"filename": {filename}}.Encode()
	err := c.send(ctx, http.MethodPost, path, bytes.NewReader(content), mimeType, &kept)
	return kept, err
}

// Chats lists the chats, the most recently active first.
func (c *Client) Chats(ctx context.Context, f Filter) ([]simulator.ChatInfo, error) {
	var chats []simulator.ChatInfo
	err := c.do(ctx, http.MethodGet, "/chats?"+f.query(), nil, &chats)
	return chats, err
}

// Messages returns the messages of a chat with numbers above after.
func (c *Client) Messages(ctx context.Context, chat simulator.Chat, after int64) ([]simulator.Message, error) {
	var messages []simulator.Message
	path := chatPath(chat) + "/messages?after=" + strconv.FormatInt(after, 10)
	err := c.do(ctx, http.MethodGet, path, nil, &messages)
	return messages, err
}

// SetPhone opens or closes the customer's phone, or blocks the business.
func (c *Client) SetPhone(ctx context.Context, chat simulator.Chat, phone simulator.Phone) (simulator.ChatInfo, error) {
	var info simulator.ChatInfo
	err := c.do(ctx, http.MethodPatch, chatPath(chat), phone, &info)
	return info, err
}

// Journal returns the calls that the program under test made.
func (c *Client) Journal(ctx context.Context, f Filter) ([]simulator.Call, error) {
	var calls []simulator.Call
	err := c.do(ctx, http.MethodGet, "/journal?"+f.query(), nil, &calls)
	return calls, err
}

// Deliveries returns the attempts to deliver webhooks.
func (c *Client) Deliveries(ctx context.Context, f Filter) ([]simulator.Delivery, error) {
	var attempts []simulator.Delivery
	err := c.do(ctx, http.MethodGet, "/deliveries?"+f.query(), nil, &attempts)
	return attempts, err
}

// Faults lists the faults that are still to come.
func (c *Client) Faults(ctx context.Context) ([]simulator.Fault, error) {
	var list []simulator.Fault
	err := c.do(ctx, http.MethodGet, "/faults", nil, &list)
	return list, err
}

// AddFault orders a fault.
func (c *Client) AddFault(ctx context.Context, f simulator.Fault) (simulator.Fault, error) {
	var added simulator.Fault
	err := c.do(ctx, http.MethodPost, "/faults", f, &added)
	return added, err
}

// RemoveFault calls one fault off.
func (c *Client) RemoveFault(ctx context.Context, id int64) error {
	return c.do(ctx, http.MethodDelete, "/faults/"+strconv.FormatInt(id, 10), nil, nil)
}

// ClearFaults calls all faults off.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/faults", nil, nil)
}

// Settings returns the settings.
func (c *Client) Settings(ctx context.Context) (simulator.Settings, error) {
	var s simulator.Settings
	err := c.do(ctx, http.MethodGet, "/settings", nil, &s)
	return s, err
}

// ChangeSettings replaces the settings.
func (c *Client) ChangeSettings(ctx context.Context, s simulator.Settings) error {
	return c.do(ctx, http.MethodPatch, "/settings", s, nil)
}

// Filter narrows lists and streams down; zero members match everything.
type Filter struct {
	simulator.Chat
	// Method is that of a journal's call.
	Method string
	// After skips entries up to that number. A stream of events starts now when
	// it is 0, and with the oldest event that is kept when it is negative.
	After int64
}

func (f Filter) query() string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("platform", string(f.Platform))
	set("account", f.Account)
	set("user", f.User)
	set("method", f.Method)
	if f.After != 0 {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	return q.Encode()
}

func chatPath(c simulator.Chat) string {
	return "/chats/" + url.PathEscape(string(c.Platform)) + "/" + url.PathEscape(c.Account) + "/" + url.PathEscape(c.User)
}

func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	return c.send(ctx, method, path, body, "application/json", out)
}

func (c *Client) send(ctx context.Context, method, path string, body io.Reader, contentType string, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+prefix+path, body)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return refusal(response)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("decode the simulator's answer: %w", err)
	}
	return nil
}

func refusal(response *http.Response) error {
	var answer struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&answer) != nil || answer.Error == "" {
		answer.Error = http.StatusText(response.StatusCode)
	}
	return &Error{Status: response.StatusCode, Message: answer.Error}
}
