package channelstest

import (
	"context"
	"fmt"
	"sync"

	"github.com/knobot/knobot/services/channels"
)

// Provider is a provider of both platforms that records its calls.
type Provider struct {
	mu         sync.Mutex
	calls      []channels.SendRequest
	signals    []string
	answer     func(ctx context.Context, n int, r channels.SendRequest) (string, error)
	Webhook    channels.WebhookInfo
	Secret     string
	Bot        channels.Bot
	WebhookErr error
	DraftErr   error
	away       *channels.SendError
}

// NewProvider returns one that takes every message.
func NewProvider() *Provider { return &Provider{Bot: channels.Bot{Username: "knobot_bot"}} }

// Answer makes the provider answer its n-th call, from 1, as f says.
func (p *Provider) Answer(f func(ctx context.Context, n int, r channels.SendRequest) (string, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// Fail makes the next calls fail, one for each error, and all others succeed.
func (p *Provider) Fail(errs ...*channels.SendError) {
	done := len(p.Calls())
	p.Answer(func(_ context.Context, n int, _ channels.SendRequest) (string, error) {
		if k := n - done - 1; k < len(errs) && errs[k] != nil {
			return "", errs[k]
		}
		return messageID(n), nil
	})
}

// NoID makes the provider take every message without giving it an id.
func (p *Provider) NoID() {
	p.Answer(func(context.Context, int, channels.SendRequest) (string, error) { return "", nil })
}

// Calls returns what was sent.
func (p *Provider) Calls() []channels.SendRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]channels.SendRequest(nil), p.calls...)
}

// Signals returns the small calls, in words.
func (p *Provider) Signals() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.signals...)
}

// Away makes the provider answer the question whether it is there by an error, nil for yes.
func (p *Provider) Away(err *channels.SendError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = err
}

// Reach answers that question.
func (p *Provider) Reach(context.Context, channels.Credentials) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return p.away
	}
	return nil
}

// Send implements channels.Sender.
func (p *Provider) Send(ctx context.Context, _ channels.Credentials, r channels.SendRequest) (string, error) {
	p.mu.Lock()
	p.calls = append(p.calls, r)
	n, answer := len(p.calls), p.answer
	p.mu.Unlock()
	if answer != nil {
		return answer(ctx, n, r)
	}
	return messageID(n), nil
}

func messageID(n int) string { return fmt.Sprintf("message-%d", n) }

func (p *Provider) signal(format string, a ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signals = append(p.signals, fmt.Sprintf(format, a...))
	return p.WebhookErr
}

// MarkRead implements channels.ReadMarker.
func (p *Provider) MarkRead(_ context.Context, _ channels.Credentials, id string, typing bool) error {
	return p.signal("read %s typing=%t", id, typing)
}

// Typing implements channels.TypingIndicator.
func (p *Provider) Typing(_ context.Context, _ channels.Credentials, chat channels.TelegramChat) error {
	return p.signal("typing %d", chat.ID)
}

// ShowDraft implements channels.Drafter. It fails as DraftErr says.
func (p *Provider) ShowDraft(_ context.Context, _ channels.Credentials, chat channels.TelegramChat, id int64, part channels.Part) error {
	_ = p.signal("draft %d/%d %s", chat.ID, id, part.Text)
	return p.DraftErr
}

// AnswerButton implements channels.ButtonAnswerer.
func (p *Provider) AnswerButton(_ context.Context, _ channels.Credentials, id, text string) error {
	return p.signal("answer %s %q", id, text)
}

// SetWebhook implements channels.WebhookManager.
func (p *Provider) SetWebhook(_ context.Context, _ channels.Credentials, url, secret string) error {
	err := p.signal("set webhook %s", url)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Webhook.URL, p.Secret = url, secret
	return err
}

// DeleteWebhook implements channels.WebhookManager.
func (p *Provider) DeleteWebhook(context.Context, channels.Credentials) error {
	return p.signal("delete webhook")
}

// WebhookInfo implements channels.WebhookManager.
func (p *Provider) WebhookInfo(context.Context, channels.Credentials) (channels.WebhookInfo, error) {
	err := p.signal("webhook info")
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Webhook, err
}

// Me implements channels.WebhookManager.
func (p *Provider) Me(context.Context, channels.Credentials) (channels.Bot, error) {
	return p.Bot, p.signal("me")
}
