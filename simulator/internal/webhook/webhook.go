// Package webhook delivers events to the program under test the way the
// providers do: WhatsApp's concurrently, Telegram's strictly in order within a
// chat, both again and again until they are acknowledged.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/ring"
)

// maxPending bounds the events that wait for an acknowledgement.
const maxPending = 200_000

// Target is where an event goes now; it may change between attempts.
type Target struct {
	URL    string
	Header http.Header
}

// Event is one body to deliver.
type Event struct {
	Chat simulator.Chat
	// Name says in the journal what the body carries.
	Name string
	Body []byte
	// Lane orders events: within a lane the next waits for the one before.
	// Events without a lane go at once.
	Lane   string
	Policy Policy
	// Target says where to; false holds the event back.
	Target func() (Target, bool)
	// Wait holds the first attempt back.
	Wait time.Duration
	// Acknowledged is called once, after the accepted attempt.
	Acknowledged func()
	// Failed is called after each other attempt.
	Failed func(simulator.Delivery)
}

// Deliverer delivers events until they are acknowledged or it is closed.
type Deliverer struct {
	client   *http.Client
	attempts *ring.Log[simulator.Delivery]
	scale    func() float64

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// waiting counts events without acknowledgement, per account.
	waiting map[string]int
	total   int
	lanes   map[string][]Event
	slots   map[string]chan struct{}
	kicked  chan struct{}
}

// New returns a deliverer. It records attempts in the log; scale stretches the
// delays between them.
func New(transport http.RoundTripper, attempts *ring.Log[simulator.Delivery], scale func() float64) *Deliverer {
	ctx, cancel := context.WithCancel(context.Background())
	return &Deliverer{
		client: &http.Client{
			Transport: transport,
			// Neither provider follows redirects.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		attempts: attempts, scale: scale, ctx: ctx, cancel: cancel,
		waiting: make(map[string]int), lanes: make(map[string][]Event),
		slots: make(map[string]chan struct{}), kicked: make(chan struct{}),
	}
}

// Close stops all deliveries and waits for them to end.
func (d *Deliverer) Close() {
	d.mu.Lock()
	d.cancel() // under the lock, so that no Deliver starts anything after it
	d.mu.Unlock()
	d.running.Wait()
}

// Pending returns how many events wait for their acknowledgement.
func (d *Deliverer) Pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total
}

// PendingOf returns how many of an account's events wait.
func (d *Deliverer) PendingOf(platform simulator.Platform, account string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting[accountKey(simulator.Chat{Platform: platform, Account: account})]
}

func accountKey(c simulator.Chat) string { return string(c.Platform) + "/" + c.Account }

// count keeps the books of what waits; d.mu is held.
func (d *Deliverer) count(c simulator.Chat, change int) {
	d.total += change
	d.waiting[accountKey(c)] += change
}

// Deliver takes an event over. It returns at once.
func (d *Deliverer) Deliver(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return
	}
	if d.total >= maxPending {
		d.record(e, simulator.Delivery{Time: time.Now(), Error: "too many webhooks wait; this one is lost"})
		return
	}
	d.count(e.Chat, 1)
	if e.Lane == "" {
		d.running.Go(func() { d.run(e) })
		return
	}
	queue, busy := d.lanes[e.Lane]
	d.lanes[e.Lane] = append(queue, e)
	if !busy {
		d.running.Go(func() { d.drain(e.Lane) })
	}
}

// drain delivers the events of one lane, one after another.
func (d *Deliverer) drain(lane string) {
	for {
		d.mu.Lock()
		queue := d.lanes[lane]
		if len(queue) == 0 || d.ctx.Err() != nil {
			delete(d.lanes, lane)
			d.mu.Unlock()
			return
		}
		next := queue[0]
		d.lanes[lane] = queue[1:]
		d.mu.Unlock()
		d.run(next)
	}
}

// Kick retries everything now, as Telegram does when a webhook is set.
func (d *Deliverer) Kick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.kicked)
	d.kicked = make(chan struct{})
}

// Discard forgets waiting events of an account that no attempt was made for
// yet.
func (d *Deliverer) Discard(platform simulator.Platform, account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for lane, queue := range d.lanes {
		if len(queue) > 0 && queue[0].Chat.Platform == platform && queue[0].Chat.Account == account {
			d.count(queue[0].Chat, -len(queue))
			d.lanes[lane] = nil
		}
	}
}

