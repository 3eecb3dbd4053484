package telegram

import (
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// press decodes a press on an inline button. Telegram does not say when it happened.
func (d *decoder) press(q *callbackQuery) gateway.Event {
	e := gateway.Event{Kind: "callback_query"}
	if q.ID == "" || q.From == nil || q.From.ID == 0 {
		return e
	}
	e.Key = lenient.Key("cb", string(q.ID))
	press := &gateway.ButtonPress{CallbackID: lenient.ID(q.ID), Sender: q.From.sender(), ButtonID: lenient.Clip(q.Data, 64)}
	if m := q.Message; m != nil && m.Chat != nil {
		press.Address, press.Group = m.address(), !m.Chat.private()
		if m.Date != 0 { // date 0 marks a message that is no longer accessible; its chat still is.
			press.MessageID = decimal(m.ID)
			press.Title = m.ReplyMarkup.title(q.Data)
		}
	}
	e.Content = press
	return e
}

// title finds the label of the button that carries data.
func (k *replyMarkup) title(data lenient.String) string {
	if k == nil || data == "" {
		return ""
	}
	for _, row := range k.InlineKeyboard {
		for _, button := range row {
			if button.CallbackData == data {
				return lenient.Label(button.Text)
			}
		}
	}
	return ""
}
