package delivery

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

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
	var found channels.Delivery
	err := s.store.Step(ctx, requestID, func(d *channels.Delivery, _ time.Time) bool {
		if d.IntegrationID != integrationID {
			return false
		}
		d.Apply(step, r)
		found, outcome = *d, channels.ReportOutcome{RequestID: d.RequestID, State: d.State()}
		return true
	})
	if errors.Is(err, channels.ErrNotFound) {
		return channels.ReportOutcome{}, nil
	}
	if err != nil || outcome.RequestID == "" || r.State != channels.DeliveryFailed {
		return outcome, err
	}
	outcome.WindowClosed = s.failed(ctx, found, step, r)
	return outcome, nil
}

// failed does what a reported failure asks for beyond its message, and says whether the window was closed.
func (s *Service) failed(ctx context.Context, d channels.Delivery, step channels.Step, r channels.Report) (windowClosed bool) {
	class := channels.ClassInvalid
	if classify := s.providers[d.Platform].Classify; classify != nil && r.ErrorCode != 0 {
		class = classify(r.ErrorCode)
	}
	said := wire.Explanation(r.ErrorMessage)
	s.log.Warn("message failed after it was sent", zap.String("delivery", d.RequestID), zap.String("integration", d.IntegrationID),
		zap.Stringer("class", class), zap.Int("code", r.ErrorCode), zap.String("provider_says", said))
	if class == channels.ClassStopIntegration && step.Part >= 0 && step.Part < len(d.Parts) {
		failure := &channels.SendError{Class: class, Code: r.ErrorCode, Message: said}
		s.stop(ctx, d.IntegrationID, d.Parts[step.Part].TryTime, failure)
	}
	return class == channels.ClassWindowClosed
}
