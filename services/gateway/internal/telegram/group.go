package telegram

import (
	"strings"
	"unicode/utf16"
)

// addressed says that a message in a group is meant for the bot: it mentions the bot, replies to it, or is a command
// that is not another bot's.
func (d *decoder) addressed(m *message) bool {
	if bool(m.IsAutomaticForward) || m.Chat.Type == "channel" {
		return false // what stands in a channel is said to everybody.
	}
	if m.ReplyTo != nil && m.ReplyTo.From != nil && d.bot.ID != 0 && int64(m.ReplyTo.From.ID) == d.bot.ID {
		return true
	}
	if name, to := command(string(m.Text)); name != "" {
		return to == "" || d.isMe(to)
	}
	return d.mentioned(string(m.Text), m.Entities) || d.mentioned(string(m.Caption), m.CaptionEntities)
}

func (d *decoder) mentioned(text string, entities []entity) bool {
	var units []uint16
	for _, e := range entities {
		switch e.Type {
		case "text_mention":
			if e.User != nil && d.bot.ID != 0 && int64(e.User.ID) == d.bot.ID {
				return true
			}
		case "mention", "bot_command":
			if units == nil {
				units = utf16.Encode([]rune(text))
			}
			_, name, _ := strings.Cut(slice(units, e), "@")
			if d.isMe(name) {
				return true
			}
		}
	}
	return false
}

func (d *decoder) isMe(username string) bool {
	return d.bot.Username != "" && strings.EqualFold(username, d.bot.Username)
}

// unaddressed is a text from a group without the bot's name before or behind it: "@some_bot, what …" asks "what …". It is left
// alone where that is all there is.
func (d *decoder) unaddressed(text string) string {
	const around = " \t\r\n,:;"
	name, out := "@"+d.bot.Username, strings.Trim(text, around)
	if d.bot.Username == "" || strings.EqualFold(out, name) {
		return text
	}
	if n := len(name); len(out) > n && strings.EqualFold(out[:n], name) && strings.ContainsRune(around, rune(out[n])) {
		return strings.TrimLeft(out[n:], around)
	}
	if n := len(out) - len(name); n > 0 && strings.EqualFold(out[n:], name) && strings.ContainsRune(around, rune(out[n-1])) {
		return strings.TrimRight(out[:n], around)
	}
	return text
}

// slice returns the part of a text that an entity marks, empty if it is longer than any name or outside of the text.
func slice(units []uint16, e entity) string {
	const longest = 128
	n := int64(len(units))
	from, length := int64(e.Offset), int64(e.Length)
	if from < 0 || length < 0 || length > longest || from > n || length > n-from {
		return ""
	}
	return string(utf16.Decode(units[from : from+length]))
}

// command splits "/Start@some_bot promo" into "start" and "some_bot"; name is empty if the text is no command. It reads
// the text and not its entities, because not every Bot API server sends those. A name has 1 to 32 letters, digits and
// underscores (Bot API, BotCommand).
func command(text string) (name, to string) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return "", ""
	}
	word := rest
	if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
		word = rest[:end]
	}
	name, to, _ = strings.Cut(word, "@")
	if len(name) == 0 || len(name) > 32 || strings.ContainsFunc(name, func(r rune) bool { return !wordRune(r) }) {
		return "", ""
	}
	return strings.ToLower(name), to
}

func wordRune(r rune) bool {
	return r == '_' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
}