// run makes attempts until one is accepted or the event is too old.
func (d *Deliverer) run(e Event) {
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.count(e.Chat, -1)
	}()
	if e.Wait > 0 && !d.sleep(e.Wait, nil) {
		return
	}
	start := time.Now()
	for failures := 0; time.Since(start) <= e.Policy.Lifetime; {
		kicked := d.kick()
		delay := time.Minute
		if target, ok := e.Target(); ok {
			attempt, retryAfter := d.attempt(e, target, failures+1)
			if attempt.Accepted {
				if e.Acknowledged != nil {
					e.Acknowledged()
				}
				return
			}
			if e.Failed != nil {
				e.Failed(attempt)
			}
			failures++
			delay = time.Duration(float64(e.Policy.Delay(failures)) * d.scale())
			if retryAfter > 0 {
				delay = min(retryAfter, e.Policy.MaxRetryAfter)
			}
		}
		if !d.sleep(delay, kicked) {
			return
		}
	}
}

func (d *Deliverer) kick() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kicked
}

// sleep waits; false says that the deliverer is closing.
func (d *Deliverer) sleep(delay time.Duration, kicked <-chan struct{}) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-kicked:
	case <-d.ctx.Done():
	}
	return d.ctx.Err() == nil
}

// attempt posts the body once.
func (d *Deliverer) attempt(e Event, target Target, number int) (simulator.Delivery, time.Duration) {
	release, ok := d.slot(e)
	if !ok {
		return simulator.Delivery{}, 0
	}
	defer release()
	ctx, cancel := context.WithTimeout(d.ctx, e.Policy.Timeout)
	defer cancel()
	start := time.Now()
	status, header, err := d.post(ctx, e.Body, target)
	attempt := simulator.Delivery{
		Time: start, Attempt: number, Status: status, Duration: simulator.Duration(time.Since(start)),
		Accepted: err == nil && e.Policy.Accept(status),
	}
	if err != nil {
		attempt.Error = reason(err)
	}
	seconds, _ := strconv.Atoi(header.Get("Retry-After"))
	return d.record(e, attempt), time.Duration(seconds) * time.Second
}

func (d *Deliverer) post(ctx context.Context, body []byte, target Target) (int, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = target.Header.Clone()
	response, err := d.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	// Reading the rest lets the connection be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	return response.StatusCode, response.Header, nil
}

// slot waits for one of the account's connections.
func (d *Deliverer) slot(e Event) (release func(), ok bool) {
	key := accountKey(e.Chat)
	d.mu.Lock()
	slots := d.slots[key]
	if slots == nil {
		slots = make(chan struct{}, max(e.Policy.Concurrency, 1))
		d.slots[key] = slots
	}
	d.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, true
	case <-d.ctx.Done():
		return nil, false
	}
}

func (d *Deliverer) record(e Event, attempt simulator.Delivery) simulator.Delivery {
	return d.attempts.Append(func(seq int64) simulator.Delivery {
		attempt.Seq, attempt.Chat, attempt.Event = seq, e.Chat, e.Name
		return attempt
	})
}

// reason says why there was no answer, without the URL that net/http puts into
// its errors.
func reason(err error) string {
	var dial *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "simulator stops"
	case errors.As(err, &dial):
		return dial.Op + ": " + dial.Err.Error()
	default:
		return "connection failed"
	}
}

// Once makes a single request outside all lanes and returns its answer.
func (d *Deliverer) Once(ctx context.Context, method string, target Target, body []byte, policy Policy) (simulator.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, policy.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target.URL, bytes.NewReader(body))
	if err != nil {
		return simulator.Answer{}, errors.New("the webhook URL is no URL")
	}
	request.Header = target.Header.Clone()
	response, err := d.client.Do(request)
	if err != nil {
		return simulator.Answer{}, errors.New(reason(err))
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return simulator.Answer{}, errors.New(reason(err))
	}
	return simulator.Answer{
		Status: response.StatusCode, Body: string(text), Accepted: policy.Accept(response.StatusCode),
	}, nil
}
