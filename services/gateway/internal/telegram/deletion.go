package telegram

import (
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// deletions decodes a list of messages that were deleted in a business chat, one event each. Telegram says neither who deleted
// them nor when, and tells of deletions in no other chat. The chat has the id of the customer.
func (d *decoder) deletions(list *deletedMessages) []gateway.Event {
	if list == nil || list.Chat == nil || list.Chat.ID == 0 || len(list.MessageIDs) > gateway.MaxEvents {
		return nil
	}
	var out []gateway.Event
	for _, id := range list.MessageIDs {
		if id == 0 {
			continue
		}
		out = append(out, gateway.Event{
			Kind: "deleted_business_messages",
			Key:  lenient.Key("del", string(list.BusinessConnectionID), decimal(list.Chat.ID), decimal(id)),
			Content: &gateway.Message{
				ID: decimal(id), Kind: gateway.KindDeletion, OriginalMessageID: decimal(id),
				Sender:  gateway.Sender{UserID: decimal(list.Chat.ID)},
				Address: gateway.TelegramChat{ID: int64(list.Chat.ID), BusinessConnectionID: lenient.ID(list.BusinessConnectionID)},
				Group:   !list.Chat.private(), Addressed: true,
			},
		})
	}
	return out
}
