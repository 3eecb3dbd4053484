package rpcapi

import (
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/conversation"
)

// kinds translates kinds of message. What is not in it is the empty kind, which is treated as unsupported.
func kinds() map[conversationv1.MessageKind]conversation.MessageKind {
	return map[conversationv1.MessageKind]conversation.MessageKind{
		conversationv1.MessageKind_MESSAGE_KIND_TEXT:         conversation.KindText,
		conversationv1.MessageKind_MESSAGE_KIND_IMAGE:        conversation.KindImage,
		conversationv1.MessageKind_MESSAGE_KIND_VIDEO:        conversation.KindVideo,
		conversationv1.MessageKind_MESSAGE_KIND_AUDIO:        conversation.KindAudio,
		conversationv1.MessageKind_MESSAGE_KIND_VOICE:        conversation.KindVoice,
		conversationv1.MessageKind_MESSAGE_KIND_DOCUMENT:     conversation.KindDocument,
		conversationv1.MessageKind_MESSAGE_KIND_STICKER:      conversation.KindSticker,
		conversationv1.MessageKind_MESSAGE_KIND_LOCATION:     conversation.KindLocation,
		conversationv1.MessageKind_MESSAGE_KIND_CONTACTS:     conversation.KindContacts,
		conversationv1.MessageKind_MESSAGE_KIND_REACTION:     conversation.KindReaction,
		conversationv1.MessageKind_MESSAGE_KIND_BUTTON_REPLY: conversation.KindButtonReply,
		conversationv1.MessageKind_MESSAGE_KIND_FORM_REPLY:   conversation.KindFormReply,
		conversationv1.MessageKind_MESSAGE_KIND_ORDER:        conversation.KindOrder,
		conversationv1.MessageKind_MESSAGE_KIND_COMMAND:      conversation.KindCommand,
		conversationv1.MessageKind_MESSAGE_KIND_EDIT:         conversation.KindEdit,
		conversationv1.MessageKind_MESSAGE_KIND_DELETION:     conversation.KindDeletion,
		conversationv1.MessageKind_MESSAGE_KIND_SYSTEM:       conversation.KindSystem,
		conversationv1.MessageKind_MESSAGE_KIND_UNSUPPORTED:  conversation.KindUnsupported,
	}
}

func kindOf(k conversation.MessageKind) conversationv1.MessageKind {
	for p, own := range kinds() {
		if own == k {
			return p
		}
	}
	return conversationv1.MessageKind_MESSAGE_KIND_UNSPECIFIED
}

func platformOf(p conversation.Platform) typev1.Platform {
	switch p {
	case conversation.WhatsApp:
		return typev1.Platform_PLATFORM_WHATSAPP
	case conversation.Telegram:
		return typev1.Platform_PLATFORM_TELEGRAM
	default:
		return typev1.Platform_PLATFORM_UNSPECIFIED
	}
}

func roleOf(r conversation.Role) conversationv1.Message_Role {
	switch r {
	case conversation.Customer:
		return conversationv1.Message_ROLE_CUSTOMER
	case conversation.Assistant:
		return conversationv1.Message_ROLE_ASSISTANT
	case conversation.Staff:
		return conversationv1.Message_ROLE_STAFF
	default:
		return conversationv1.Message_ROLE_UNSPECIFIED
	}
}

func stateOf(s conversation.MessageState) conversationv1.Message_State {
	return map[conversation.MessageState]conversationv1.Message_State{
		conversation.MessageOpen:     conversationv1.Message_STATE_OPEN,
		conversation.MessageAnswered: conversationv1.Message_STATE_ANSWERED,
		conversation.MessageRecorded: conversationv1.Message_STATE_RECORDED,
		conversation.MessageDead:     conversationv1.Message_STATE_DEAD,
		conversation.MessageSending:  conversationv1.Message_STATE_SENDING,
		conversation.MessageSent:     conversationv1.Message_STATE_SENT,
		conversation.MessageHeld:     conversationv1.Message_STATE_HELD,
		conversation.MessageFailed:   conversationv1.Message_STATE_FAILED,
	}[s]
}

func causeOf(c conversation.PauseCause) conversationv1.PauseCause {
	switch c {
	case conversation.PausedByWriting:
		return conversationv1.PauseCause_PAUSE_CAUSE_STAFF_WROTE
	case conversation.PausedByHandOver:
		return conversationv1.PauseCause_PAUSE_CAUSE_HANDED_OVER
	default:
		return conversationv1.PauseCause_PAUSE_CAUSE_UNSPECIFIED
	}
}

// closedIn says whether a state is that of closed conversations, nil for any.
func closedIn(s conversationv1.Conversation_State) *bool {
	if s == conversationv1.Conversation_STATE_UNSPECIFIED {
		return nil
	}
	closed := s == conversationv1.Conversation_STATE_CLOSED
	return &closed
}

func noticeStateOf(s conversation.NoticeState) conversationv1.SubscriptionDelivery_State {
	return map[conversation.NoticeState]conversationv1.SubscriptionDelivery_State{
		conversation.NoticePending:   conversationv1.SubscriptionDelivery_STATE_PENDING,
		conversation.NoticeDelivered: conversationv1.SubscriptionDelivery_STATE_DELIVERED,
		conversation.NoticeDead:      conversationv1.SubscriptionDelivery_STATE_DEAD,
	}[s]
}
