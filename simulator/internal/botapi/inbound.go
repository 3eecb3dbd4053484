package botapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/entities"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// Say lets a customer write.
func (a *API) Say(u simulator.Utterance) (simulator.Message, error) {
	b, err := a.bot(u.Account)
	if err != nil {
		return simulator.Message{}, err
	}
	u.Platform, u.Account = simulator.Telegram, b.ID
	if id, err := strconv.ParseInt(u.From, 10, 64); err != nil || id <= 0 {
		return simulator.Message{}, errors.New("from must be a positive number")
	}
	if u.Name == "" {
		u.Name = "Cliente " + u.From
	}
	if u.Time.IsZero() {
		u.Time = time.Now()
	}
	if u.Kind == "" {
		u.Kind = "text"
	}
	content, m, err := a.content(u)
	if err != nil {
		return simulator.Message{}, err
	}
	m.ID = a.nextMessage(b)
	info := a.store.Open(u.Chat(), u.Person)
	if m, err = a.store.Add(m); err != nil {
		return m, err
	}
	a.deliver(b, update{
		kind: "message", value: a.messageValue(b, info, m, content), chat: m.Chat, name: "message " + m.ID,
		lane: "chat/" + m.User, copies: u.Copies,
		acknowledged: func() { a.store.Advance(m.Chat, m.ID, simulator.StateDelivered, "") },
	})
	return m, nil
}

// content makes the part of a message that depends on its kind.
func (a *API) content(u simulator.Utterance) (map[string]any, simulator.Message, error) {
	m := simulator.Message{
		Chat: u.Chat(), Direction: simulator.Inbound, Kind: u.Kind, Text: u.Text, ReplyTo: u.ReplyTo,
		State: simulator.StateSent, Time: u.Time,
	}
	switch u.Kind {
	case "text":
		return textContent(u.Text, m)
	case "image", "photo", "audio", "voice", "video", "document", "sticker":
		return a.fileContent(u, m)
	default:
		if len(u.Body) == 0 || !json.Valid(u.Body) {
			return nil, m, fmt.Errorf("kind %q needs a body", u.Kind)
		}
		return map[string]any{u.Kind: u.Body}, m, nil
	}
}

func textContent(said string, m simulator.Message) (map[string]any, simulator.Message, error) {
	if strings.TrimSpace(said) == "" {
		return nil, m, errors.New("text is empty")
	}
	content := map[string]any{"text": said}
	if word, _, _ := strings.Cut(said, " "); strings.HasPrefix(word, "/") && len(word) > 1 {
		content["entities"] = []simulator.Entity{{Type: "bot_command", Length: entities.Length(word)}}
	}
	return content, m, nil
}

func (a *API) fileContent(u simulator.Utterance, m simulator.Message) (map[string]any, simulator.Message, error) {
	kept, ok := a.shelf.Get(u.Media)
	if !ok {
		return nil, m, errors.New("media is no id of POST /simulator/v1/media")
	}
	m.Media = &kept.Media
	content := map[string]any{}
	if u.Text != "" {
		content["caption"] = u.Text
	}
	f := fileOf(kept.Media)
	switch u.Kind {
	case "image", "photo":
		f.Width, f.Height, f.Name, f.MIMEType = 800, 600, "", ""
		content["photo"] = []file{f}
	case "voice", "audio":
		f.Duration, f.Name = 3, ""
		content[u.Kind] = f
	default:
		content[u.Kind] = f
	}
	return content, m, nil
}

// messageValue is the message of an update.
func (a *API) messageValue(b *bot, info simulator.ChatInfo, m simulator.Message, content map[string]any) map[string]any {
	id, _ := strconv.ParseInt(m.ID, 10, 64) // the simulator's own number
	content["message_id"], content["date"] = id, m.Time.Unix()
	content["from"], content["chat"] = customer(info), chatValue(info)
	if quoted, err := a.store.Message(m.Chat, m.ReplyTo); err == nil {
		quoted.ReplyTo = ""
		content["reply_to_message"] = a.wire(b, info, quoted)
	}
	return content
}

// Press lets a customer press an inline button.
func (a *API) Press(p simulator.Press) (simulator.Message, error) {
	b, err := a.bot(p.Account)
	if err != nil {
		return simulator.Message{}, err
	}
	pressed, err := a.store.Message(p.Chat, p.Message)
	if err != nil {
		return simulator.Message{}, err
	}
	has := slices.ContainsFunc(pressed.Buttons, func(row []simulator.Button) bool {
		return slices.ContainsFunc(row, func(b simulator.Button) bool { return b.Data == p.Data })
	})
	if !has || p.Data == "" {
		return simulator.Message{}, fmt.Errorf("%w: the message has no button with that data", chat.ErrNoMessage)
	}
	info, _ := a.store.Info(p.Chat)
	id := number(1e18)
	a.remember(b, id, p.Chat)
	a.deliver(b, update{
		kind: "callback_query", chat: p.Chat, name: "callback " + id, lane: "callback/" + p.User, copies: p.Copies,
		lifetime: webhook.CallbackLifetime,
		value: map[string]any{
			"id": id, "from": customer(info), "chat_instance": "-" + info.User, "data": p.Data,
			"message": a.wire(b, info, pressed),
		},
	})
	return pressed, nil
}

// remember keeps a press until it is answered or too old to be.
func (a *API) remember(b *bot, id string, where simulator.Chat) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for old, waiting := range b.callbacks {
		if time.Since(waiting.time) > callbackLife {
			delete(b.callbacks, old)
		}
	}
	b.callbacks[id] = callback{chat: where, time: time.Now()}
}

// OpenPhone lets the customer look at the chat or away from it, and block or
// unblock the bot.
func (a *API) OpenPhone(where simulator.Chat, phone simulator.Phone) (simulator.ChatInfo, error) {
	b, err := a.bot(where.Account)
	if err != nil {
		return simulator.ChatInfo{}, err
	}
	before, _ := a.store.Info(where)
	info, err := a.store.SetPhone(where, phone)
	if err != nil {
		return info, err
	}
	if info.PhoneOpen {
		for _, m := range a.store.Messages(where, 0) {
			if m.Direction == simulator.Outbound {
				a.store.Advance(where, m.ID, simulator.StateRead, "")
			}
		}
	}
	if info.Blocked != before.Blocked {
		a.deliverMembership(b, info)
	}
	return info, nil
}

func (a *API) deliverMembership(b *bot, info simulator.ChatInfo) {
	member := map[string]any{"user": b.user(), "status": "member"}
	kicked := map[string]any{"user": b.user(), "status": "kicked", "until_date": 0}
	before, after := kicked, member
	if info.Blocked {
		before, after = member, kicked
	}
	a.deliver(b, update{
		kind: "my_chat_member", chat: info.Chat, name: "membership", lane: "chat/" + info.User,
		value: map[string]any{
			"chat": chatValue(info), "from": customer(info), "date": time.Now().Unix(),
			"old_chat_member": before, "new_chat_member": after,
		},
	})
}

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
	copies := max(u.copies, 1)
	if fault.Kind == simulator.FaultWebhookDuplicate {
		copies = fault.Copies
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
			Wait:   time.Duration(fault.Delay), Acknowledged: u.acknowledged,
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
