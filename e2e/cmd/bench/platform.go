package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// platform stands in for WhatsApp's Graph API and costs next to nothing: it takes every message and tells who waits for it.
type platform struct {
	url    string
	server *http.Server
	ids    atomic.Int64

	mu sync.Mutex
	// waiting are those who wait for a message to a customer, and reading those who wait for a read receipt of a message.
	waiting, reading map[string]chan time.Time
	said             int
}

func startPlatform(ctx context.Context) (*platform, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &platform{url: "http://" + listener.Addr().String(), waiting: map[string]chan time.Time{}, reading: map[string]chan time.Time{}}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(listener) }() // ends when stop closes it
	return p, nil
}

func (p *platform) stop() { _ = p.server.Close() }

// outgoing is what is sent: a message to somebody, or the read receipt of one.
type outgoing struct {
	To        string `json:"to"`
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var m outgoing
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if m.Status != "" {
		p.tell(p.reading, m.MessageID, now)
		_, _ = w.Write([]byte(`{"success":true}`))
		return
	}
	_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":"wamid.ours.%d"}]}`,
		m.To, m.To, p.ids.Add(1))
	p.mu.Lock()
	p.said++
	p.mu.Unlock()
	p.tell(p.waiting, strings.TrimPrefix(m.To, "+"), now)
}

func (p *platform) tell(whom map[string]chan time.Time, key string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := whom[key]; ok {
		delete(whom, key)
		c <- at // has room for one, and gets one
	}
}

// answerTo returns what receives the time of the next message to a customer.
func (p *platform) answerTo(customer string) <-chan time.Time { return p.expect(p.waiting, customer) }

// receiptOf returns what receives the time of the read receipt of a message.
func (p *platform) receiptOf(message string) <-chan time.Time { return p.expect(p.reading, message) }

func (p *platform) expect(whom map[string]chan time.Time, key string) <-chan time.Time {
	c := make(chan time.Time, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	whom[key] = c
	return c
}

// sent is how many messages were taken.
func (p *platform) sent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}
