package botapi

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/entities"
	"github.com/knobot/knobot/simulator/internal/quota"
)

// Limits of the Bot API (10.1): text after parsing, caption after parsing, raw
// text at the server's door, and 100 buttons a message.
const (
	maxText    = 4096
	maxCaption = 1024
	maxRaw     = 32 << 10
	maxButtons = 100
)

// message is a message as the Bot API writes it.
type message struct {
	ID       int64              `json:"message_id"`
	From     user               `json:"from"`
	Chat     privateChat        `json:"chat"`
	Date     int64              `json:"date"`
	EditDate int64              `json:"edit_date,omitempty"`
	ReplyTo  *message           `json:"reply_to_message,omitempty"`
	Text     string             `json:"text,omitempty"`
	Entities []simulator.Entity `json:"entities,omitempty"`
	Caption  string             `json:"caption,omitempty"`
	Photo    []file             `json:"photo,omitempty"`
	Document *file              `json:"document,omitempty"`
	Markup   json.RawMessage    `json:"reply_markup,omitempty"`
}

type privateChat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
}

// customer is the chat's person in the Bot API's words.
func customer(info simulator.ChatInfo) user {
	id, _ := strconv.ParseInt(info.User, 10, 64) // checked when the customer first wrote
	first, last, _ := strings.Cut(info.Name, " ")
	return user{ID: id, FirstName: first, LastName: last, Username: info.Username, Language: info.Language}
}

func chatValue(info simulator.ChatInfo) privateChat {
	who := customer(info)
	return privateChat{ID: who.ID, Type: "private", FirstName: who.FirstName, LastName: who.LastName, Username: who.Username}
}

// wire is a message of the phone in the Bot API's words.
func (a *API) wire(b *bot, info simulator.ChatInfo, m simulator.Message) message {
	id, _ := strconv.ParseInt(m.ID, 10, 64) // the simulator's own number
	w := message{ID: id, From: customer(info), Chat: chatValue(info), Date: m.Time.Unix(), Entities: m.Entities}
	if m.Direction == simulator.Outbound {
		w.From = b.user()
		w.Markup = markupOf(m.Buttons)
	}
	if !m.EditTime.IsZero() {
		w.EditDate = m.EditTime.Unix()
	}
	if quoted, err := a.store.Message(m.Chat, m.ReplyTo); err == nil {
		quoted.ReplyTo = "" // "will not contain further reply_to_message fields"
		inner := a.wire(b, info, quoted)
		w.ReplyTo = &inner
	}
	switch {
	case m.Media == nil:
		w.Text = m.Text
	case m.Kind == "photo":
		w.Caption, w.Photo = m.Text, []file{fileOf(*m.Media)}
	default:
		document := fileOf(*m.Media)
		w.Caption, w.Document = m.Text, &document
	}
	return w
}

// reachable finds the chat of a call and says why it cannot be written to.
func (a *API) reachable(b *bot, args arguments) (simulator.ChatInfo, *failure) {
	id := strings.TrimSpace(args.get("chat_id"))
	if id == "" {
		return simulator.ChatInfo{}, badRequest("chat_id is empty")
	}
	info, ok := a.store.Info(chatOf(b, id))
	if !ok {
		return info, badRequest("chat not found")
	}
	if info.Blocked {
		return info, blocked()
	}
	return info, nil
}

// text reads a text or caption with its markup.
func text(args arguments, name, entitiesName string, most int) (string, []simulator.Entity, *failure) {
	raw := args.get(name)
	switch {
	case !entities.Valid(raw):
		return "", nil, badRequest("strings must be encoded in UTF-8")
	case len(raw) > maxRaw:
		return "", nil, badRequest("text is too long")
	}
	plain, found, known, err := entities.Parse(raw, args.get("parse_mode"))
	var refusal *entities.Error
	switch {
	case !known:
		return "", nil, badRequest("unsupported parse_mode")
	case errors.As(err, &refusal):
		return "", nil, badRequest("can't parse entities: %s", refusal.Reason)
	}
	if args.get("parse_mode") == "" {
		if list := args.get(entitiesName); list != "" && json.Unmarshal([]byte(list), &found) != nil {
			return "", nil, badRequest("can't parse entities: expected an Array of MessageEntity")
		}
		plain = entities.Trim(plain)
	}
	if entities.Length(plain) > most {
		if name == "caption" {
			return "", nil, badRequest("message caption is too long")
		}
		return "", nil, badRequest("message is too long")
	}
	return plain, found, nil
}

