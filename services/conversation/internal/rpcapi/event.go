package rpcapi

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
)

// Bounds of a webhook, as the contract says.
const (
	maxEvents     = 10_000
	maxKeyBytes   = 256
	maxLabelBytes = 256
)

func webhook(r *conversationv1.IngestWebhookRequest) (ingest.Webhook, error) {
	w := ingest.Webhook{Payload: r.GetPayload(), RemoteAddress: label(r.GetRemoteAddress())}
	var err error
	if w.Platform, err = platform(r.GetPlatform()); err != nil {
		return w, err
	}
	if len(r.GetEvents()) > maxEvents {
		return w, fault.Newf(fault.Invalid, "TOO_MANY_EVENTS", "a webhook has at most %d events", maxEvents)
	}
	if w.Payload == nil {
		w.Payload = []byte{}
	}
	for i, e := range r.GetEvents() {
		if e.GetKey() == "" || len(e.GetKey()) > maxKeyBytes {
			return w, fault.Newf(fault.Invalid, "KEY_INVALID", "event %d: a key has 1 to %d bytes", i, maxKeyBytes)
		}
		if e.GetIntegrationId() == "" && e.GetForeignNumber() == "" {
			return w, fault.Newf(fault.Invalid, "INTEGRATION_MISSING", "event %d: it belongs to no integration and to no foreign number", i)
		}
		w.Events = append(w.Events, event(e))
	}
	return w, nil
}

func rejection(r *conversationv1.RecordRejectedWebhookRequest) (conversation.Rejection, error) {
	p, err := platform(r.GetPlatform())
	if err != nil {
		return conversation.Rejection{}, err
	}
	reason, ok := map[conversationv1.RejectionReason]conversation.RejectionReason{
		conversationv1.RejectionReason_REJECTION_REASON_MISSING_CREDENTIAL: conversation.Unsigned,
		conversationv1.RejectionReason_REJECTION_REASON_WRONG_CREDENTIAL:   conversation.Forged,
		conversationv1.RejectionReason_REJECTION_REASON_MALFORMED_BODY:     conversation.MalformedBody,
		conversationv1.RejectionReason_REJECTION_REASON_WRONG_VERIFY_TOKEN: conversation.WrongVerifyToken,
		conversationv1.RejectionReason_REJECTION_REASON_BODY_TOO_LARGE:     conversation.BodyTooLarge,
		conversationv1.RejectionReason_REJECTION_REASON_FOREIGN_SOURCE:     conversation.ForeignSource,
	}[r.GetReason()]
	if !ok {
		return conversation.Rejection{}, fault.New(fault.Invalid, "REASON_MISSING", "the reason is missing")
	}
	return conversation.Rejection{Platform: p, RemoteAddress: label(r.GetRemoteAddress()), Reason: reason}, nil
}

func platform(p typev1.Platform) (conversation.Platform, error) {
	switch p {
	case typev1.Platform_PLATFORM_WHATSAPP:
		return conversation.WhatsApp, nil
	case typev1.Platform_PLATFORM_TELEGRAM:
		return conversation.Telegram, nil
	default:
		return "", fault.New(fault.Invalid, "PLATFORM_MISSING", "the platform is missing")
	}
}

// label bounds a text that only people look at, and keeps it one that PostgreSQL takes.
func label(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > maxLabelBytes {
		s = strings.ToValidUTF8(s[:maxLabelBytes], "")
	}
	return s
}

func event(e *conversationv1.Event) conversation.Event {
	out := conversation.Event{
		Key: e.GetKey(), Integration: conversation.IntegrationID(e.GetIntegrationId()), Kind: label(e.GetKind()),
		OccurTime: moment(e.GetOccurTime()), ForeignNumber: e.GetForeignNumber(),
	}
	switch c := e.GetContent().(type) {
	case *conversationv1.Event_Message:
		out.Content = message(c.Message)
	case *conversationv1.Event_ButtonPress:
		out.Content = press(c.ButtonPress)
	case *conversationv1.Event_DeliveryReport:
		out.Content = report(c.DeliveryReport)
	case *conversationv1.Event_IdentityChange:
		out.Content = &conversation.IdentityChange{
			Kind:  conversation.IdentityChangeKind(c.IdentityChange.GetKind()),
			OldID: c.IdentityChange.GetOldId(), NewID: c.IdentityChange.GetNewId(),
		}
	}
	return out
}

