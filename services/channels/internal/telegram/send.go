package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/markup"
)

// Render makes the messages of a CommonMark text. The buttons come under the last one.
func Render(markdown string, buttons [][]channels.Button) []channels.Part {
	parts := markup.Telegram(markdown)
	if len(parts) > 0 {
		parts[len(parts)-1].Buttons = buttons
	}
	return parts
}

// Send implements channels.Sender. What Telegram refuses for a detail that is not worth failing for is sent again at once
// without it: the formatting, the topic, the quote. A refusal is certain, so nothing is sent twice. A group that became a
// supergroup is reported as ClassMigrated and not followed here: the caller stores the new id.
func (c *Client) Send(ctx context.Context, credentials channels.Credentials, r channels.SendRequest) (string, error) {
	message, err := newMessage(r)
	if err != nil {
		return "", err
	}
	for {
		result, err := c.call(ctx, credentials, "sendMessage", message)
		if err == nil {
			return messageID(result)
		}
		refusal, ok := errors.AsType[*channels.SendError](err)
		if !ok || !message.relax(refusal, r.Part) {
			return "", err
		}
	}
}

func newMessage(r channels.SendRequest) (textMessage, error) {
	if r.Address.Telegram == nil || r.Address.Telegram.ID == 0 {
		return textMessage{}, &channels.SendError{Class: channels.ClassInvalid, Message: "no Telegram chat"}
	}
	if r.Template != nil {
		return textMessage{}, &channels.SendError{Class: channels.ClassInvalid, Message: "Telegram has no templates"}
	}
	keys, err := keyboard(r.Part.Buttons)
	if err != nil {
		return textMessage{}, err
	}
	message := textMessage{
		destination: destinationOf(*r.Address.Telegram), Text: r.Part.Text, ParseMode: "HTML",
		Preview: linkPreview{Disabled: true}, Reply: replyTo(r.ReplyTo),
	}
	if len(keys.Rows) > 0 {
		message.Keyboard = &keys
	}
	return message, nil
}

// relax drops what Telegram refused a message for and reports whether there was something to drop.
func (m *textMessage) relax(refusal *channels.SendError, part channels.Part) bool {
	switch {
	case isAbout(refusal, "can't parse entities") && m.ParseMode != "":
		m.ParseMode, m.Text = "", part.Plain
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
