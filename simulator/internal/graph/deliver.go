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
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// deliver sends a body to the number's webhook, signed.
func (a *API) deliver(n simulator.Number, chat simulator.Chat, name string, body []byte, acknowledged func()) {
	target := webhook.Target{URL: n.WebhookURL, Header: headers(n, body, simulator.SignatureValid)}
	event := webhook.Event{
		Chat: chat, Name: name, Body: body, Policy: webhook.WhatsApp(), Acknowledged: acknowledged,
		Target: func() (webhook.Target, bool) { return target, true },
	}
	fault, _ := a.desk.Faults.Take(faults.Webhook, chat, strings.Fields(name)[0], true)
	copies := 1
	switch fault.Kind {
	case simulator.FaultWebhookNever:
		return
	case simulator.FaultWebhookLate:
		event.Wait = time.Duration(fault.Delay)
	case simulator.FaultWebhookDuplicate:
		copies = fault.Copies
	}
	for range copies {
		a.webhooks.Deliver(event)
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
