package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/knobot/knobot/services/channels"
)

// Send implements channels.Sender. What Telegram refuses for a detail that is not worth failing for is sent again at once
// without it: the formatting, the topic, the quote. A refusal is certain, so nothing is sent twice. A group that became a
// supergroup is reported as ClassMigrated and not followed here: the caller stores the new id. A reaction has no id.
func (c *Client) Send(ctx context.Context, credentials channels.Credentials, r channels.SendRequest) (string, error) {
	if r.Address.Telegram == nil || r.Address.Telegram.ID == 0 {
		return "", &channels.SendError{Class: channels.ClassInvalid, Message: "no Telegram chat"}
	}
	if r.Part.Reaction != nil {
		return "", c.react(ctx, credentials, r.Address.Telegram.ID, *r.Part.Reaction)
	}
	message, err := newMessage(r)
	if err != nil {
		return "", err
	}
	for {
		result, err := c.send(ctx, credentials, message, r.Part.Media)
		if err == nil {
			return messageID(result)
		}
		refusal, ok := errors.AsType[*channels.SendError](err)
		if !ok || !message.relax(refusal, r.Part) {
			return "", err
		}
	}
}

func (c *Client) send(ctx context.Context, credentials channels.Credentials, m message, file *channels.Media) (json.RawMessage, error) {
	if file != nil {
		return c.sendFile(ctx, credentials, m, *file)
	}
	return c.call(ctx, credentials, "sendMessage", m)
}

// react sets or takes away the bot's reaction.
func (c *Client) react(ctx context.Context, credentials channels.Credentials, chat int64, r channels.Reaction) error {
	id, err := strconv.ParseInt(r.MessageID, 10, 64)
	if err != nil || id <= 0 {
		return &channels.SendError{Class: channels.ClassInvalid, Message: "a reaction needs the id of a Telegram message"}
	}
	change := reactionChange{ChatID: chat, MessageID: id, Reactions: []emojiReaction{}}
	if r.Emoji != "" {
		change.Reactions = append(change.Reactions, emojiReaction{Type: "emoji", Emoji: r.Emoji})
	}
	_, err = c.call(ctx, credentials, "setMessageReaction", change)
	return err
}

func newMessage(r channels.SendRequest) (message, error) {
	if r.Template != nil {
		return message{}, &channels.SendError{Class: channels.ClassInvalid, Message: "Telegram has no templates"}
	}
	keys, err := keyboard(r.Part.Buttons)
	if err != nil {
		return message{}, err
	}
	m := message{destination: destinationOf(*r.Address.Telegram), Reply: replyTo(r.ReplyTo)}
	m.say(r.Part)
	switch {
	case len(keys.Rows) > 0:
		m.Markup = &keys
	case r.Part.ContactRequest != nil:
		m.Markup = contactKeyboard(*r.Part.ContactRequest)
	}
	return m, nil
}

// say puts the text where it belongs. A file without one gets no formatting either: a sticker takes neither.
func (m *message) say(p channels.Part) {
	if p.Media == nil {
		m.Text, m.ParseMode, m.Preview = p.Text, "HTML", &linkPreview{Disabled: true}
		return
	}
	if p.Text != "" {
		m.Caption, m.ParseMode = p.Text, "HTML"
	}
}

// relax drops what Telegram refused a message for and reports whether there was something to drop.
func (m *message) relax(refusal *channels.SendError, part channels.Part) bool {
	switch {
	case isAbout(refusal, "can't parse entities") && m.ParseMode != "":
		part.Text = part.Plain
		m.say(part)
		m.ParseMode = ""
	case isAbout(refusal, "message thread not found") && m.MessageThreadID != 0:
		m.MessageThreadID = 0
	case isAbout(refusal, "message to be replied not found") && m.Reply != nil:
		m.Reply = nil
	default:
		return false
	}
	return true
}

// messageID reads the id from a sent message.
func messageID(result json.RawMessage) (string, error) {
	var sent struct {
		MessageID int64 `json:"message_id"`
	}
	if err := json.Unmarshal(result, &sent); err != nil || sent.MessageID == 0 {
		return "", unreadable(http.StatusOK)
	}
	return strconv.FormatInt(sent.MessageID, 10), nil
}
