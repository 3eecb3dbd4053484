package conversation

import (
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

func platform(p gateway.Platform) typev1.Platform {
	switch p {
	case gateway.WhatsApp:
		return typev1.Platform_PLATFORM_WHATSAPP
	case gateway.Telegram:
		return typev1.Platform_PLATFORM_TELEGRAM
	default:
		return typev1.Platform_PLATFORM_UNSPECIFIED
	}
}

func messageKind(k gateway.MessageKind) conversationv1.MessageKind {
	kinds := [...]conversationv1.MessageKind{
		gateway.KindText:        conversationv1.MessageKind_MESSAGE_KIND_TEXT,
		gateway.KindImage:       conversationv1.MessageKind_MESSAGE_KIND_IMAGE,
		gateway.KindVideo:       conversationv1.MessageKind_MESSAGE_KIND_VIDEO,
		gateway.KindAudio:       conversationv1.MessageKind_MESSAGE_KIND_AUDIO,
		gateway.KindVoice:       conversationv1.MessageKind_MESSAGE_KIND_VOICE,
		gateway.KindDocument:    conversationv1.MessageKind_MESSAGE_KIND_DOCUMENT,
		gateway.KindSticker:     conversationv1.MessageKind_MESSAGE_KIND_STICKER,
		gateway.KindLocation:    conversationv1.MessageKind_MESSAGE_KIND_LOCATION,
		gateway.KindContacts:    conversationv1.MessageKind_MESSAGE_KIND_CONTACTS,
		gateway.KindReaction:    conversationv1.MessageKind_MESSAGE_KIND_REACTION,
		gateway.KindButtonReply: conversationv1.MessageKind_MESSAGE_KIND_BUTTON_REPLY,
		gateway.KindFormReply:   conversationv1.MessageKind_MESSAGE_KIND_FORM_REPLY,
		gateway.KindOrder:       conversationv1.MessageKind_MESSAGE_KIND_ORDER,
		gateway.KindCommand:     conversationv1.MessageKind_MESSAGE_KIND_COMMAND,
		gateway.KindEdit:        conversationv1.MessageKind_MESSAGE_KIND_EDIT,
		gateway.KindDeletion:    conversationv1.MessageKind_MESSAGE_KIND_DELETION,
		gateway.KindSystem:      conversationv1.MessageKind_MESSAGE_KIND_SYSTEM,
		gateway.KindUnsupported: conversationv1.MessageKind_MESSAGE_KIND_UNSUPPORTED,
	}
	return at(kinds[:], k)
}

func deliveryState(s gateway.DeliveryState) conversationv1.DeliveryState {
	states := [...]conversationv1.DeliveryState{
		gateway.StateSent:      conversationv1.DeliveryState_DELIVERY_STATE_SENT,
		gateway.StateDelivered: conversationv1.DeliveryState_DELIVERY_STATE_DELIVERED,
		gateway.StateRead:      conversationv1.DeliveryState_DELIVERY_STATE_READ,
		gateway.StatePlayed:    conversationv1.DeliveryState_DELIVERY_STATE_PLAYED,
		gateway.StateFailed:    conversationv1.DeliveryState_DELIVERY_STATE_FAILED,
	}
	return at(states[:], s)
}

func identityChangeKind(k gateway.IdentityChangeKind) conversationv1.IdentityChange_Kind {
	kinds := [...]conversationv1.IdentityChange_Kind{
		gateway.ChangePhoneNumber:  conversationv1.IdentityChange_KIND_PHONE_NUMBER,
		gateway.ChangeUserID:       conversationv1.IdentityChange_KIND_USER_ID,
		gateway.ChangeBlocked:      conversationv1.IdentityChange_KIND_BLOCKED,
		gateway.ChangeUnblocked:    conversationv1.IdentityChange_KIND_UNBLOCKED,
		gateway.ChangeChatMigrated: conversationv1.IdentityChange_KIND_CHAT_MIGRATED,
	}
	return at(kinds[:], k)
}

func rejectionReason(r gateway.RejectionReason) conversationv1.RejectionReason {
	reasons := [...]conversationv1.RejectionReason{
		gateway.RejectedMissingCredential: conversationv1.RejectionReason_REJECTION_REASON_MISSING_CREDENTIAL,
		gateway.RejectedWrongCredential:   conversationv1.RejectionReason_REJECTION_REASON_WRONG_CREDENTIAL,
		gateway.RejectedMalformedBody:     conversationv1.RejectionReason_REJECTION_REASON_MALFORMED_BODY,
		gateway.RejectedWrongVerifyToken:  conversationv1.RejectionReason_REJECTION_REASON_WRONG_VERIFY_TOKEN,
		gateway.RejectedBodyTooLarge:      conversationv1.RejectionReason_REJECTION_REASON_BODY_TOO_LARGE,
		gateway.RejectedForeignSource:     conversationv1.RejectionReason_REJECTION_REASON_FOREIGN_SOURCE,
	}
	return at(reasons[:], r)
}

// at gives what a value stands for, and the unspecified zero for one that is not in the table.
func at[K ~uint8, V any](table []V, k K) V {
	if int(k) >= len(table) {
		var unspecified V
		return unspecified
	}
	return table[k]
}
