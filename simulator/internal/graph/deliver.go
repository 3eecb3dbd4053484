package graph

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// parcel is something to tell a business.
type parcel struct {
	chat simulator.Chat
	// name begins with the word by which faults know it.
	name         string
	values       []value
	acknowledged func()
}

// add joins another parcel's changes to this one.
func (p *parcel) add(other parcel) {
	if p.name == "" {
		p.chat, p.name = other.chat, other.name
	}
	p.values = append(p.values, other.values...)
	first, second := p.acknowledged, other.acknowledged
	p.acknowledged = func() {
		for _, call := range []func(){first, second} {
			if call != nil {
				call()
			}
		}
	}
}

// deliver sends a parcel to the number's webhook, unless a fault has it
// otherwise.
func (a *API) deliver(n simulator.Number, p parcel) {
	fault, _ := a.desk.Faults.Take(faults.Webhook, p.chat, strings.Fields(p.name)[0], true)
	switch fault.Kind {
	case simulator.FaultWebhookNever:
	case simulator.FaultWebhookBatch:
		a.gather(n, p, fault)
	case simulator.FaultWebhookReorder:
		a.hold(n, p, time.Duration(fault.Delay))
	case simulator.FaultWebhookLate:
		a.ship(n, p, time.Duration(fault.Delay), 1)
	case simulator.FaultWebhookDuplicate:
		a.ship(n, p, 0, fault.Copies)
	default:
		a.ship(n, p, 0, 1)
	}
}

// ship hands a parcel over to the deliverer, signed, and what waited for it.
func (a *API) ship(n simulator.Number, p parcel, wait time.Duration, copies int) {
	body := payload(n, p.values...)
	target := webhook.Target{URL: n.WebhookURL, Header: headers(n, body, simulator.SignatureValid)}
	sent := make(chan struct{})
	var once sync.Once
	event := webhook.Event{
		Chat: p.chat, Name: p.name, Body: body, Policy: webhook.WhatsApp(), Wait: wait,
		Acknowledged: func() {
			if p.acknowledged != nil {
				p.acknowledged()
			}
			once.Do(func() { close(sent) })
		},
		Target: func() (webhook.Target, bool) { return target, true },
	}
	for range copies {
		a.webhooks.Deliver(event)
	}
	if held, ok := a.release(n.ID, nil); ok {
		a.after(func() {
			select {
			case <-sent:
				a.ship(n, held.parcel, 0, 1)
			case <-a.ctx.Done():
			}
		})
	}
}

// headers are those of Meta's webhooks. A number without an app secret sends
// unsigned, which a receiver must allow in words.
func headers(n simulator.Number, body []byte, signature simulator.Signature) http.Header {
	header := http.Header{
		"Content-Type": {"application/json"},
		"User-Agent":   {"facebookexternalua"},
	}
	if n.AppSecret == "" || signature == simulator.SignatureMissing {
		return header
	}
	secret := n.AppSecret
	if signature == simulator.SignatureWrong {
		secret += "?"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // never fails
	header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return header
}

// Raw delivers a body as it stands, once, and returns the answer.
func (a *API) Raw(ctx context.Context, raw simulator.Raw, body []byte) (simulator.Answer, error) {
	n, err := a.number(raw.Account)
	if err != nil {
		return simulator.Answer{}, err
	}
	target := webhook.Target{URL: n.WebhookURL, Header: headers(n, body, raw.Signature)}
	return a.webhooks.Once(ctx, http.MethodPost, target, body, webhook.WhatsApp())
}

// Verify does the handshake with which Meta checks a new webhook URL.
func (a *API) Verify(ctx context.Context, id string) (simulator.Answer, error) {
	n, err := a.number(id)
	if err != nil {
		return simulator.Answer{}, err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1e10))
	if err != nil {
		return simulator.Answer{}, fmt.Errorf("make a challenge: %w", err)
	}
	challenge := number.String()
	query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {n.VerifyToken}}
	target := webhook.Target{URL: n.WebhookURL + "?" + query.Encode(), Header: http.Header{}}
	answer, err := a.webhooks.Once(ctx, http.MethodGet, target, nil, webhook.WhatsApp())
	answer.Accepted = answer.Accepted && answer.Body == challenge
	return answer, err
}
