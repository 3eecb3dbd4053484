// Package fakeapi is a provider's HTTP API for tests: it records what it is asked and answers what the test wants.
package fakeapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Answer is what the server says once.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	// Handle replaces all of the above.
	Handle http.HandlerFunc
}

// Call is a request that came in.
type Call struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Raw    []byte
	// Body is the decoded JSON.
	Body map[string]any
}

// Server gives its answers in order, the last one for ever.
type Server struct {
	URL string

	mu      sync.Mutex
	answers []Answer
	calls   []Call
}

// New starts a server that stops with the test.
func New(t testing.TB, answers ...Answer) *Server {
	t.Helper()
	s := &Server{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// ServeHTTP records and answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	call := Call{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header, Raw: raw}
	_ = json.Unmarshal(raw, &call.Body)
	answer := s.record(call)
	if answer.Handle != nil {
		answer.Handle(w, r)
		return
	}
	for name, value := range answer.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	_, _ = io.WriteString(w, answer.Body)
}

func (s *Server) record(c Call) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return answer
}

// Calls returns what came in so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Only returns the one call that came in.
func (s *Server) Only(t testing.TB) Call {
	t.Helper()
	calls := s.Calls()
	require.Len(t, calls, 1)
	return calls[0]
}

// Hang is an answer that never comes: it ends when the client goes away.
func Hang() Answer {
	return Answer{Handle: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
}

// Cut is an answer that breaks off: the connection is closed after the request was read.
func Cut() Answer {
	return Answer{Handle: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}
}
