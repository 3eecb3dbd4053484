package delivery

import (
	"context"
	"errors"
	"math"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// RecordReports takes what a provider says of our messages and returns what each did, in their order. A report finds its
// message by the echo of our correlation string, which may come before the provider answers our call, else by message id.
// Reports on other people's messages, and on those of other integrations, do nothing. It may be repeated.
func (s *Service) RecordReports(ctx context.Context, integrationID string, reports []channels.Report) ([]channels.ReportOutcome, error) {
	outcomes := make([]channels.ReportOutcome, len(reports))
	for n, r := range reports {
		var err error
		if outcomes[n], err = s.report(ctx, integrationID, r); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (s *Service) report(ctx context.Context, integrationID string, r channels.Report) (channels.ReportOutcome, error) {
	if requestID, step, ok := channels.ParseEcho(r.Echo); ok {
		outcome, err := s.apply(ctx, integrationID, requestID, step, r)
		if err != nil || outcome.RequestID != "" {
			return outcome, err
		}
	}
	requestID, step, err := s.store.FindMessage(ctx, integrationID, r.MessageID)
	if errors.Is(err, channels.ErrNotFound) {
		return channels.ReportOutcome{}, nil
	}
	if err != nil {
		return channels.ReportOutcome{}, err
	}
	return s.apply(ctx, integrationID, requestID, step, r)
}

// apply records a report on a try. Its outcome is empty if the delivery is not this integration's.
func (s *Service) apply(
	ctx context.Context, integrationID, requestID string, step channels.Step, r channels.Report,
) (channels.ReportOutcome, error) {
	var outcome channels.ReportOutcome
	var l lateFailure
	err := s.store.Step(ctx, requestID, func(d *channels.Delivery, _ time.Time) bool {
		if d.IntegrationID != integrationID {
			return false
		}
		l = s.lateFailure(*d, step, r)
		r.Curable = l.curable()
		l.times = d.Apply(step, r)
		outcome = channels.ReportOutcome{RequestID: d.RequestID, State: d.State()}
		return true
	})
	if errors.Is(err, channels.ErrNotFound) {
		return channels.ReportOutcome{}, nil
	}
	if err != nil || outcome.RequestID == "" || r.State != channels.DeliveryFailed {
		return outcome, err
	}
	s.meter.failedLate(l.platform, l.failure.Class)
	outcome.WindowClosed = l.failure.Class == channels.ClassWindowClosed
	outcome.RetryAfter = s.follow(ctx, l)
	return outcome, nil
}

// lateFailure is a failure that a report tells of.
type lateFailure struct {
	failure  channels.SendError
	request  string
	platform channels.Platform
	to       channels.Address
	// tried is when the message was sent.
	tried time.Time
	// times is how often this message has failed so, 0 if it is not sent again.
	times int
}

func (s *Service) lateFailure(d channels.Delivery, step channels.Step, r channels.Report) lateFailure {
	l := lateFailure{
		failure: channels.SendError{Class: channels.ClassInvalid, Code: r.ErrorCode, Message: wire.Explanation(r.ErrorMessage)},
		request: d.RequestID, platform: d.Platform,
		// The recipient goes by the same name whichever of its ids that is.
		to: channels.Address{IntegrationID: d.IntegrationID, WhatsApp: &channels.WhatsAppUser{UserID: d.Recipient}},
	}
	if classify := s.providers[d.Platform].Classify; classify != nil && r.ErrorCode != 0 {
		l.failure.Class = classify(r.ErrorCode)
	}
	if step.Part >= 0 && step.Part < len(d.Parts) {
		l.tried = d.Parts[step.Part].TryTime
	}
	return l
}

func (l *lateFailure) curable() bool {
	switch l.failure.Class {
	case channels.ClassRetry, channels.ClassThrottled, channels.ClassPairThrottled:
		return true
	default:
		return false
	}
}

// lateBase is the base of the pauses, in seconds, before a message is sent again that failed late: 4, 16 and 64 s.
const lateBase = 4

// follow does what a reported failure asks for beyond its message, and returns after how long that is sent again, 0 for never.
func (s *Service) follow(ctx context.Context, l lateFailure) (retryAfter time.Duration) {
	if l.times > 0 {
		retryAfter = time.Duration(math.Pow(lateBase, float64(l.times))) * time.Second
	}
	switch l.failure.Class {
	case channels.ClassStopIntegration:
		if !l.tried.IsZero() {
			s.stop(ctx, l.to.IntegrationID, l.tried, &l.failure)
		}
	case channels.ClassThrottled, channels.ClassPairThrottled:
		pause, err := s.pacer.Slow(ctx, l.to, &l.failure)
		if err != nil {
			s.log.Error("pause not stored", zap.Error(err))
		}
		if l.times > 0 {
			retryAfter = max(pause, time.Second)
		}
	default: // Nothing beyond this message.
	}
	s.log.Warn("message failed after it was sent", logging.Request(ctx), zap.String("delivery", l.request), zap.String("integration", l.to.IntegrationID),
		zap.Stringer("class", l.failure.Class), zap.Int("code", l.failure.Code), zap.String("provider_says", l.failure.Message),
		zap.Duration("retry_after", retryAfter))
	return retryAfter
}