func moment(t *timestamppb.Timestamp) time.Time {
	if !t.IsValid() { // absent, too
		return time.Time{}
	}
	return t.AsTime()
}

func message(m *conversationv1.InboundMessage) *conversation.InboundMessage {
	return &conversation.InboundMessage{
		MessageID: m.GetMessageId(), Sender: sender(m.GetSender()), Address: address(m.GetAddress()), Kind: kinds()[m.GetKind()],
		Text: m.GetText(), Group: m.GetGroup(), Addressed: m.GetAddressed() || !m.GetGroup(), Echo: m.GetEcho(),
		ReplyToMessageID: m.GetReplyToMessageId(), QuotedText: m.GetQuotedText(), OriginalMessageID: m.GetOriginalMessageId(),
		ButtonID: m.GetButtonId(), Command: m.GetCommand(), AlbumID: m.GetAlbumId(), Forwarded: m.GetForwarded(),
		Media: media(m.GetMedia()), Location: location(m.GetLocation()), Contacts: contacts(m.GetContacts()),
		Referral: referral(m.GetReferral()), OrderItems: orderItems(m.GetOrderItems()),
	}
}

func sender(s *conversationv1.Sender) conversation.Sender {
	return conversation.Sender{
		UserID: s.GetUserId(), PhoneNumber: s.GetPhoneNumber(), Username: s.GetUsername(), DisplayName: label(s.GetDisplayName()),
		LanguageCode: s.GetLanguageCode(), Bot: s.GetBot(),
	}
}

func address(a *typev1.Address) conversation.Address {
	if c := a.GetChat(); c != nil {
		return conversation.Address{Chat: &conversation.Chat{
			ID: c.GetId(), ThreadID: c.GetMessageThreadId(), BusinessConnectionID: c.GetBusinessConnectionId(),
		}}
	}
	return conversation.Address{UserID: a.GetUser().GetUserId(), PhoneNumber: a.GetUser().GetPhoneNumber()}
}

func media(m *conversationv1.Media) *conversation.Media {
	if m == nil {
		return nil
	}
	return &conversation.Media{
		ID: m.GetId(), MIMEType: m.GetMimeType(), SHA256: m.GetSha256(), Filename: m.GetFilename(), SizeBytes: m.GetSizeBytes(),
	}
}

func location(l *conversationv1.Location) *conversation.Location {
	if l == nil {
		return nil
	}
	return &conversation.Location{
		Latitude: l.GetLatitude(), Longitude: l.GetLongitude(), Name: l.GetName(), Address: l.GetAddress(),
	}
}

func contacts(cards []*conversationv1.ContactCard) []conversation.ContactCard {
	var out []conversation.ContactCard
	for _, c := range cards {
		out = append(out, conversation.ContactCard{DisplayName: c.GetDisplayName(), PhoneNumbers: c.GetPhoneNumbers()})
	}
	return out
}

func referral(r *conversationv1.Referral) *conversation.Referral {
	if r == nil {
		return nil
	}
	return &conversation.Referral{Headline: r.GetHeadline(), Body: r.GetBody(), SourceURL: r.GetSourceUrl(), SourceID: r.GetSourceId()}
}

func orderItems(items []*conversationv1.OrderItem) []conversation.OrderItem {
	var out []conversation.OrderItem
	for _, i := range items {
		out = append(out, conversation.OrderItem{
			ProductID: i.GetProductId(), Quantity: i.GetQuantity(), Price: i.GetPrice(), Currency: i.GetCurrency(),
		})
	}
	return out
}

func press(p *conversationv1.ButtonPress) *conversation.ButtonPress {
	out := &conversation.ButtonPress{
		CallbackID: p.GetCallbackId(), Sender: sender(p.GetSender()), ButtonID: p.GetButtonId(), MessageID: p.GetMessageId(),
		Group: p.GetGroup(), Title: p.GetTitle(),
	}
	if p.GetAddress() != nil {
		a := address(p.GetAddress())
		out.Address = &a
	}
	return out
}

func report(r *conversationv1.DeliveryReport) *conversation.DeliveryReport {
	return &conversation.DeliveryReport{
		MessageID: r.GetMessageId(), State: conversation.DeliveryState(r.GetState()), Echo: r.GetEcho(), ErrorCode: r.GetErrorCode(),
		ErrorMessage: label(r.GetErrorMessage()), PricingCategory: label(r.GetPricingCategory()), Billable: r.GetBillable(),
		PricingModel: label(r.GetPricingModel()), PricingType: label(r.GetPricingType()),
	}
}
