package child

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const tailBytes = 4096

// Tail is a writer that keeps the last of what a child says, for an error
// message, and passes everything on to Next, if there is one.
type Tail struct {
	Next io.Writer

	mu  sync.Mutex
	buf bytes.Buffer
}

// Write keeps p and passes it on.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - tailBytes; extra > 0 {
		t.buf.Next(extra)
	}
	if t.Next == nil {
		return len(p), nil
	}
	return t.Next.Write(p)
}

// String returns what is kept, without the space around it.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.buf.String())
}
