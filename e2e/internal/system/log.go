package system

import (
	"bytes"
	"os"
	"sync"
)

// Log collects what a program prints, over all its starts: in a file, or in memory when it is the zero value.
type Log struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	file *os.File
}

// newLog makes one that is kept in a folder.
func newLog(dir, program string) (*Log, error) {
	file, err := os.CreateTemp(dir, program+"-*.log")
	if err != nil {
		return nil, err
	}
	return &Log{file: file}, nil
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		return l.file.Write(p)
	}
	return l.buf.Write(p)
}

// String returns everything printed so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.buf.String()
	}
	text, err := os.ReadFile(l.file.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Tail returns the last n bytes.
func (l *Log) Tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
