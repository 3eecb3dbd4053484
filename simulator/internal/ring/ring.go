// Package ring keeps the last entries of an endless stream and lets readers
// wait for more. Memory is bounded by the number of entries, and a slow reader
// holds up nobody: it misses the oldest entries instead.
package ring

import "sync"

// Log is a numbered stream of which the last entries are kept.
type Log[T any] struct {
	mu      sync.Mutex
	size    int64
	entries []T
	last    int64 // the number of the newest entry; the first entry has number 1
	grown   chan struct{}
}

// New returns a log that keeps size entries, at least one.
func New[T any](size int) *Log[T] {
	return &Log[T]{size: int64(max(size, 1)), grown: make(chan struct{})}
}

// Append adds the entry that build makes of its number, and wakes readers.
func (l *Log[T]) Append(build func(seq int64) T) T {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	entry := build(l.last)
	if int64(len(l.entries)) < l.size {
		l.entries = append(l.entries, entry)
	} else {
		l.entries[(l.last-1)%l.size] = entry
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return entry
}

// Since returns the kept entries with numbers above after, oldest first, and a
// channel that is closed when there is more.
func (l *Log[T]) Since(after int64) ([]T, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := max(after, l.last-int64(len(l.entries)), 0) + 1
	found := make([]T, 0, max(l.last-first+1, 0))
	for seq := first; seq <= l.last; seq++ {
		found = append(found, l.entries[(seq-1)%l.size])
	}
	return found, l.grown
}

// Last returns the number of the newest entry, 0 when there is none.
func (l *Log[T]) Last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
