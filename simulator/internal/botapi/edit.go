package botapi

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
)

// target finds the bot's own message that an edit is about.
func (a *API) target(b *bot, args arguments) (simulator.ChatInfo, simulator.Message, *failure) {
	var none simulator.Message
	id, ok := args.integer("message_id")
	if !ok {
		return simulator.ChatInfo{}, none, missing("message_id")
	}
	info, failed := a.reachable(b, args)
	if failed != nil {
		return info, none, failed
	}
	m, err := a.store.Message(info.Chat, strconv.FormatInt(id, 10))
	switch {
	case err != nil:
		return info, none, badRequest("message to edit not found")
	case m.Direction != simulator.Outbound:
		return info, none, badRequest("message can't be edited")
	}
	return info, m, nil
}

func (a *API) editMessageText(b *bot, args arguments) (result, *failure) {
	info, m, failed := a.target(b, args)
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
	keys, failed := inlineMarkup(args.get("reply_markup"), info)
	if failed != nil {
		return result{}, failed
	}
	return a.edit(b, info, m, func(m *simulator.Message) { m.Text, m.Entities, m.Buttons = plain, found, keys })
}

func (a *API) editMessageReplyMarkup(b *bot, args arguments) (result, *failure) {
	info, m, failed := a.target(b, args)
	if failed != nil {
		return result{}, failed
	}
	keys, failed := inlineMarkup(args.get("reply_markup"), info)
	if failed != nil {
		return result{}, failed
	}
	return a.edit(b, info, m, func(m *simulator.Message) { m.Buttons = keys })
}

func (a *API) edit(b *bot, info simulator.ChatInfo, m simulator.Message, change func(*simulator.Message)) (result, *failure) {
	changed := m
	change(&changed)
	if changed.Text == m.Text && len(changed.Entities) == len(m.Entities) && reflect.DeepEqual(changed.Buttons, m.Buttons) {
		return result{}, badRequest("message is not modified: specified new message content and reply markup are exactly " +
			"the same as a current content and reply markup of the message")
	}
	changed, err := a.store.Change(info.Chat, m.ID, func(m *simulator.Message) {
		change(m)
		m.EditTime = time.Now()
	})
	if err != nil {
		return result{}, badRequest("message to edit not found")
	}
	return result{value: a.wire(b, info, changed)}, nil
}

// knownReactions are those that bots may use (Bot API 10.1, ReactionTypeEmoji).
const knownReactions = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 " +
	"😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"

func (a *API) setMessageReaction(b *bot, args arguments) (result, *failure) {
	info, failed := a.reachable(b, args)
	if failed != nil {
		return result{}, failed
	}
	var reactions []struct {
		Type  string `json:"type"`
		Emoji string `json:"emoji"`
	}
	if raw := args.get("reaction"); raw != "" && json.Unmarshal([]byte(raw), &reactions) != nil {
		return result{}, badRequest("can't parse reaction types JSON object")
	}
	switch {
	case len(reactions) > 1: // "as non-premium users, bots can set up to one reaction per message"
		return result{}, badRequest("REACTIONS_TOO_MANY")
	case len(reactions) == 1 && !slices.Contains(strings.Fields(knownReactions), reactions[0].Emoji):
		return result{}, badRequest("REACTION_INVALID")
	}
	_, err := a.store.Change(info.Chat, args.get("message_id"), func(m *simulator.Message) {
		m.Reactions = nil
		for _, r := range reactions {
			m.Reactions = append(m.Reactions, r.Emoji)
		}
	})
	if err != nil {
		return result{}, badRequest("message to react not found")
	}
	return result{value: true}, nil
}
