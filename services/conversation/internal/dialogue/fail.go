package dialogue

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/knobot/knobot/services/conversation"
)

// leastWait is how long a turn is put off at least when a peer does not say.
const leastWait = time.Second

// fail does what the failure of a peer means for the turn.
func (w *Worker) fail(ctx context.Context, t conversation.Turn, language string, err error) report {
	var p *conversation.PeerError
	if !errors.As(err, &p) {
		p = &conversation.PeerError{Reason: "INTERNAL", Cause: err}
	}
	if p.Verdict == conversation.Away {
		w.noteAway()
	}
	r := w.follow(ctx, t, language, p)
	r.reason, r.err = p.Reason, cmp.Or(r.err, p.Cause)
	return r
}

func (w *Worker) follow(ctx context.Context, t conversation.Turn, language string, p *conversation.PeerError) report {
	aside := t.Answer != nil && t.Answer.Purpose != conversation.Reply
	switch p.Verdict {
	case conversation.Wait, conversation.Away:
		delay := max(p.RetryAfter, leastWait)
		return w.store(ctx, leftPostponed, "", func(ctx context.Context) error { return w.Mailbox.Postpone(ctx, t, delay) })
	case conversation.Retry:
		return w.retry(ctx, t, language, p, aside)
	}
	switch {
	case aside:
		return w.store(ctx, leftAbandoned, "", func(ctx context.Context) error { return w.Mailbox.Abandon(ctx, t, *t.Answer, p.Reason) })
	case p.Verdict == conversation.WindowClosed && t.Answer != nil:
		return w.hold(ctx, t)
	case p.Verdict == conversation.Unreachable:
		return w.bury(ctx, t, p.Reason, "")
	default:
		return w.bury(ctx, t, p.Reason, w.apology(t, language))
	}
}

// retry records a failure, or gives up after the last one.
func (w *Worker) retry(ctx context.Context, t conversation.Turn, language string, p *conversation.PeerError, aside bool) report {
	failure := t.Attempt + 1
	switch {
	case aside && failure >= attempts(t.Answer.Purpose):
		return w.store(ctx, leftAbandoned, "", func(ctx context.Context) error { return w.Mailbox.Abandon(ctx, t, *t.Answer, p.Reason) })
	case !aside && failure >= conversation.MaxAttempts:
		return w.bury(ctx, t, p.Reason, w.apology(t, language))
	}
	delay := max(conversation.Backoff(failure), p.RetryAfter)
	return w.store(ctx, leftFailed, "", func(ctx context.Context) error { return w.Mailbox.Fail(ctx, t, p.Reason, delay) })
}

// attempts is how often what we say beside answers is tried. What staff wrote is worth as much as an answer.
func attempts(p conversation.Purpose) int {
	if p == conversation.ByStaff {
		return conversation.MaxAttempts
	}
	return conversation.MaxSideAttempts
}

// hold keeps an answer until the customer writes again, and invites to it where a template was approved for that.
func (w *Worker) hold(ctx context.Context, t conversation.Turn) report {
	in, _ := w.Integrations.Get(t.Integration)
	return w.store(ctx, leftHeld, "", func(ctx context.Context) error { return w.Mailbox.Hold(ctx, t, *t.Answer, in.WindowTemplate) })
}

func (w *Worker) bury(ctx context.Context, t conversation.Turn, reason, apology string) report {
	return w.store(ctx, leftDead, reason, func(ctx context.Context) error { return w.Mailbox.Bury(ctx, t, reason, apology) })
}

// apology is what the customer is told once nothing more is tried.
func (w *Worker) apology(t conversation.Turn, language string) string {
	in, _ := w.Integrations.Get(t.Integration)
	return conversation.SentenceApology.In(conversation.LanguageOf(language, in.Language))
}
