package scenario

import (
	"context"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
)

// watch keeps what happens on the phones and lets others wait for it.
type watch struct {
	mu     sync.Mutex
	events []simulator.Event
	grown  chan struct{}
	broken error
}

func newWatch() *watch { return &watch{grown: make(chan struct{})} }

func (w *watch) add(e simulator.Event) error {
	w.change(func() { w.events = append(w.events, e) })
	return nil
}

// end says that nothing more will come.
func (w *watch) end(err error) { w.change(func() { w.broken = err }) }

func (w *watch) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.grown)
	w.grown = make(chan struct{})
}

// now is the place after which everything is new.
func (w *watch) now() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// next returns the first event from a place on that matches, and the place
// after it. It waits until the time is up.
func (w *watch) next(ctx context.Context, from int, within time.Duration, match func(simulator.Event) bool) (simulator.Event, int, bool, error) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		w.mu.Lock()
		events, grown, broken := w.events, w.grown, w.broken
		w.mu.Unlock()
		for ; from < len(events); from++ {
			if match(events[from]) {
				return events[from], from + 1, true, nil
			}
		}
		if broken != nil {
			return simulator.Event{}, from, false, broken
		}
		select {
		case <-grown:
		case <-timeout.C:
			return simulator.Event{}, from, false, nil
		case <-ctx.Done():
			return simulator.Event{}, from, false, ctx.Err()
		}
	}
}
