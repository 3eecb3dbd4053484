package botapi

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
)

// act is something that a customer does with a chat or a message in it.
type act func(b *bot, u simulator.Utterance) (simulator.Message, error)

// acts are the kinds that are no messages of their own.
func (a *API) acts() map[string]act {
	return map[string]act{"reaction": a.reaction, "edit": a.editing, "revoke": a.revoke, "migrate": a.migrate, "stop": a.stop}
}

// reaction puts one on a message or takes it away. The bot hears of it only if
// it asked for message_reaction.
func (a *API) reaction(b *bot, u simulator.Utterance) (simulator.Message, error) {
	info := a.open(b, u)
	before, err := a.store.Message(u.Chat(), u.Target)
	if err != nil {
		return before, err
	}
	m, err := a.store.Change(u.Chat(), u.Target, func(m *simulator.Message) { m.Reaction = u.Emoji })
	a.deliver(b, update{
		kind: "message_reaction", chat: m.Chat, name: "reaction " + m.ID, lane: "chat/" + m.User, copies: u.Copies,
		value: map[string]any{
			"chat": chatValue(info), "message_id": integer(m.ID), "date": u.Time.Unix(),
			"user": userOf(u.From, u.Name, u.Username, u.Language), "old_reaction": reactionList(before.Reaction),
			"new_reaction": reactionList(u.Emoji),
		},
	})
	return m, err
}

func reactionList(emoji string) []map[string]string {
	if emoji == "" {
		return []map[string]string{}
	}
	return []map[string]string{{"type": "emoji", "emoji": emoji}}
}

// editing changes the text or caption of a message of one's own.
func (a *API) editing(b *bot, u simulator.Utterance) (simulator.Message, error) {
	info := a.open(b, u)
	m, err := a.store.Message(u.Chat(), u.Target)
	switch {
	case err != nil:
		return m, err
	case u.Text == "":
		return m, errors.New("text is empty")
	case (m.Direction == simulator.Inbound) == u.Staff:
		return m, errors.New("only whoever wrote a message can edit it")
	}
	m, err = a.store.Change(m.Chat, m.ID, func(m *simulator.Message) {
		m.Text, m.Entities, m.EditTime = u.Text, found(u.Text), u.Time
	})
	a.deliver(b, update{
		kind: updateKind(u, "edited_message"), chat: m.Chat, name: "edit " + m.ID, lane: "chat/" + m.User, copies: u.Copies,
		value: a.wire(b, info, m),
	})
	return m, err
}

// revoke deletes a message. Bots hear of that in business chats only.
func (a *API) revoke(b *bot, u simulator.Utterance) (simulator.Message, error) {
	m, err := a.store.Change(u.Chat(), u.Target, func(m *simulator.Message) { m.Deleted = true })
	if err != nil || u.Business == "" {
		return m, err
	}
	info, _ := a.store.Info(m.Chat)
	a.deliver(b, update{
		kind: "deleted_business_messages", chat: m.Chat, name: "deletion " + m.ID, lane: "chat/" + m.User, copies: u.Copies,
		value: map[string]any{
			"business_connection_id": u.Business, "chat": chatValue(info), "message_ids": []int64{integer(m.ID)},
		},
	})
	return m, nil
}

// migrate turns a group into a supergroup, which gets another id. Both chats
// are told, and the old one takes no messages any more.
func (a *API) migrate(b *bot, u simulator.Utterance) (simulator.Message, error) {
	if id, err := strconv.ParseInt(u.Target, 10, 64); u.Group == nil || err != nil || id >= 0 {
		return simulator.Message{}, errors.New("migrate needs a group and the new id in target")
	}
	a.open(b, u)
	first, err := a.notice(b, u, "migrate_to_chat_id", u.Target)
	if err != nil {
		return first, err
	}
	_, _ = a.store.Update(first.Chat, func(info *simulator.ChatInfo) { info.Moved = u.Target })
	old := u.Group.ID
	u.Group = &simulator.Group{ID: u.Target, Title: u.Group.Title}
	a.open(b, u)
	return a.notice(b, u, "migrate_from_chat_id", old)
}

// notice is a service message with one number in it.
func (a *API) notice(b *bot, u simulator.Utterance, name, id string) (simulator.Message, error) {
	info, _ := a.store.Info(u.Chat())
	m, err := a.store.Add(simulator.Message{
		ID: a.nextMessage(b), Chat: u.Chat(), Direction: simulator.Inbound, Kind: name, Content: []byte(id), Detail: id,
		Author: a.authorOf(b, u), State: simulator.StateSent, Time: u.Time,
	})
	if err != nil {
		return m, err
	}
	a.deliver(b, update{
		kind: "message", value: a.wire(b, info, m), chat: m.Chat, name: "message " + m.ID, lane: "chat/" + m.User,
		acknowledged: func() { a.store.Advance(m.Chat, m.ID, simulator.StateDelivered, "") },
	})
	return m, nil
}

// stop presses the button under an answer that is being written (Bot API 10.3).
func (a *API) stop(b *bot, u simulator.Utterance) (simulator.Message, error) {
	info, ok := a.store.Info(u.Chat())
	if !ok || info.Draft == nil || !info.Draft.Stoppable || time.Now().After(info.Draft.Until) {
		return simulator.Message{}, fmt.Errorf("%w: nothing is being written that could be stopped", chat.ErrNoMessage)
	}
	a.deliver(b, update{
		kind: "stopped_message_generation", chat: info.Chat, name: "stop", lane: "chat/" + info.User, copies: u.Copies,
		value: map[string]any{"chat": chatValue(info), "draft_id": info.Draft.ID},
	})
	return simulator.Message{Chat: info.Chat, Kind: "stop", Text: info.Draft.Text}, nil
}

// OpenPhone lets the customer look at the chat or away from it, and block or
// unblock the bot; in a group the bot is removed or comes back.
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
	from := customer(info)
	if info.Group != nil {
		from = a.member(simulator.Press{Chat: info.Chat})
	}
	a.deliver(b, update{
		kind: "my_chat_member", chat: info.Chat, name: "membership", lane: "chat/" + info.User,
		value: map[string]any{
			"chat": chatValue(info), "from": from, "date": time.Now().Unix(),
			"old_chat_member": before, "new_chat_member": after,
		},
	})
}
