package webhook_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/ring"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// receiver answers in memory, so that the tests run on a bubble's clock.
type receiver struct {
	mu      sync.Mutex
	start   time.Time
	seen    []string
	times   []time.Duration
	answers map[string][]answer
}

type answer struct {
	status     int
	retryAfter string
	takes      time.Duration
	err        error
}

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	body := string(raw)
	r.mu.Lock()
	r.seen, r.times = append(r.seen, body), append(r.times, time.Since(r.start))
	next := answer{status: http.StatusOK}
	if queue := r.answers[body]; len(queue) > 0 {
		next, r.answers[body] = queue[0], queue[1:]
	}
	r.mu.Unlock()
	select {
	case <-time.After(next.takes):
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	if next.err != nil {
		return nil, next.err
	}
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader("")), Request: request}, nil
}

func (r *receiver) log() ([]string, []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.seen...), append([]time.Duration(nil), r.times...)
}

type bundle struct {
	receiver *receiver
	attempts *ring.Log[simulator.Delivery]
	*webhook.Deliverer
}

// inBubble runs a test on its own clock with a deliverer that is closed at the
// end.
func inBubble(t *testing.T, test func(t *testing.T, b bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := bundle{
			receiver: &receiver{start: time.Now(), answers: map[string][]answer{}},
			attempts: ring.New[simulator.Delivery](100),
		}
		b.Deliverer = webhook.New(b.receiver, b.attempts, func() float64 { return 1 })
		defer b.Close()
		test(t, b)
	})
}

func event(lane, body string, policy webhook.Policy) webhook.Event {
	return webhook.Event{
		Chat: simulator.Chat{Platform: simulator.Telegram, Account: "1"}, Lane: lane, Body: []byte(body), Policy: policy,
		Target: func() (webhook.Target, bool) { return webhook.Target{URL: "http://bot.test/hook"}, true },
	}
}

func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestTelegram(t *testing.T) {
	t.Parallel()
	telegram := webhook.Telegram(40)
	failing := func(n int) []answer {
		list := make([]answer, n)
		for i := range list {
			list[i] = answer{status: http.StatusServiceUnavailable}
		}
		return list
	}

	t.Run("TheNextUpdateWaitsForTheOneBefore", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{status: 200, takes: 30 * time.Second}}
			b.Deliver(event("ana", "1", telegram))
			b.Deliver(event("ana", "2", telegram))
			b.Deliver(event("luis", "3", telegram))
			after(time.Second)
			seen, _ := b.receiver.log()
			require.ElementsMatch(t, []string{"1", "3"}, seen, "another chat does not wait")
			require.Equal(t, 2, b.Pending())
			after(time.Minute)
			seen, _ = b.receiver.log()
			require.Equal(t, "2", seen[2])
			require.Zero(t, b.PendingOf(simulator.Telegram, "1"))
		})
	})

	t.Run("ResendsAtOnceThenAfterTwoFourEightSeconds", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = failing(8)
			b.Deliver(event("ana", "1", telegram))
			after(10 * time.Minute)
			_, times := b.receiver.log()
			var gaps []time.Duration
			for i := range times[1:] {
				gaps = append(gaps, (times[i+1]-times[i])/time.Second)
			}
			require.Equal(t, []time.Duration{0, 2, 4, 8, 16, 32, 60, 60}, gaps)
		})
	})

	t.Run("ObeysRetryAfterUpToAnHour", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{status: 429, retryAfter: "17"}, {status: 503, retryAfter: "90000"}}
			b.Deliver(event("ana", "1", telegram))
			after(2 * time.Hour)
			_, times := b.receiver.log()
			require.Equal(t, []time.Duration{0, 17 * time.Second, 17*time.Second + time.Hour}, times)
		})
	})

	t.Run("AnyTwoHundredIsEnoughAndARedirectIsNot", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{status: 302}, {status: 204}}
			b.Deliver(event("ana", "1", telegram))
			after(time.Minute)
			attempts, _ := b.attempts.Since(0)
			require.Len(t, attempts, 2)
			require.True(t, attempts[1].Accepted)
		})
	})

	t.Run("ASilentConnectionIsAFailureAfterAMinute", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{takes: time.Hour}}
			b.Deliver(event("ana", "1", telegram))
			after(2 * time.Minute)
			attempts, _ := b.attempts.Since(0)
			require.Len(t, attempts, 2)
			require.Equal(t, "no answer in time", attempts[0].Error)
			require.Equal(t, simulator.Duration(time.Minute), attempts[0].Duration)
		})
	})

	t.Run("UpdatesWaitUntilThereIsAWebhook", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			var mu sync.Mutex
			set := false
			e := event("ana", "1", telegram)
			e.Target = func() (webhook.Target, bool) {
				mu.Lock()
				defer mu.Unlock()
				return webhook.Target{URL: "http://bot.test/hook"}, set
			}
			b.Deliver(e)
			after(90 * time.Second)
			mu.Lock()
			set = true
			mu.Unlock()
			b.Kick()
			synctest.Wait()
			seen, times := b.receiver.log()
			require.Equal(t, []string{"1"}, seen)
			require.Equal(t, 90*time.Second, times[0])
		})
	})

	t.Run("GivesUpAfterADayAndGoesOnWithTheNext", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = failing(5000)
			b.Deliver(event("ana", "1", telegram))
			b.Deliver(event("ana", "2", telegram))
			after(25 * time.Hour)
			seen, _ := b.receiver.log()
			require.Equal(t, "2", seen[len(seen)-1])
			require.Zero(t, b.Pending())
		})
	})

	t.Run("DiscardForgetsWhatWaits", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{status: 200, takes: time.Second}}
			b.Deliver(event("ana", "1", telegram))
			synctest.Wait()
			b.Deliver(event("ana", "2", telegram))
			b.Discard(simulator.Telegram, "1")
			after(time.Minute)
			seen, _ := b.receiver.log()
			require.Equal(t, []string{"1"}, seen)
			require.Zero(t, b.Pending())
		})
	})
}

