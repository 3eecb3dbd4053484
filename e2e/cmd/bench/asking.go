package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// receiver is a bot that answers webhooks of WhatsApp through the platform.
type receiver struct {
	url, secret, phoneNumberID string
	platform                   *platform
	questions                  []string
}

// written counts what customers have written in this run.
var written atomic.Int64

// exchange is one question and what came of it.
type exchange struct {
	// acknowledged and answered are how long that took from the post, read how long after the acknowledgement the receipt came,
	// negative for none.
	acknowledged, answered, read time.Duration
}

// patience is how long a customer waits for an answer.
const patience = 30 * time.Second

// ask posts a question of a customer and waits for the answer. Returns false if none came.
func (r *receiver) ask(ctx context.Context, client *http.Client, customers int) (exchange, bool) {
	n := written.Add(1)
	customer, message := fmt.Sprintf("5731%08d", n%int64(customers)), fmt.Sprintf("wamid.%d.%d", time.Now().UnixNano(), n)
	answer, receipt := r.platform.answerTo(customer), r.platform.receiptOf(message)
	body := system.WhatsAppText(r.phoneNumberID, customer, message, r.questions[int(n)%len(r.questions)], time.Now())
	begin := time.Now()
	status, _, err := system.Post(ctx, client, r.url, body, http.Header{"X-Hub-Signature-256": {system.Sign(r.secret, body)}})
	if err != nil || status != http.StatusOK {
		return exchange{}, false
	}
	e := exchange{acknowledged: time.Since(begin), read: -1}
	acknowledged := time.Now()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case at := <-answer:
		e.answered = at.Sub(begin)
	case <-timeout.C:
		return e, false
	case <-ctx.Done():
		return e, false
	}
	select {
	case at := <-receipt:
		e.read = at.Sub(acknowledged)
	default:
	}
	return e, true
}

// loop lets so many customers at a time ask, each the next question when the last one is answered.
func (r *receiver) loop(ctx context.Context, connections, customers int, length time.Duration) answers {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	var out collected
	start := time.Now()
	for range connections {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(start) < length {
				out.add(r.ask(ctx, client, customers))
			}
		})
	}
	wg.Wait()
	return out.answers(time.Since(start))
}

// steadily lets somebody ask each interval, whether the last one is answered or not.
func (r *receiver) steadily(ctx context.Context, every time.Duration, questions, customers int) answers {
	var wg sync.WaitGroup
	var out collected
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range questions {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return out.answers(time.Since(start))
		}
		wg.Go(func() { out.add(r.ask(ctx, http.DefaultClient, customers)) })
	}
	wg.Wait()
	return out.answers(time.Since(start))
}

// collected are the exchanges of several askers.
type collected struct {
	mu     sync.Mutex
	all    []exchange
	missed int
}

func (c *collected) add(e exchange, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !answered {
		c.missed++
		return
	}
	c.all = append(c.all, e)
}

// answers is what one load of questions saw.
type answers struct {
	rate                         float64         // answered per second
	acknowledged, answered, read []time.Duration // sorted
	missed                       int
}

func (c *collected) answers(took time.Duration) answers {
	out := answers{rate: float64(len(c.all)) / took.Seconds(), missed: c.missed}
	for _, e := range c.all {
		out.acknowledged, out.answered = append(out.acknowledged, e.acknowledged), append(out.answered, e.answered)
		if e.read >= 0 {
			out.read = append(out.read, e.read)
		}
	}
	for _, list := range [][]time.Duration{out.acknowledged, out.answered, out.read} {
		slices.Sort(list)
	}
	return out
}
