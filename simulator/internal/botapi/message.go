package botapi

import (
	"encoding/json"
	"errors"
	"net/http"
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

// reachable finds the chat of a call and says why it cannot be written to.
func (a *API) reachable(b *bot, args arguments) (simulator.ChatInfo, *failure) {
	name := chatName(args)
	if name == "" {
		return simulator.ChatInfo{}, badRequest("chat_id is empty")
	}
	if connection := connectionOf(name); connection != "" {
		if failed := a.usable(b, connection); failed != nil {
			return simulator.ChatInfo{}, failed
		}
	}
	info, ok := a.store.Info(chatOf(b, name))
	switch {
	case !ok:
		return info, badRequest("chat not found")
	case info.Moved != "":
		failed := badRequest("group chat was upgraded to a supergroup chat")
		failed.parameters = &parameters{Migrate: integer(info.Moved)}
		return info, failed
	case info.Blocked && info.Group != nil:
		return info, &failure{code: http.StatusForbidden, description: "Forbidden: bot was kicked from the " + chatValue(info).Type + " chat"}
	case info.Blocked:
		return info, blocked()
	}
	if thread, _ := args.integer("message_thread_id"); thread != 0 && (info.Group == nil || info.Group.Thread == 0) {
		return info, badRequest("message thread not found")
	}
	return info, nil
}

// chatName is the chat that a call is about; those of a business account are
// named after its connection.
func chatName(args arguments) string {
	name := strings.TrimSpace(args.get("chat_id"))
	if connection := args.get("business_connection_id"); connection != "" && name != "" {
		return connection + ":" + name
	}
	return name
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
	keys, failed := markup(args.get("reply_markup"), info)
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
	m.Buttons, m.Keyboard, m.Time, m.Request, m.State = keys.inline, keys.reply, time.Now(), args.journal(), simulator.StateSent
	m.Thread, _ = args.integer("message_thread_id")
	m, err := a.store.Add(m)
	if err != nil {
		return result{}, badRequest("chat not found")
	}
	if keys.replaces {
		_, _ = a.store.Update(m.Chat, func(info *simulator.ChatInfo) { info.Keyboard = keys.reply })
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

// draftLife is how long a draft is shown (Bot API, sendMessageDraft).
const draftLife = 30 * time.Second

func (a *API) sendMessageDraft(b *bot, args arguments) (result, *failure) {
	info, failed := a.reachable(b, args)
	if failed != nil {
		return result{}, failed
	}
	id, ok := args.integer("draft_id")
	switch {
	case !ok || id == 0:
		return result{}, badRequest("draft_id must be non-zero")
	case info.Group != nil:
		return result{}, badRequest("chat_id must be that of a private chat") // the wording is ours
	}
	plain, _, failed := text(args, "text", "entities", maxText)
	if failed != nil {
		return result{}, failed
	}
	if failed = a.checkRates(b, info); failed != nil {
		return result{}, failed
	}
	a.store.Draft(info.Chat, simulator.Draft{
		ID: id, Text: plain, Until: time.Now().Add(draftLife), Stoppable: args.truth("can_stop"),
	})
	return result{value: true}, nil
}