func TestWhatsApp(t *testing.T) {
	t.Parallel()

	t.Run("OnlyTwoHundredEndsTheRetries", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.receiver.answers["1"] = []answer{{status: 202}, {status: 204}, {status: 400}, {err: errors.New("reset")}}
			acknowledged := 0
			e := event("", "1", webhook.WhatsApp())
			e.Acknowledged = func() { acknowledged++ }
			b.Deliver(e)
			after(time.Hour)
			attempts, _ := b.attempts.Since(0)
			require.Len(t, attempts, 5)
			require.Equal(t, 5, attempts[4].Attempt)
			require.Equal(t, 1, acknowledged)
		})
	})

	t.Run("DeliversConcurrently", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			for _, body := range []string{"1", "2", "3"} {
				b.receiver.answers[body] = []answer{{status: 200, takes: 10 * time.Second}}
				b.Deliver(event("", body, webhook.WhatsApp()))
			}
			after(time.Second)
			seen, _ := b.receiver.log()
			require.Len(t, seen, 3)
			after(time.Minute)
		})
	})

	t.Run("RetriesForAWeekWithGrowingDelays", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			list := make([]answer, 1000)
			for i := range list {
				list[i] = answer{status: 500}
			}
			b.receiver.answers["1"] = list
			b.Deliver(event("", "1", webhook.WhatsApp()))
			after(8 * 24 * time.Hour)
			_, times := b.receiver.log()
			require.Greater(t, times[len(times)-1], 6*24*time.Hour)
			require.Less(t, len(times), 200)
			for i := 2; i < len(times); i++ {
				require.GreaterOrEqual(t, times[i]-times[i-1], times[i-1]-times[i-2])
			}
			require.Zero(t, b.Pending())
		})
	})

	t.Run("AWaitLetsLaterEventsOvertake", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			late := event("", "late", webhook.WhatsApp())
			late.Wait = time.Second
			b.Deliver(late)
			b.Deliver(event("", "soon", webhook.WhatsApp()))
			after(time.Minute)
			seen, _ := b.receiver.log()
			require.Equal(t, []string{"soon", "late"}, seen)
		})
	})
}

func TestCloseEndsEveryWait(t *testing.T) {
	t.Parallel()
	inBubble(t, func(_ *testing.T, b bundle) {
		b.receiver.answers["hangs"] = []answer{{takes: time.Hour}}
		b.receiver.answers["fails"] = []answer{{status: 500}, {status: 500}, {status: 500}}
		b.Deliver(event("", "hangs", webhook.WhatsApp()))
		b.Deliver(event("ana", "fails", webhook.Telegram(1)))
		synctest.Wait()
	}) // the bubble fails if anything still runs
}

func TestErrorsShowNoAddress(t *testing.T) {
	t.Parallel()
	attempts := ring.New[simulator.Delivery](1)
	d := webhook.New(nil, attempts, func() float64 { return 1 })
	defer d.Close()
	_, err := d.Once(t.Context(), http.MethodPost, webhook.Target{URL: "http://127.0.0.1:1/secret-path"}, nil, webhook.WhatsApp())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret-path")
}
