// Package courtesy shows a customer at once that a message has arrived: read receipts, "typing …", the end of a button's
// waiting state. It is best effort: nothing here is stored, and what does not fit into the queue is dropped and counted.
package courtesy

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
)

// Kind is what is shown.
type Kind string

// The kinds.
const (
	// Read shows that a WhatsApp message was read, and nothing else.
	Read Kind = "read"
	// ReadTyping shows that it was read and that an answer is being written.
	ReadTyping Kind = "read_typing"
	// Typing shows that an answer is being written.
	Typing Kind = "typing"
	// Press ends the waiting state of a button.
	Press Kind = "press"
)

// Courtesy is one thing to show.
type Courtesy struct {
	Kind        Kind
	Integration conversation.IntegrationID
	Address     conversation.Address
	// Message is the received message, or the callback of a press.
	Message string
	// Trace is the W3C traceparent of the webhook that it is for, empty where nobody traces.
	Trace string
}

// Channel shows things.
type Channel interface {
	// MarkRead shows that a message was read and, if asked, that an answer is being written.
	MarkRead(ctx context.Context, integration conversation.IntegrationID, a conversation.Address, message string, typing bool) error
	// ShowTyping shows that an answer is being written.
	ShowTyping(ctx context.Context, a conversation.Address, integration conversation.IntegrationID, message string) error
	// AnswerPress ends the waiting state of a button.
	AnswerPress(ctx context.Context, integration conversation.IntegrationID, callback string) error
}

// Counter counts courtesies by result.
type Counter interface{ Courtesy(kind, result string) }

const (
	queueLength = 1024
	workers     = 8
	callTimeout = 5 * time.Second
	// An integration shows so many courtesies a second, and so many at once. A WhatsApp number takes 80 messages a second, in and
	// out together, and with that at most 40 questions; who gets no receipt above that sees "typing …" when the answer is
	// composed. Without a limit a flood's courtesies took a third of the machine from its acknowledgements (measured).
	perSecond = 40
	atOnce    = 80
)

// Queue hands courtesies to a few workers.
type Queue struct {
	channel Channel
	counter Counter
	waiting chan Courtesy
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu     sync.Mutex
	limits map[conversation.IntegrationID]*rate.Limiter
}

// NewQueue starts the workers. They outlive ctx: Close stops them.
func NewQueue(ctx context.Context, channel Channel, counter Counter) *Queue {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	q := &Queue{
		channel: channel, counter: counter, waiting: make(chan Courtesy, queueLength), stop: stop,
		limits: map[conversation.IntegrationID]*rate.Limiter{},
	}
	for range workers {
		q.work.Go(func() { q.run(ctx) })
	}
	return q
}

// Offer takes a courtesy if there is room and the integration has not had its share. It never blocks: an acknowledgement waits
// for nobody's good manners.
func (q *Queue) Offer(c Courtesy) {
	if !q.allowed(c) {
		q.counter.Courtesy(string(c.Kind), "dropped")
		return
	}
	select {
	case q.waiting <- c:
	default:
		q.counter.Courtesy(string(c.Kind), "dropped")
	}
}

// allowed spares presses: their button goes on waiting until they are answered.
func (q *Queue) allowed(c Courtesy) bool {
	if c.Kind == Press {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l, ok := q.limits[c.Integration]
	if !ok {
		l = rate.NewLimiter(perSecond, atOnce)
		q.limits[c.Integration] = l
	}
	return l.Allow()
}

// Close breaks off what is under way and drops the rest.
func (q *Queue) Close() {
	q.stop()
	q.work.Wait()
}

func (q *Queue) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-q.waiting:
			q.show(ctx, c)
		}
	}
}

func (q *Queue) show(ctx context.Context, c Courtesy) {
	ctx, cancel := context.WithTimeout(telemetry.Below(ctx, c.Trace), callTimeout)
	defer cancel()
	result := "done"
	if err := q.call(ctx, c); err != nil {
		result = "failed"
	}
	q.counter.Courtesy(string(c.Kind), result)
}

func (q *Queue) call(ctx context.Context, c Courtesy) error {
	switch c.Kind {
	case Press:
		return q.channel.AnswerPress(ctx, c.Integration, c.Message)
	case Typing:
		return q.channel.ShowTyping(ctx, c.Address, c.Integration, c.Message)
	default:
		return q.channel.MarkRead(ctx, c.Integration, c.Address, c.Message, c.Kind == ReadTyping)
	}
}
