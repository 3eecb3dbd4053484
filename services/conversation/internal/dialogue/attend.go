package dialogue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/platform/requestid"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// Ways in which a worker leaves a turn, as logs and metrics name them.
const (
	leftAnswered  = "answered"
	leftMoved     = "moved"
	leftPaused    = "paused"
	leftFailed    = "failed"
	leftPostponed = "postponed"
	leftHeld      = "held"
	leftDead      = "dead"
	leftAbandoned = "abandoned"
	leftReleased  = "released"
	leftLost      = "lost"
	leftDismissed = "dismissed"
	leftUnstored  = "unstored"
)

// errStopping ends what is being composed when the worker stops.
var errStopping = errors.New("stopping")

// report is the one log line of a turn.
type report struct {
	outcome string
	reason  string
	err     error
}

// attend takes one turn as far as it goes, as a request and a trace of its own.
func (w *Worker) attend(stop context.Context, t conversation.Turn) {
	begin := time.Now()
	ctx, span := w.trace(requestid.With(context.WithoutCancel(stop), requestid.New()), t)
	defer span.End()
	ctx, giveBack := w.leases.hold(ctx, t)
	defer giveBack()
	if t.Answer == nil && t.Attempt == 0 {
		w.Metrics.Phase(ctx, metrics.Waiting, t.OpenedAt)
	}
	r := w.guarded(ctx, stop, t)
	span.SetAttributes(attribute.String("knobot.outcome", r.outcome), attribute.String("knobot.reason", r.reason))
	w.Metrics.Turn(r.outcome)
	w.Log.Info("turn", logging.Request(ctx), zap.String("conversation", string(t.Conversation)), zap.String("integration", string(t.Integration)),
		zap.String("outcome", r.outcome), zap.String("reason", r.reason), zap.Int("attempt", t.Attempt), zap.Int("crashes", t.Crashes),
		zap.Duration("took", time.Since(begin)), zap.Error(r.err))
}

// trace begins the trace of a turn. It points to the webhooks that brought the messages, or to the turn that decided the answer.
func (w *Worker) trace(ctx context.Context, t conversation.Turn) (context.Context, trace.Span) {
	ctx, span := telemetry.Begin(ctx, w.Tracer, "turn", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("knobot.request_id", requestid.From(ctx)), attribute.String("knobot.conversation", string(t.Conversation)),
		attribute.String("knobot.integration", string(t.Integration)), attribute.String("knobot.platform", string(t.Platform)),
		attribute.Int("knobot.attempt", t.Attempt)))
	if t.Answer != nil {
		telemetry.Link(span, t.Answer.Trace)
	}
	return ctx, span
}

// guarded turns a panic into a recorded failure: a message that makes us panic must not take the process down.
func (w *Worker) guarded(ctx, stop context.Context, t conversation.Turn) (r report) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.Error("panic", logging.Request(ctx), zap.ByteString("stack", debug.Stack()))
			r = w.fail(ctx, t, "", &conversation.PeerError{Reason: "PANIC", Cause: fmt.Errorf("panic: %v", p)})
		}
	}()
	return w.answer(ctx, stop, t)
}

// answer settles what was decided before, else composes, decides and settles.
func (w *Worker) answer(ctx, stop context.Context, t conversation.Turn) report {
	if t.Crashes >= conversation.MaxCrashes {
		return w.follow(ctx, t, "", &conversation.PeerError{Verdict: conversation.Refused, Reason: "CRASHED_REPEATEDLY"})
	}
	if t.Answer == nil {
		a, r := w.compose(ctx, stop, t)
		if r != nil {
			return *r
		}
		t.Answer = &a
	}
	return w.settle(ctx, stop, t)
}

