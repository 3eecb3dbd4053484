package graph

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/detail"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/quota"
)

// serviceWindow is how long after the customer's last message free-form
// answers may be sent (WhatsApp docs, Service messages).
const serviceWindow = 24 * time.Hour

// typingFor is the life of a typing indicator (WhatsApp docs, Typing
// indicators, 17 June 2026).
const typingFor = 25 * time.Second

// accepted is the answer to a message.
type accepted struct {
	Product  string            `json:"messaging_product"`
	Contacts []acceptedContact `json:"contacts"`
	Messages []acceptedMessage `json:"messages"`
}

type acceptedContact struct {
	Input  string `json:"input"`
	WaID   string `json:"wa_id,omitempty"`
	UserID string `json:"user_id,omitempty"`
}

type acceptedMessage struct {
	ID     string `json:"id"`
	Status string `json:"message_status,omitempty"`
}

// messages answers POST /{version}/{phone_number_id}/messages.
func (a *API) messages(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	call := exchange.Call{Chat: chatOf(n.ID, ""), Method: "messages", Sends: true}
	if err != nil {
		a.desk.Serve(w, r, call, a.refuse, replyWith(refused(codeParameter, "The request body is too large or was cut off")))
		return
	}
	if json.Valid(raw) {
		call.Request = raw
	}
	b, failed := decode(raw)
	if failed != nil {
		a.desk.Serve(w, r, call, a.refuse, replyWith(failed))
		return
	}
	if b.marksRead() {
		call.Method, call.Sends = "read", false
		if m, err := a.store.Locate(simulator.WhatsApp, n.ID, b.MessageID); err == nil {
			call.Chat = m.Chat
		}
		a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply { return a.read(n, b) })
		return
	}
	to := a.resolve(n, b)
	call.Chat = to.Chat
	a.desk.Serve(w, r, call, a.refuse, func(f simulator.Fault) exchange.Reply { return a.send(n, b, to, raw, f) })
}

// read marks a customer's message and those before it as read.
func (a *API) read(n simulator.Number, b body) exchange.Reply {
	if b.Status != "read" {
		return refused(codeParameter, "status must be read").reply()
	}
	m, err := a.store.Locate(simulator.WhatsApp, n.ID, b.MessageID)
	if err != nil || m.Direction != simulator.Inbound {
		return refused(codeParameter, "message_id is not a message that this number received").reply()
	}
	if len(b.Typing) > 0 {
		var typing struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(b.Typing, &typing) != nil || typing.Type != "text" {
			return refused(codeParameter, "typing_indicator type must be text").reply()
		}
		a.store.Typing(m.Chat, time.Now().Add(typingFor))
	}
	a.store.ReadInbound(m.Chat, m.ID)
	return exchange.JSON(http.StatusOK, contentType, map[string]bool{"success": true})
}

// resolve finds the chat that a message goes to. If both are given, to wins
// over recipient (WhatsApp docs, Business-scoped user IDs).
func (a *API) resolve(n simulator.Number, b body) simulator.ChatInfo {
	phone := strings.TrimPrefix(b.To, "+")
	info, ok := a.store.Find(simulator.WhatsApp, n.ID, func(c simulator.ChatInfo) bool {
		if phone == "" {
			return c.UserID != "" && c.UserID == b.Recipient
		}
		return c.User == phone
	})
	if ok || phone == "" {
		if !ok {
			info.Chat = chatOf(n.ID, b.Recipient)
		}
		return info
	}
	chat := chatOf(n.ID, canonical(phone))
	if info, ok = a.store.Info(chat); !ok {
		info.Chat = chat
	}
	return info
}

// canonical drops the 1 that Mexican mobile numbers used to carry: the wa_id
// that Meta answers differs from the number sent to (WhatsApp docs, Service
// messages: "Brazil and Mexico").
func canonical(phone string) string {
	if rest, ok := strings.CutPrefix(phone, "521"); ok && len(phone) == 13 {
		return "52" + rest
	}
	return phone
}