func (a *API) sendMessage(b *bot, args arguments) (result, *failure) {
	info, failed := a.reachable(b, args)
	if failed != nil {
		return result{}, failed
	}
	plain, found, failed := text(args, "text", "entities", maxText)
	if failed != nil {
		return result{}, failed
	}
	if plain == "" {
		return result{}, missing("text")
	}
	return a.put(b, args, info, simulator.Message{Kind: "text", Text: plain, Entities: found})
}

// put sends a message whose content was checked.
func (a *API) put(b *bot, args arguments, info simulator.ChatInfo, m simulator.Message) (result, *failure) {
	buttons, failed := markup(args.get("reply_markup"))
	if failed != nil {
		return result{}, failed
	}
	if m.ReplyTo, failed = a.replyTo(info, args.get("reply_parameters")); failed != nil {
		return result{}, failed
	}
	if failed = a.checkRates(b, info); failed != nil {
		return result{}, failed
	}
	m.ID, m.Chat, m.Direction = a.nextMessage(b), info.Chat, simulator.Outbound
	m.Buttons, m.Time, m.Request, m.State = buttons, time.Now(), args.journal(), simulator.StateSent
	m, err := a.store.Add(m)
	if err != nil {
		return result{}, badRequest("chat not found")
	}
	value := a.wire(b, info, m)
	return result{value: value, message: m.ID, after: func() {
		if current, _ := a.store.Info(m.Chat); current.PhoneOpen {
			a.store.Advance(m.Chat, m.ID, simulator.StateRead, "")
		}
	}}, nil
}

func (a *API) nextMessage(b *bot) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	b.lastMessage++
	return strconv.FormatInt(b.lastMessage, 10)
}

func (a *API) replyTo(info simulator.ChatInfo, raw string) (string, *failure) {
	if raw == "" {
		return "", nil
	}
	var reply struct {
		MessageID    int64 `json:"message_id"`
		AllowWithout bool  `json:"allow_sending_without_reply"`
	}
	if json.Unmarshal([]byte(raw), &reply) != nil {
		return "", badRequest("can't parse reply parameters JSON object")
	}
	id := strconv.FormatInt(reply.MessageID, 10)
	if _, err := a.store.Message(info.Chat, id); err == nil {
		return id, nil
	}
	if reply.AllowWithout {
		return "", nil
	}
	return "", badRequest("message to be replied not found")
}

// checkRates holds the bot to Telegram's rates if it asks for that: 30 messages
// a second for the bot, one a second in a chat with short bursts (Telegram's
// bot FAQ, as quoted by Bot Support's article on limits).
func (a *API) checkRates(b *bot, info simulator.ChatInfo) *failure {
	if !b.Limits {
		return nil
	}
	now := time.Now()
	wait, ok := a.meter.Allow(b.ID, quota.Rate{Interval: time.Second / 30, Burst: 30}, now)
	if ok {
		wait, ok = a.meter.Allow(b.ID+"/"+info.User, quota.Rate{Interval: time.Second, Burst: 4}, now)
	}
	if ok {
		return nil
	}
	return tooMany(int(wait/time.Second) + 1)
}

func (a *API) sendMessageDraft(b *bot, args arguments) (result, *failure) {
	info, failed := a.reachable(b, args)
	if failed != nil {
		return result{}, failed
	}
	if id, ok := args.integer("draft_id"); !ok || id == 0 {
		return result{}, badRequest("draft_id must be non-zero")
	}
	plain, _, failed := text(args, "text", "entities", maxText)
	if failed != nil {
		return result{}, failed
	}
	a.store.Draft(info.Chat, plain)
	return result{value: true}, nil
}
