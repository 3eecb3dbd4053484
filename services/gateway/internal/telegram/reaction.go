package telegram

import (
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// reaction decodes that somebody changed their reaction to a message in a private chat: the emoji that stands there now, none
// where it was taken away or is one of Telegram's own pictures. What a group thinks is not the customer's word.
func (d *decoder) reaction(r *reactionChange) gateway.Event {
	e := gateway.Event{Kind: "message_reaction", OccurTime: lenient.Time(r.Date, d.now)}
	if r.Chat == nil || r.Chat.ID == 0 || !r.Chat.private() || r.User == nil || r.User.ID == 0 || r.MessageID == 0 {
		return e
	}
	m := &gateway.Message{
		Sender: r.User.sender(), Address: gateway.TelegramChat{ID: int64(r.Chat.ID)}, Kind: gateway.KindReaction, Addressed: true,
		ReplyToMessageID: decimal(r.MessageID),
	}
	for _, now := range r.New {
		if now.Type == "emoji" && m.Text == "" {
			m.Text = lenient.Label(now.Emoji)
		}
	}
	e.Content = m
	return e
}
