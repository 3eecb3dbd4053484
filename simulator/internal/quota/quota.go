// Package quota meters calls with the generic cell rate algorithm: one number
// per key says when the next call would be on time.
package quota

import (
	"sync"
	"time"
)

// Rate allows one call per interval, with a burst above it.
type Rate struct {
	Interval time.Duration
	Burst    int
}

// Meter counts calls per key against rates. Keys that are on time again are
// forgotten, so memory holds only those that were busy lately.
type Meter struct {
	mu  sync.Mutex
	due map[string]time.Time
}

// NewMeter returns an empty meter.
func NewMeter() *Meter { return &Meter{due: make(map[string]time.Time)} }

// Allow counts one call for key. A refused call is not counted, and the
// duration says when to come back.
func (m *Meter) Allow(key string, rate Rate, now time.Time) (time.Duration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	due := m.due[key]
	if due.Before(now) {
		due = now
	}
	next := due.Add(rate.Interval)
	allowance := time.Duration(rate.Burst) * rate.Interval
	if wait := next.Sub(now) - allowance; wait > 0 {
		return wait, false
	}
	m.due[key] = next
	return 0, true
}

// forget drops idle keys once there are many.
func (m *Meter) forget(now time.Time) {
	const many = 4096
	if len(m.due) < many {
		return
	}
	for key, due := range m.due {
		if due.Before(now) {
			delete(m.due, key)
		}
	}
}