func (a *API) send(n simulator.Number, b body, to simulator.ChatInfo, raw []byte, fault simulator.Fault) exchange.Reply {
	if failed := a.check(n, b); failed != nil {
		return failed.reply()
	}
	now := time.Now()
	if failed := a.checkRates(n, to, now); failed != nil {
		return failed.reply()
	}
	if b.Type != "template" && now.Sub(to.LastInbound) > serviceWindow {
		return failureOf(codeWindow).reply()
	}
	if b.Type == "reaction" {
		a.react(n, *b.Reaction)
	}
	m := a.shown(b)
	m.Chat, m.Time, m.Request = to.Chat, now, raw
	a.store.Open(to.Chat, to.Person)
	if b.Type != "reaction" {
		m, _ = a.store.Add(m) // the chat was opened just now
	}
	answer := accepted{Product: "whatsapp", Messages: []acceptedMessage{{ID: m.ID}}}
	if b.To != "" {
		answer.Contacts = []acceptedContact{{Input: b.To, WaID: to.User}}
	} else {
		answer.Contacts = []acceptedContact{{Input: b.Recipient, UserID: b.Recipient}}
	}
	if b.Type == "template" {
		answer.Messages[0].Status = "accepted"
	}
	if fault.Kind == simulator.FaultPaced {
		answer.Messages[0].Status = "held_for_quality_assessment"
	}
	reply := exchange.JSON(http.StatusOK, contentType, answer)
	reply.Message = m.ID
	reply.After = a.report(n, m, b)
	return reply
}

// checkRates holds the number to Meta's rates if it asks for that: 80 messages
// a second (WhatsApp docs, Throughput, 11 September 2026), and to one customer
// one in six seconds after a burst of 45 (WhatsApp docs, About the platform).
func (a *API) checkRates(n simulator.Number, to simulator.ChatInfo, now time.Time) *failure {
	if !n.Limits {
		return nil
	}
	if _, ok := a.meter.Allow(n.ID, quota.Rate{Interval: time.Second / 80, Burst: 80}, now); !ok {
		return failureOf(codeThroughput)
	}
	if _, ok := a.meter.Allow(n.ID+"/"+to.User, quota.Rate{Interval: 6 * time.Second, Burst: 45}, now); !ok {
		return failureOf(codePairRate)
	}
	return nil
}

// shown is what the phone shows of a message.
func (a *API) shown(b body) simulator.Message {
	m := simulator.Message{ID: newID(), Direction: simulator.Outbound, Kind: b.Type, State: simulator.StateAccepted}
	if b.Context != nil {
		m.ReplyTo = b.Context.MessageID
	}
	switch b.Type {
	case "text":
		m.Text = b.Text.Body
	case "template":
		a.showTemplate(&m, b.Template)
	case "interactive":
		a.showInteractive(&m, b.Interactive)
	case "location":
		m.Content, m.Detail = b.Location, detail.Of(b.Location)
	case "contacts":
		m.Content, m.Detail = b.Contacts, detail.Of(b.Contacts)
	default:
		if file := b.file(); file != nil {
			a.showFile(&m, file)
			m.Text = file.Caption
		}
	}
	return m
}

func (a *API) showFile(m *simulator.Message, file *mediaBody) {
	m.Media = &simulator.Media{ID: file.ID, Link: file.Link, Filename: file.Filename}
	if kept, ok := a.shelf.Get(file.ID); ok {
		m.Media.MIMEType, m.Media.Size = kept.MIMEType, kept.Size
		m.Media.Filename = cmp.Or(file.Filename, kept.Filename)
	}
}

// react puts the business's reaction on a message or takes it away.
func (a *API) react(n simulator.Number, r reactionBody) {
	m, err := a.store.Locate(simulator.WhatsApp, n.ID, r.MessageID)
	if err != nil {
		return
	}
	_, _ = a.store.Change(m.Chat, m.ID, func(m *simulator.Message) {
		m.Reactions = nil
		if r.Emoji != "" {
			m.Reactions = []string{r.Emoji}
		}
	})
}

// newID makes a message id that looks like Meta's.
func newID() string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return "wamid.HBgM" + base64.StdEncoding.EncodeToString(random[:])
}
