package delivery

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// route is what a call needs to know beyond what is stored.
type route struct {
	to        channels.Address
	replyTo   string
	windowEnd time.Time
}

// run is one call of Send: it steps through the parts that are not settled. Between steps everything is in the store.
type run struct {
	service     *Service
	route       route
	token       string
	fingerprint []byte
	credentials channels.Credentials
	permit      error

	delivery channels.Delivery
	step     channels.Step
	err      error
}

func (s *Service) deliver(ctx context.Context, fresh channels.Delivery, to route) (channels.Delivery, error) {
	integration, err := s.integrations.Open(ctx, to.to.IntegrationID)
	if err != nil {
		return channels.Delivery{}, err
	}
	if integration.Platform != fresh.Platform {
		return channels.Delivery{}, wrongPlatform()
	}
	permit, err := s.permit(ctx, integration, to)
	if err != nil {
		return channels.Delivery{}, err
	}
	r := &run{
		service: s, route: to, token: uuid.NewString(), fingerprint: fresh.Fingerprint,
		credentials: integration.Credentials(), permit: permit,
	}
	if err := s.store.Open(ctx, fresh, r.next(ctx)); err != nil {
		return channels.Delivery{}, err
	}
	for r.err == nil && !r.step.Done {
		r.try(ctx)
	}
	return r.delivery, asFault(r.err)
}

// permit returns why nothing may be sent now, nil if it may. What has been sent is returned all the same, so this is no
// error of the call yet.
func (s *Service) permit(ctx context.Context, i channels.Integration, to route) (refusal, err error) {
	if refusal := refusalOf(i); refusal != nil {
		return refusal, nil
	}
	if !to.windowEnd.IsZero() && to.to.WhatsApp != nil && !time.Now().Before(to.windowEnd) {
		return windowClosed(), nil
	}
	refusal = s.pacer.Permit(ctx, to.to)
	if refusal != nil && !fault.IsKind(refusal, fault.Throttled) {
		return nil, refusal
	}
	return refusal, nil
}

// next returns the step that decides what to do and, if that is to send, writes the intent. A request of which nothing was
// ever tried is not kept.
func (r *run) next(ctx context.Context) func(d *channels.Delivery, now time.Time) bool {
	return func(d *channels.Delivery, now time.Time) bool {
		if !bytes.Equal(d.Fingerprint, r.fingerprint) {
			r.err = fault.New(fault.Conflict, "REQUEST_ID_REUSED", "the request_id was used for another message")
			return false
		}
		permit := r.permit
		if ctx.Err() != nil {
			permit = ctx.Err() // Nobody waits for the rest: it stays for the next call.
		}
		r.step, r.err = d.Next(r.token, r.service.timing, now, permit)
		r.delivery = *d
		return d.Tried()
	}
}

// try calls the provider and records the outcome, together with the intent of the next part. From the intent to the record
// nothing heeds the caller's going away, because a call that is cut off in the middle is a message in doubt.
func (r *run) try(ctx context.Context) {
	r.service.running.Add(1)
	defer r.service.running.Done()
	messageID, failure := r.send(ctx)
	r.service.count(r.delivery.Platform, failure)
	step := r.step
	err := r.record(ctx, func(d *channels.Delivery, now time.Time) bool {
		switch {
		case failure == nil:
			d.Sent(step, messageID)
			r.next(ctx)(d, now)
		case failure.Class == channels.ClassInDoubt:
			if r.err = d.Doubtful(r.token, step, r.service.timing, now); r.err == nil {
				r.next(ctx)(d, now)
			}
		default:
			d.NotSent(r.token, step, failure, final(failure.Class))
			r.err = failure
		}
		r.delivery = *d
		return true
	})
	if err != nil {
		r.service.log.Error("outcome of a call to the provider could not be stored; it is in doubt now",
			zap.String("delivery", r.delivery.RequestID), zap.Int("part", step.Part), zap.Error(err))
		r.err = err
		return
	}
	if failure != nil {
		r.fail(ctx, step, failure)
	}
}

// send calls the provider, once more where a group has moved.
func (r *run) send(ctx context.Context) (string, *channels.SendError) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.service.callTimeout)
	defer cancel()
	messageID, failure := r.call(ctx)
	if failure != nil && failure.Class == channels.ClassMigrated && r.route.to.Telegram != nil && failure.MigrateToChatID != 0 {
		moved := *r.route.to.Telegram
		moved.ID = failure.MigrateToChatID
		r.route.to.Telegram = &moved
		messageID, failure = r.call(ctx)
	}
	return messageID, failure
}

func (r *run) call(ctx context.Context) (string, *channels.SendError) {
	request := channels.SendRequest{
		Address: r.route.to, Part: r.delivery.Parts[r.step.Part].Content, Template: r.delivery.Template,
		Echo: channels.Echo(r.delivery.RequestID, r.step),
	}
	if r.step.Part == 0 {
		request.ReplyTo = r.route.replyTo
	}
	messageID, err := r.service.providers[r.delivery.Platform].Sender.Send(ctx, r.credentials, request)
	if err == nil {
		return messageID, nil
	}
	if e, ok := errors.AsType[*channels.SendError](err); ok {
		return "", e
	}
	return "", &channels.SendError{Class: channels.ClassInDoubt, Message: "the provider's client failed", Err: err}
}

// record stores an outcome, trying again while the database is away: an outcome that gets lost is a message in doubt.
func (r *run) record(ctx context.Context, step func(d *channels.Delivery, now time.Time) bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTimeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := r.service.store.Step(ctx, r.delivery.RequestID, step)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// fail does what a failure asks for beyond this message, and turns it into the caller's error.
func (r *run) fail(ctx context.Context, step channels.Step, failure *channels.SendError) {
	ctx = context.WithoutCancel(ctx)
	s, to := r.service, r.route.to
	s.log.Warn("message not sent", zap.String("delivery", r.delivery.RequestID), zap.String("integration", to.IntegrationID),
		zap.Int("part", step.Part), zap.Int("try", step.Try), zap.Stringer("class", failure.Class), zap.Int("code", failure.Code),
		zap.String("provider_says", failure.Message))
	switch failure.Class {
	case channels.ClassStopIntegration:
		s.stop(ctx, to.IntegrationID, r.delivery.Parts[step.Part].TryTime, failure)
	case channels.ClassThrottled, channels.ClassPairThrottled:
		wait, err := s.pacer.Slow(ctx, to, failure)
		if err != nil {
			s.log.Error("pause not stored", zap.Error(err))
		}
		paused := *failure
		paused.RetryAfter = max(wait, failure.RetryAfter, time.Second)
		r.err = &paused
	default: // Nothing beyond this message.
	}
}

func (s *Service) stop(ctx context.Context, integrationID string, tried time.Time, failure *channels.SendError) {
	stop(ctx, s.integrations, integrationID, tried, failure, s.log)
}
