package graph

import (
	"time"

	"github.com/knobot/knobot/simulator"
)

// heldback is what a fault keeps from going out: the parcel that the next one
// overtakes, or a basket that fills.
type heldback struct {
	parcel
	changes int
}

// hold keeps a parcel until the number's next one was acknowledged, or for
// delay when there is none.
func (a *API) hold(n simulator.Number, p parcel, delay time.Duration) {
	mine := &heldback{parcel: p}
	a.mu.Lock()
	before := a.held[n.ID]
	a.held[n.ID] = mine
	a.mu.Unlock()
	if before != nil {
		a.ship(n, before.parcel, 0, 1)
	}
	a.after(func() {
		if a.pause(delay) {
			if _, ok := a.release(n.ID, mine); ok {
				a.ship(n, p, 0, 1)
			}
		}
	})
}

// release takes what is held for a number; only that one unless it is nil.
func (a *API) release(number string, only *heldback) (*heldback, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := a.held[number]
	if held == nil || only != nil && held != only {
		return nil, false
	}
	delete(a.held, number)
	return held, true
}

// gather puts a parcel into the number's basket, which goes out as one body
// once it is full or was open for long enough.
func (a *API) gather(n simulator.Number, p parcel, fault simulator.Fault) {
	a.mu.Lock()
	basket, ok := a.baskets[n.ID]
	if !ok {
		basket = &heldback{}
		a.baskets[n.ID] = basket
	}
	basket.add(p)
	basket.changes = len(basket.values)
	full := basket.changes >= fault.Copies
	if full {
		delete(a.baskets, n.ID)
	}
	a.mu.Unlock()
	if full {
		a.ship(n, basket.parcel, 0, 1)
		return
	}
	if !ok {
		a.after(func() { a.empty(n, basket, time.Duration(fault.Delay)) })
	}
}

func (a *API) empty(n simulator.Number, basket *heldback, delay time.Duration) {
	if !a.pause(delay) {
		return
	}
	a.mu.Lock()
	waiting := a.baskets[n.ID] == basket
	if waiting {
		delete(a.baskets, n.ID)
	}
	a.mu.Unlock()
	if waiting {
		a.ship(n, basket.parcel, 0, 1)
	}
}

// pause waits; false says that the API is closing.
func (a *API) pause(delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}
