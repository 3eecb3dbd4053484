// Package fakeapi is a provider's HTTP API for tests: it records what it is asked and answers what the test wants.
package fakeapi

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
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
	// Body is the decoded JSON, or the fields of a form, those that are JSON decoded.
	Body map[string]any
	// Files are the files of a form by the names of their fields.
	Files map[string]File
}

// File is a file that came in with a form.
type File struct {
	Name, MIMEType, Content string
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
	if json.Unmarshal(raw, &call.Body) != nil {
		call.readForm()
	}
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

// readForm reads a form, if it is one.
func (c *Call) readForm() {
	_, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return
	}
	c.Body, c.Files = map[string]any{}, map[string]File{}
	form := multipart.NewReader(bytes.NewReader(c.Raw), parameters["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return
		}
		content, _ := io.ReadAll(part)
		if part.FileName() != "" {
			c.Files[part.FormName()] = File{Name: part.FileName(), MIMEType: part.Header.Get("Content-Type"), Content: string(content)}
			continue
		}
		var value any
		if json.Unmarshal(content, &value) != nil {
			value = string(content)
		}
		c.Body[part.FormName()] = value
	}
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
