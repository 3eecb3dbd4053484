package whatsapp

import (
	"encoding/json"
	"math"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// status decodes how far a message of ours came. A status that is not known here is recorded only.
func (d *decoder) status(raw json.RawMessage) {
	var s status
	_ = lenient.Unmarshal(raw, &s)
	e := gateway.Event{Kind: word("status", s.Status), OccurTime: lenient.Time(s.Timestamp, d.now)}
	if s.ID == "" || s.Status == "" {
		e.Key = lenient.Digest(raw)
		d.emit(e)
		return
	}
	e.Key = lenient.Key("status", string(s.ID), string(s.Status))
	if state := s.state(); state != 0 {
		e.Content = s.report(state)
	}
	d.emit(e)
}

func (s *status) state() gateway.DeliveryState {
	switch s.Status {
	case "sent":
		return gateway.StateSent
	case "delivered":
		return gateway.StateDelivered
	case "read":
		return gateway.StateRead
	case "played":
		return gateway.StatePlayed
	case "failed":
		return gateway.StateFailed
	default:
		return 0
	}
}

func (s *status) report(state gateway.DeliveryState) *gateway.DeliveryReport {
	r := &gateway.DeliveryReport{
		MessageID: lenient.ID(s.ID), State: state, Echo: lenient.Label(s.Echo),
		PricingCategory: lenient.Clip(s.Pricing.Category, 64), Billable: bool(s.Pricing.Billable),
		PricingModel: lenient.Clip(s.Pricing.Model, 64), PricingType: lenient.Clip(s.Pricing.Type, 64),
	}
	if len(s.Errors) > 0 {
		failure := s.Errors[0]
		r.ErrorMessage = lenient.Label(failure.Title)
		if failure.ErrorData.Details != "" {
			r.ErrorMessage += ": " + lenient.URL(failure.ErrorData.Details)
		}
		if failure.Code > 0 && failure.Code <= math.MaxInt32 {
			r.ErrorCode = int32(failure.Code)
		}
	}
	return r
}
