package rpcapi

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
)

const (
	maxRequestID = 64
	maxID        = 256
	maxNotice    = 200
	maxReports   = 1000
	maxReported  = 1000
)

var phoneNumber = regexp.MustCompile(`^\+?[0-9]{5,20}$`)

func message(r *channelsv1.SendMessageRequest) (delivery.Message, error) {
	to, err := address(r.GetAddress())
	says, contentErr := content(r.GetContent(), to)
	m := delivery.Message{RequestID: r.GetRequestId(), To: to, Content: says, ReplyTo: r.GetReplyToMessageId()}
	if t := r.GetServiceWindowExpireTime(); t != nil {
		m.WindowExpireTime = t.AsTime()
	}
	err = firstError(ascii("request_id", m.RequestID, 1, maxRequestID), err, contentErr, ascii("reply_to_message_id", m.ReplyTo, 0, maxID))
	if err == nil && m.Reaction != nil && m.ReplyTo != "" {
		err = conflict("reply_to_message_id", "a reaction quotes nothing")
	}
	return m, err
}

func address(a *typev1.Address) (channels.Address, error) {
	to := channels.Address{IntegrationID: a.GetIntegrationId()}
	switch recipient := a.GetRecipient().(type) {
	case *typev1.Address_User:
		u := channels.WhatsAppUser{UserID: recipient.User.GetUserId(), Phone: recipient.User.GetPhoneNumber()}
		to.WhatsApp = &u
		if u.Phone != "" && !phoneNumber.MatchString(u.Phone) {
			return to, invalid("address.user.phone_number", "5 to 20 digits are needed")
		}
		if u.UserID == "" && u.Phone == "" {
			return to, invalid("address.user", "user_id or phone_number is needed")
		}
		return to, ascii("address.user.user_id", u.UserID, 0, maxID)
	case *typev1.Address_Chat:
		chat := recipient.Chat
		to.Telegram = &channels.TelegramChat{
			ID: chat.GetId(), ThreadID: chat.GetMessageThreadId(), BusinessConnectionID: chat.GetBusinessConnectionId(),
		}
		if chat.GetId() == 0 {
			return to, invalid("address.chat.id", "is missing")
		}
		return to, ascii("address.chat.business_connection_id", chat.GetBusinessConnectionId(), 0, maxID)
	default:
		return to, invalid("address", "a user or a chat is needed")
	}
}

// notice checks the text of a popup, in characters as Telegram counts.
func notice(field, s string) error {
	if utf8.RuneCountInString(s) > maxNotice {
		return invalid(field, "more than %d characters", maxNotice)
	}
	return nil
}

func reports(r *channelsv1.RecordDeliveryReportsRequest) ([]channels.Report, error) {
	if uuid.Validate(r.GetIntegrationId()) != nil {
		return nil, invalid("integration_id", "is not an integration's")
	}
	if len(r.GetReports()) > maxReports {
		return nil, invalid("reports", "at most %d", maxReports)
	}
	out := make([]channels.Report, len(r.GetReports()))
	for n, p := range r.GetReports() {
		out[n] = report(p)
	}
	return out, nil
}

func report(r *conversationv1.DeliveryReport) channels.Report {
	state := channels.DeliveryState(r.GetState())
	if state < channels.DeliveryUnspecified || state > channels.DeliveryFailed {
		state = channels.DeliveryUnspecified
	}
	return channels.Report{
		MessageID: clean(r.GetMessageId()), State: state, Echo: clean(r.GetEcho()), ErrorCode: int(r.GetErrorCode()),
		ErrorMessage: clean(r.GetErrorMessage()),
		Pricing: channels.Pricing{
			Billable: r.GetBillable(), Model: clean(r.GetPricingModel()), Type: clean(r.GetPricingType()), Category: clean(r.GetPricingCategory()),
		},
	}
}

func outcomesProto(outcomes []channels.ReportOutcome) []*channelsv1.RecordDeliveryReportsResponse_Outcome {
	out := make([]*channelsv1.RecordDeliveryReportsResponse_Outcome, len(outcomes))
	for n, o := range outcomes {
		out[n] = &channelsv1.RecordDeliveryReportsResponse_Outcome{
			RequestId: o.RequestID, State: stateProto(o.State), WindowClosed: o.WindowClosed,
		}
		if o.RetryAfter > 0 {
			out[n].RetryAfter = durationpb.New(o.RetryAfter)
		}
	}
	return out
}

func deliveryProto(d channels.Delivery) *channelsv1.Delivery {
	out := &channelsv1.Delivery{RequestId: d.RequestID, MaybeDuplicate: d.MaybeDuplicate, State: stateProto(d.State())}
	for _, p := range d.Parts {
		out.Parts = append(out.Parts, &channelsv1.DeliveryPart{
			MessageId: p.MessageID, State: stateProto(p.State), ErrorMessage: p.ErrorMessage, Pricing: pricingProto(p.Pricing),
		})
	}
	return out
}

// pricingProto is nil until something is known.
func pricingProto(p channels.Pricing) *channelsv1.Pricing {
	if p == (channels.Pricing{}) {
		return nil
	}
	return &channelsv1.Pricing{Billable: p.Billable, Model: p.Model, Type: p.Type, Category: p.Category}
}

// stateProto relies on both enums having the same order, which a test checks.
func stateProto(s channels.DeliveryState) conversationv1.DeliveryState {
	return conversationv1.DeliveryState(int32Of(int(s)))
}

// clean makes a provider's string fit for the database: bounded, valid and without NUL.
func clean(s string) string {
	s = s[:min(len(s), maxReported)]
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\ufffd")
}
