package delivery

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/services/channels"
)

// route is what a call needs to know beyond what is stored.
type route struct {
	to        channels.Address
	replyTo   string
	windowEnd time.Time
	// missing is why a stored file cannot be sent. What was sent before is returned all the same.
	missing error
}

// run is one call of Send, which asked for a delivery: it steps through the parts that are not settled. Between steps everything is in the store.
type run struct {
	service     *Service
	route       route
	token       string
	asked       channels.Delivery
	credentials channels.Credentials
	// permit is why the next part may not be sent, nil if it may; used says that a call was made on it.
	permit error
	used   bool
	// reached says that the provider was found to be there.
	reached bool

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
	r := &run{
		service: s, route: to, token: uuid.NewString(), asked: fresh, credentials: integration.Credentials(),
	}
	if r.permit, err = s.permit(ctx, integration, to); err != nil {
		return channels.Delivery{}, asFault(err)
	}
	if err := s.store.Open(ctx, fresh, r.next(ctx)); err != nil {
		r.unpermit(ctx)
		return channels.Delivery{}, err
	}
	for r.trying() || errors.Is(r.err, errUnreached) {
		if r.err != nil {
			r.reach(ctx)
		} else if r.try(ctx); r.err == nil && !r.step.Done {
			r.goOn(ctx, integration)
		}
	}
	r.unpermit(ctx)
	if r.err == nil && r.delivery.Unknown() {
		r.err = outcomeUnknown()
	}
	if fault.ReasonOf(r.err) == reasonWindowClosed { // the provider's word is no fault yet
		s.meter.windowBy("clock", channels.ClassWindowClosed)
	}
	return r.delivery, asFault(r.err)
}

// permit returns why nothing may be sent now, nil if a message may. What has been sent is returned all the same, so this is
// no error of the call yet. It may take a moment: a message that is only early waits for its turn.
func (s *Service) permit(ctx context.Context, i channels.Integration, to route) (refusal, err error) {
	if refusal := refusalOf(i); refusal != nil {
		return refusal, nil
	}
	if to.missing != nil {
		return to.missing, nil
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

// trying says that a call to the provider is due.
func (r *run) trying() bool { return r.err == nil && !r.step.Done }

// unpermit gives back the permit of a message that nobody sends: the request is done, or somebody else is sending it.
func (r *run) unpermit(ctx context.Context) {
	if r.permit == nil && !r.used {
		r.service.pacer.Return(ctx, r.route.to)
	}
}

// next returns the step that decides what to do and, if that is to send, writes the intent. A request of which nothing was
// ever tried is not kept.
func (r *run) next(ctx context.Context) func(d *channels.Delivery, now time.Time) bool {
	return func(d *channels.Delivery, now time.Time) bool {
		switch {
		case !bytes.Equal(d.Fingerprint, r.asked.Fingerprint):
			r.err = fault.New(fault.Conflict, "REQUEST_ID_REUSED", "the request_id was used for another message")
			return false
		case !d.Restore(r.asked):
			r.err = fault.New(fault.Invalid, "MESSAGE_REFUSED", "what failed late cannot be sent again: it is rendered otherwise now")
			return false
		}
		if !r.reached && r.permit == nil && d.RepeatsNext(r.token, r.service.timing, now) {
			r.delivery, r.err = *d, errUnreached
			return d.Tried()
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

// errUnreached says that the one repeat of a message in doubt is due, and that nobody knows whether the provider is there.
var errUnreached = errors.New("the provider was not asked yet")

// unreachedPause is how soon to come back to a message in doubt whose provider is away.
const unreachedPause = 2 * time.Second

// reach asks the provider whether it is there, and goes on with the repeat if it is. What made the first try doubtful mostly
// lasts: without this a provider that is away for some seconds would use up both tries, and nobody would get the answer.
func (r *run) reach(ctx context.Context) {
	if ask := r.service.providers[r.delivery.Platform].Reach; ask != nil {
		asking, cancel := context.WithTimeout(ctx, r.service.callTimeout)
		err := ask(asking, r.credentials)
		cancel()
		failure, ok := errors.AsType[*channels.SendError](err)
		if err != nil && (!ok || failure.Class == channels.ClassInDoubt || failure.Class == channels.ClassRetry) {
			r.service.log.Warn("provider is away, a message in doubt waits", logging.Request(ctx), zap.String("delivery", r.delivery.RequestID), zap.Error(err))
			r.err = &channels.WaitError{Reason: channels.ErrInDoubt, RetryAfter: unreachedPause}
			return
		}
	}
	r.reached, r.err = true, nil
	if err := r.record(ctx, r.next(ctx)); err != nil {
		r.err = err
	}
}

// goOn gets a permit for the next part and writes its intent. The outcome of the part before is recorded and the lease is
// still ours, so that waiting leaves nothing in doubt and nobody else sends meanwhile. Without a permit the lease is given back.
func (r *run) goOn(ctx context.Context, i channels.Integration) {
	permit, err := r.service.permit(ctx, i, r.route)
	if err != nil {
		permit = err
	}
	r.permit, r.used = permit, false
	if err := r.record(ctx, r.next(ctx)); err != nil {
		r.err = err
	}
}

// try calls the provider and records the outcome. From the intent to the record nothing heeds the caller's going away,
// because a call that is cut off in the middle is a message in doubt.
func (r *run) try(ctx context.Context) {
	r.service.running.Add(1)
	defer r.service.running.Done()
	r.used = true
	begin := time.Now()
	messageID, failure := r.send(ctx)
	r.service.meter.send(ctx, r.delivery.Platform, begin, failure)
	step := r.step
	err := r.record(ctx, func(d *channels.Delivery, now time.Time) bool {
		switch {
		case failure == nil:
			d.Sent(step, messageID)
			r.settle(ctx, d, now)
		case failure.Class == channels.ClassInDoubt:
			if r.err = d.Doubtful(r.token, step, r.service.timing, now); r.err == nil {
				r.settle(ctx, d, now)
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
			logging.Request(ctx), zap.String("delivery", r.delivery.RequestID), zap.Int("part", step.Part), zap.Error(err))
		r.err = err
		return
	}
	if failure != nil {
		r.fail(ctx, step, failure)
	}
}

// settle ends the request with the outcome of its last part, or once nobody waits for the rest.
func (r *run) settle(ctx context.Context, d *channels.Delivery, now time.Time) {
	if d.Settled() || ctx.Err() != nil {
		r.next(ctx)(d, now)
	}
}

// send calls the provider, once more where a group has moved.
func (r *run) send(ctx context.Context) (string, *channels.SendError) {
	timeout := r.service.callTimeout
	if r.delivery.HandsOver(r.step.Part) {
		timeout += r.service.timing.Upload
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
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
	s.log.Warn("message not sent", logging.Request(ctx), zap.String("delivery", r.delivery.RequestID), zap.String("integration", to.IntegrationID),
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
