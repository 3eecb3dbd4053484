package conversation

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

func toProto(events []gateway.Event) []*conversationv1.Event {
	out := make([]*conversationv1.Event, len(events))
	for i := range events {
		out[i] = event(&events[i])
	}
	return out
}

func event(e *gateway.Event) *conversationv1.Event {
	out := &conversationv1.Event{
		Key:           e.Key,
		IntegrationId: string(e.Integration),
		Kind:          e.Kind,
		ForeignNumber: e.ForeignNumber,
	}
	if !e.OccurTime.IsZero() {
		out.OccurTime = timestamppb.New(e.OccurTime)
	}
	switch c := e.Content.(type) {
	case *gateway.Message:
		out.Content = &conversationv1.Event_Message{Message: message(e.Integration, c)}
	case *gateway.ButtonPress:
		out.Content = &conversationv1.Event_ButtonPress{ButtonPress: buttonPress(e.Integration, c)}
	case *gateway.DeliveryReport:
		out.Content = &conversationv1.Event_DeliveryReport{DeliveryReport: deliveryReport(c)}
	case *gateway.IdentityChange:
		out.Content = &conversationv1.Event_IdentityChange{IdentityChange: identityChange(c)}
	}
	return out
}

func message(integration gateway.IntegrationID, m *gateway.Message) *conversationv1.InboundMessage {
	out := &conversationv1.InboundMessage{
		MessageId:         m.ID,
		Sender:            sender(&m.Sender),
		Address:           address(integration, m.Address),
		Kind:              messageKind(m.Kind),
		Text:              m.Text,
		Group:             m.Group,
		Addressed:         m.Addressed,
		Echo:              m.Echo,
		ReplyToMessageId:  m.ReplyToMessageID,
		QuotedText:        m.QuotedText,
		OriginalMessageId: m.OriginalMessageID,
		ButtonId:          m.ButtonID,
		Command:           m.Command,
		AlbumId:           m.AlbumID,
		Forwarded:         m.Forwarded,
	}
	attach(out, m)
	return out
}

func attach(out *conversationv1.InboundMessage, m *gateway.Message) {
	if f := m.Media; f != nil {
		out.Media = &conversationv1.Media{
			Id: f.ID, MimeType: f.MIMEType, Sha256: f.SHA256, Filename: f.Filename, SizeBytes: f.SizeBytes,
		}
	}
	if l := m.Location; l != nil {
		out.Location = &conversationv1.Location{Latitude: l.Latitude, Longitude: l.Longitude, Name: l.Name, Address: l.Address}
	}
	for _, c := range m.Contacts {
		out.Contacts = append(out.Contacts, &conversationv1.ContactCard{DisplayName: c.DisplayName, PhoneNumbers: c.PhoneNumbers})
	}
	if r := m.Referral; r != nil {
		out.Referral = &conversationv1.Referral{
			Headline: r.Headline, Body: r.Body, SourceUrl: r.SourceURL, SourceId: r.SourceID,
		}
	}
	for _, i := range m.OrderItems {
		out.OrderItems = append(out.OrderItems, &conversationv1.OrderItem{
			ProductId: i.ProductID, Quantity: i.Quantity, Price: i.Price, Currency: i.Currency,
		})
	}
}

func sender(s *gateway.Sender) *conversationv1.Sender {
	return &conversationv1.Sender{
		UserId: s.UserID, PhoneNumber: s.PhoneNumber, Username: s.Username,
		DisplayName: s.DisplayName, LanguageCode: s.LanguageCode, Bot: s.Bot,
	}
}

func address(integration gateway.IntegrationID, a gateway.Address) *typev1.Address {
	switch to := a.(type) {
	case gateway.WhatsAppUser:
		return &typev1.Address{IntegrationId: string(integration), Recipient: &typev1.Address_User{
			User: &typev1.WhatsAppUser{UserId: to.UserID, PhoneNumber: to.PhoneNumber},
		}}
	case gateway.TelegramChat:
		return &typev1.Address{IntegrationId: string(integration), Recipient: &typev1.Address_Chat{
			Chat: &typev1.TelegramChat{Id: to.ID, MessageThreadId: to.ThreadID, BusinessConnectionId: to.BusinessConnectionID},
		}}
	default:
		return nil
	}
}

func buttonPress(integration gateway.IntegrationID, p *gateway.ButtonPress) *conversationv1.ButtonPress {
	return &conversationv1.ButtonPress{
		CallbackId: p.CallbackID, Sender: sender(&p.Sender), Address: address(integration, p.Address),
		ButtonId: p.ButtonID, MessageId: p.MessageID, Group: p.Group, Title: p.Title,
	}
}

func deliveryReport(r *gateway.DeliveryReport) *conversationv1.DeliveryReport {
	return &conversationv1.DeliveryReport{
		MessageId: r.MessageID, State: deliveryState(r.State), Echo: r.Echo, ErrorCode: r.ErrorCode,
		ErrorMessage: r.ErrorMessage, PricingCategory: r.PricingCategory, Billable: r.Billable,
		PricingModel: r.PricingModel, PricingType: r.PricingType,
	}
}

func identityChange(c *gateway.IdentityChange) *conversationv1.IdentityChange {
	return &conversationv1.IdentityChange{Kind: identityChangeKind(c.Kind), OldId: c.OldID, NewId: c.NewID}
}
