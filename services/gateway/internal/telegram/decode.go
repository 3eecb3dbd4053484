// Package telegram decodes the updates that Telegram posts to a bot's webhook. One update gives one event, but for a list of
// deleted messages; what KnoBot
// does not act on is recorded by Telegram's own word for it and never an error.
package telegram

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

const (
	// kindUnknown stands where Telegram gave no word.
	kindUnknown = "unknown"
	// fieldMessage holds an ordinary message, whose content says more than this word.
	fieldMessage = "message"
)

// Decode returns the events of a verified update to bot, at least one. Returns gateway.ErrMalformedBody if the body is not JSON.
func Decode(body []byte, bot gateway.Bot, now time.Time) ([]gateway.Event, error) {
	var u update
	if err := lenient.Unmarshal(body, &u); err != nil {
		return nil, gateway.ErrMalformedBody
	}
	d := decoder{bot: bot, now: now}
	events := d.deletions(u.DeletedBusinessMessages)
	if len(events) == 0 {
		events = []gateway.Event{d.update(&u, body)}
	}
	for i := range events {
		events[i].Integration = bot.Integration
		if events[i].Key == "" {
			events[i].Key = u.key(body)
		}
	}
	return events, nil
}

type decoder struct {
	bot gateway.Bot
	now time.Time
}

func (d *decoder) update(u *update, body []byte) gateway.Event {
	switch {
	case u.Message != nil:
		return d.message(u.Message, fieldMessage, body)
	case u.BusinessMessage != nil:
		return d.message(u.BusinessMessage, "business_message", body)
	case u.ChannelPost != nil:
		return d.message(u.ChannelPost, "channel_post", body)
	case u.EditedMessage != nil:
		return d.edit(u.EditedMessage, "edited_message", body)
	case u.EditedBusinessMessage != nil:
		return d.edit(u.EditedBusinessMessage, "edited_business_message", body)
	case u.EditedChannelPost != nil:
		return d.edit(u.EditedChannelPost, "edited_channel_post", body)
	case u.CallbackQuery != nil:
		return d.press(u.CallbackQuery)
	case u.MyChatMember != nil:
		return d.member(u.MyChatMember)
	case u.MessageReaction != nil:
		return d.reaction(u.MessageReaction)
	default:
		return gateway.Event{Kind: unnamed(body, "update_id")}
	}
}

// key names an update that has no better name. update_id restarts at random after a quiet week (Bot API, Update), which
// is why a message goes by its own id.
func (u *update) key(body []byte) string {
	if u.ID == nil {
		return lenient.Digest(body)
	}
	return "upd:" + decimal(*u.ID)
}

// unnamed finds Telegram's word for an object of which nothing is known: its first field, by name, that is not one of
// the known ones.
func unnamed(object []byte, known ...string) string {
	const longest = 64
	var fields map[string]json.RawMessage
	_ = lenient.Unmarshal(object, &fields)
	names := make([]string, 0, len(fields))
	for name := range fields {
		if name != "" && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return kindUnknown
	}
	return lenient.Clip(lenient.Clean(slices.Min(names)), longest)
}

// member decodes that the bot itself was let in or thrown out.
func (d *decoder) member(m *memberChange) gateway.Event {
	e := gateway.Event{Kind: "my_chat_member", OccurTime: lenient.Time(m.Date, d.now)}
	if m.Chat == nil {
		return e
	}
	change := &gateway.IdentityChange{OldID: decimal(m.Chat.ID)}
	switch m.New.Status {
	case "kicked", "left":
		change.Kind = gateway.ChangeBlocked
	case "member", "administrator", "creator":
		change.Kind = gateway.ChangeUnblocked
	case "restricted":
		change.Kind = gateway.ChangeBlocked
		if m.New.IsMember {
			change.Kind = gateway.ChangeUnblocked
		}
	default:
		return e
	}
	e.Content = change
	return e
}

func decimal(n lenient.Int) string { return strconv.FormatInt(int64(n), 10) }
