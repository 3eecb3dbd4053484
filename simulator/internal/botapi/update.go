package botapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// update is something to tell a bot.
type update struct {
	kind         string
	value        any
	chat         simulator.Chat
	name         string
	lane         string
	copies       int
	lifetime     time.Duration
	acknowledged func()
}

// deliver numbers an update and queues it behind the chat's others.
func (a *API) deliver(b *bot, u update) {
	fault, _ := a.desk.Faults.Take(faults.Webhook, u.chat, strings.Fields(u.name)[0], true)
	if fault.Kind == simulator.FaultWebhookNever {
		return
	}
	copies, wait := max(u.copies, 1), time.Duration(0)
	switch fault.Kind {
	case simulator.FaultWebhookDuplicate:
		copies = fault.Copies
	case simulator.FaultWebhookLate:
		wait = time.Duration(fault.Delay)
	}
	a.mu.Lock()
	defer a.mu.Unlock() // numbers and queues in one step, so that ids ascend within a chat
	if !slices.Contains(b.hook.allowed, u.kind) {
		return
	}
	b.lastUpdate++
	body, err := json.Marshal(map[string]any{"update_id": b.lastUpdate, u.kind: u.value})
	if err != nil { // values are plain or valid JSON
		panic(err)
	}
	policy := webhook.Telegram(b.hook.connections)
	if u.lifetime > 0 {
		policy.Lifetime = u.lifetime
	}
	for range copies {
		a.webhooks.Deliver(webhook.Event{
			Chat: u.chat, Name: u.name, Body: body, Lane: b.ID + "/" + u.lane, Policy: policy,
			Target: func() (webhook.Target, bool) { return a.destination(b, "") },
			Wait:   wait, Acknowledged: u.acknowledged,
			Failed: func(attempt simulator.Delivery) { a.failed(b, attempt) },
		})
	}
}

// destination is where the bot's updates go now.
func (a *API) destination(b *bot, signature simulator.Signature) (webhook.Target, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	header := http.Header{"Content-Type": {"application/json"}}
	if b.hook.secret != "" && signature != simulator.SignatureMissing {
		secret := b.hook.secret
		if signature == simulator.SignatureWrong {
			secret += "-wrong"
		}
		header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	return webhook.Target{URL: b.hook.url, Header: header}, b.hook.url != ""
}

// Raw delivers a body as it stands, once, and returns the answer.
func (a *API) Raw(ctx context.Context, raw simulator.Raw, body []byte) (simulator.Answer, error) {
	b, err := a.bot(raw.Account)
	if err != nil {
		return simulator.Answer{}, err
	}
	target, ok := a.destination(b, raw.Signature)
	if !ok {
		return simulator.Answer{}, errors.New("the bot has no webhook")
	}
	return a.webhooks.Once(ctx, http.MethodPost, target, body, webhook.Telegram(1))
}

// number makes a random decimal number.
func number(below int64) string {
	n, err := rand.Int(rand.Reader, big.NewInt(below))
	if err != nil { // crypto/rand never fails on supported systems
		panic(err)
	}
	return n.String()
}
