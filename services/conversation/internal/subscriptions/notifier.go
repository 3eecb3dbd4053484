package subscriptions

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// Queue is where notices wait.
type Queue interface {
	// ClaimNotices leases due notices for a time, at most each of a subscription, those that the caller holds already counted.
	ClaimNotices(ctx context.Context, held []conversation.SubscriptionLoad, each, limit int, lease time.Duration) ([]conversation.Telling, error)
	// NoticeDelivered stores that the subscriber took a notice. It and the next three return conversation.ErrLeaseLost, storing
	// nothing, if another process has the notice now.
	NoticeDelivered(ctx context.Context, t conversation.Telling, status int) error
	// NoticeFailed stores a try that failed, and disables the subscription of one that wants no more.
	NoticeFailed(ctx context.Context, t conversation.Telling, f conversation.NoticeFailure) error
	// ReleaseNotice hands a notice back as it was.
	ReleaseNotice(ctx context.Context, t conversation.Telling) error
	// DropNotice forgets a notice of what was erased.
	DropNotice(ctx context.Context, t conversation.Telling) error
}

const (
	// atOnce bounds the tries of a process, atOnceEach those of a subscription: one that hangs keeps no other waiting.
	atOnce     = 16
	atOnceEach = 4
	// pollEvery is how long an event waits at most for its first try.
	pollEvery = 500 * time.Millisecond
	// lease is longer than a try may take.
	lease        = time.Minute
	storeTimeout = 5 * time.Second
)

// Notifier tells subscribers what happened.
type Notifier struct {
	queue   Queue
	sealer  *sealing.Sealer
	poster  *poster
	metrics *metrics.Metrics
	log     *zap.Logger
	wake    chan struct{}

	mu   sync.Mutex
	busy map[conversation.SubscriptionID]int
	held int
}

// NewNotifier returns a notifier. Run starts it.
func NewNotifier(queue Queue, sealer *sealing.Sealer, a Addresses, m *metrics.Metrics, log *zap.Logger) *Notifier {
	return &Notifier{
		queue: queue, sealer: sealer, poster: newPoster(a), metrics: m, log: log, wake: make(chan struct{}, 1),
		busy: map[conversation.SubscriptionID]int{},
	}
}

// Run tells until ctx ends. What is under way then is handed back, and told again by another process.
func (n *Notifier) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var work sync.WaitGroup
	for ctx.Err() == nil {
		n.start(ctx, &work)
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-tick.C:
		}
	}
	work.Wait()
	return nil
}

// start claims as many notices as there are hands free.
func (n *Notifier) start(ctx context.Context, work *sync.WaitGroup) {
	loads, free := n.loads()
	if free <= 0 {
		return
	}
	claim, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, err := n.queue.ClaimNotices(claim, loads, atOnceEach, free, lease)
	if err != nil {
		return // the next look comes soon, and the metrics show that they wait
	}
	for _, t := range due {
		n.take(t.Subscription, 1)
		work.Go(func() {
			defer n.again()
			defer n.take(t.Subscription, -1)
			n.tell(ctx, t)
		})
	}
}

func (n *Notifier) loads() (loads []conversation.SubscriptionLoad, free int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, held := range maps.All(n.busy) {
		loads = append(loads, conversation.SubscriptionLoad{Subscription: id, Held: held})
	}
	return loads, atOnce - n.held
}

func (n *Notifier) take(id conversation.SubscriptionID, delta int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held += delta
	if n.busy[id] += delta; n.busy[id] == 0 {
		delete(n.busy, id)
	}
}

// again makes Run look at once: a hand is free.
func (n *Notifier) again() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// tell makes one try and stores what became of it.
func (n *Notifier) tell(ctx context.Context, t conversation.Telling) {
	var got response
	var err error
	if !t.Gone {
		got, err = n.try(ctx, t)
	}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	switch {
	case t.Gone:
		err = n.queue.DropNotice(settle, t)
	case err == nil && got.status/100 == 2:
		n.metrics.Notice("delivered")
		err = n.queue.NoticeDelivered(settle, t, got.status)
	case err != nil && ctx.Err() != nil:
		err = n.queue.ReleaseNotice(settle, t)
	default:
		err = n.failed(settle, t, got, reason(got, err))
	}
	if err != nil && !errors.Is(err, conversation.ErrLeaseLost) { // the lease ends, and it is told again
		n.log.Warn("the outcome of a notice could not be stored", zap.String("notice", string(t.ID)), zap.Error(err))
	}
}

func (n *Notifier) try(ctx context.Context, t conversation.Telling) (response, error) {
	var secrets []string
	for _, sealed := range [][]byte{t.Secret, t.FormerSecret} {
		if sealed == nil {
			continue
		}
		secret, err := n.sealer.Open(sealed, string(t.Subscription), secretField)
		if err != nil {
			return response{}, errSecret
		}
		secrets = append(secrets, secret)
	}
	b, err := body(t)
	if err != nil {
		return response{}, err
	}
	return n.poster.post(ctx, t.URL, string(t.ID), b, secrets)
}

// failed puts the notice off, or gives it up after the last try. 410 means that the subscriber wants no more (Standard Webhooks,
// "Deliverability and reliability", read 2026-11-26).
func (n *Notifier) failed(ctx context.Context, t conversation.Telling, got response, why string) error {
	f := conversation.NoticeFailure{
		Status: got.status, Reason: why, Delay: max(conversation.NoticeBackoff(t.Failures+1), got.retryAfter),
		Gone: got.status == http.StatusGone,
	}
	f.Dead = f.Gone || t.Failures+1 >= conversation.MaxNoticeTries
	if f.Gone {
		f.Reason = "GONE"
	}
	result := "failed"
	if f.Dead {
		result = "dead"
		n.log.Warn("a subscriber was not told", zap.String("notice", string(t.ID)), zap.String("subscription", string(t.Subscription)),
			zap.String("reason", f.Reason), zap.Int("failures", t.Failures+1))
	}
	n.metrics.Notice(result)
	return n.queue.NoticeFailed(ctx, t, f)
}
