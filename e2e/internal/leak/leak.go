// Package leak searches what programs printed for what must never stand there: the secrets that they were configured with, and
// what customers wrote.
package leak

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Shortest is the length of the shortest value that is searched for: a shorter one stands in any log by chance.
const Shortest = 6

// Watch collects what is forbidden and where to search. It is safe for concurrent use.
type Watch struct {
	mu      sync.Mutex
	needles map[[Shortest]byte][]needle
	names   map[string]string // by value
	logs    []log
}

type log struct{ program, path string }

// needle is one way to write a forbidden value.
type needle struct {
	name string
	text []byte
}

// Leak is a forbidden value that was printed.
type Leak struct {
	Program string
	Line    int
	// Name says what was printed.
	Name string
	// Excerpt is what stands before it in the line, forbidden values left out.
	Excerpt string
}

// String names the program, the line and what stands in it.
func (l Leak) String() string {
	return fmt.Sprintf("%s printed %s in line %d of its log, after %q", l.Program, l.Name, l.Line, l.Excerpt)
}

// Forbid adds a value under a name that may be shown. One that is too short to be told from other words is left out.
func (w *Watch) Forbid(name, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(value) < Shortest || w.names[value] != "" {
		return
	}
	if w.needles == nil {
		w.needles, w.names = map[[Shortest]byte][]needle{}, map[string]string{}
	}
	w.names[value] = name
	for _, text := range forms(value) {
		head := [Shortest]byte(text)
		w.needles[head] = append(w.needles[head], needle{name: name, text: text})
	}
}

// Follow adds a program's log, a file that may still grow.
func (w *Watch) Follow(program, path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs = append(w.logs, log{program: program, path: path})
}

// Search reads all logs and returns every line's first leak.
func (w *Watch) Search() ([]Leak, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []Leak
	var failures []error
	for _, l := range w.logs {
		leaks, err := w.file(l)
		found, failures = append(found, leaks...), append(failures, err)
	}
	return found, errors.Join(failures...)
}

// Text searches a text that a program gave out, an error say, and returns its first leak.
func (w *Watch) Text(program, text string) (Leak, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.line(Leak{Program: program, Line: 1}, []byte(text))
}

func (w *Watch) file(l log) ([]Leak, error) {
	file, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var found []Leak
	reader := bufio.NewReaderSize(file, 1<<16)
	for n := 1; ; n++ {
		line, err := reader.ReadBytes('\n')
		if leak, leaked := w.line(Leak{Program: l.program, Line: n}, line); leaked {
			found = append(found, leak)
		}
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return found, fmt.Errorf("%s: %w", l.path, err)
		}
	}
}

// line completes a leak with the first forbidden value of a line.
func (w *Watch) line(l Leak, line []byte) (Leak, bool) {
	const shown = 120
	at, hit, leaked := w.first(line)
	if !leaked {
		return l, false
	}
	l.Name, l.Excerpt = hit.name, string(line[max(0, at-shown):at])
	return l, true
}

// first finds the first forbidden value. Nothing before it is forbidden, so that it may be shown.
func (w *Watch) first(line []byte) (int, needle, bool) {
	for at := 0; at+Shortest <= len(line); at++ {
		for _, n := range w.needles[[Shortest]byte(line[at:])] {
			if bytes.HasPrefix(line[at:], n.text) {
				return at, n, true
			}
		}
	}
	return 0, needle{}, false
}