// compose makes a draft of an answer and takes it through the checkpoint.
func (w *Worker) compose(ctx, stop context.Context, t conversation.Turn) (conversation.Answer, *report) {
	d, err := stored(ctx, func(ctx context.Context) (conversation.Dialogue, error) { return w.Mailbox.Dialogue(ctx, t) })
	if err != nil {
		return conversation.Answer{}, ptr(w.leave(ctx, t, leftUnstored, err))
	}
	if d.Open, err = w.limit(ctx, t, d); err != nil {
		return conversation.Answer{}, ptr(w.leave(ctx, t, leftUnstored, err))
	}
	if len(d.Open) == 0 {
		return conversation.Answer{}, ptr(w.store(ctx, leftDismissed, "", func(ctx context.Context) error { return w.Mailbox.Dismiss(ctx, t) }))
	}
	for _, m := range d.Open {
		telemetry.Link(trace.SpanFromContext(ctx), m.Trace)
	}
	last := d.Open[len(d.Open)-1]
	composed, err := w.draft(ctx, stop, t, d)
	if err != nil {
		return conversation.Answer{}, ptr(w.failOrRelease(ctx, stop, t, last.Language, err))
	}
	draft := conversation.Draft{
		Text: composed.Text, Seen: t.Seq, Through: last.Position, Language: last.Language, Basis: composed.Basis,
	}
	in, _ := w.Integrations.Get(t.Integration)
	switch {
	case d.Group:
		draft.ReplyTo = last.PlatformMessageID // and no buttons: anybody could press them
	case in.Suggestions:
		draft.Buttons = conversation.ButtonsFor(composed, t.Platform)
	}
	a, err := stored(ctx, func(ctx context.Context) (conversation.Answer, error) { return w.Mailbox.Checkpoint(ctx, t, draft) })
	if err != nil {
		return a, ptr(w.leave(ctx, t, leftUnstored, err))
	}
	a.ModelTime = composed.ModelTime
	return a, nil
}

// settle sees an answer out that is decided.
func (w *Worker) settle(ctx, stop context.Context, t conversation.Turn) report {
	a := *t.Answer
	sending, cancel := withGrace(ctx, stop)
	defer cancel()
	begin := time.Now()
	sent, err := w.Courier.Send(sending, t, a)
	w.Metrics.Phase(ctx, metrics.Sending, begin)
	if err != nil {
		return w.failOrRelease(ctx, stop, t, a.Language, err)
	}
	if a.Purpose == conversation.Reply {
		w.Metrics.Answered(ctx, t.OpenedAt, a.ModelTime)
	}
	return w.store(ctx, leftAnswered, string(a.Purpose), func(ctx context.Context) error { return w.Mailbox.Finish(ctx, t, a, sent) })
}

// withGrace ends some time after stop does: a send that is under way is better seen out than asked for again.
func withGrace(ctx, stop context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := context.AfterFunc(stop, func() {
		timer := time.AfterFunc(sendGrace, func() { cancel(errStopping) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() { end(); cancel(nil) }
}

// failOrRelease hands a turn back that was broken off by ourselves, and records the failure of any other.
func (w *Worker) failOrRelease(ctx, stop context.Context, t conversation.Turn, language string, err error) report {
	switch {
	case errors.Is(context.Cause(ctx), conversation.ErrLeaseLost):
		return report{outcome: leftLost}
	case stop.Err() != nil:
		return w.store(ctx, leftReleased, "", func(ctx context.Context) error { return w.Mailbox.Release(ctx, t) })
	default:
		return w.fail(ctx, t, language, err)
	}
}

// leave says how a call of the mailbox ended that was not the last one.
func (w *Worker) leave(ctx context.Context, t conversation.Turn, outcome string, err error) report {
	switch {
	case errors.Is(err, conversation.ErrMoved):
		return report{outcome: leftMoved}
	case errors.Is(err, conversation.ErrPaused):
		return report{outcome: leftPaused}
	case errors.Is(err, conversation.ErrLeaseLost), errors.Is(context.Cause(ctx), conversation.ErrLeaseLost):
		return report{outcome: leftLost}
	default: // handed back, so that the end of the lease is not taken for a crash
		_ = w.Mailbox.Release(context.WithoutCancel(ctx), t)
		return report{outcome: outcome, err: err}
	}
}

// store makes the last call of a turn.
func (w *Worker) store(ctx context.Context, outcome, reason string, call func(context.Context) error) report {
	_, err := stored(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	switch {
	case err == nil:
		return report{outcome: outcome, reason: reason}
	case errors.Is(err, conversation.ErrLeaseLost):
		return report{outcome: leftLost}
	default:
		return report{outcome: leftUnstored, reason: reason, err: err}
	}
}

// storeTries is how often a call is repeated while the database is away: forgetting what has been sent costs a second send.
const storeTries = 5

// stored makes a call of the mailbox. It goes on while the worker stops: what was done has to be written down.
func stored[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	for try := 1; ; try++ {
		v, err := call(ctx)
		if err == nil || try == storeTries || final(err) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(time.Duration(try*try) * 50 * time.Millisecond):
		}
	}
}

func final(err error) bool {
	return errors.Is(err, conversation.ErrLeaseLost) || errors.Is(err, conversation.ErrMoved) || errors.Is(err, conversation.ErrPaused)
}

func ptr[T any](v T) *T { return &v }
