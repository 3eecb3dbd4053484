// Command floor is what we are measured against: the least that a correct webhook receiver does. It checks the HMAC over the raw
// body, commits one row with a unique key and answers 200. Nothing is decoded, found, queued or answered; with FLOOR_REPLY_URL
// it is the least that a correct bot does on top: each new message gets one fixed answer, in order per customer, and a second
// commit when that is out.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	maxBody = 4 << 20
	schema  = `create table if not exists floor (id bigint generated always as identity primary key, key text not null unique,
	           payload jsonb not null, received timestamptz not null default now(), answered timestamptz)`
	insert   = `insert into floor (key, payload) values ($1, $2) on conflict (key) do nothing`
	answered = `update floor set answered = now() where key = $1`
)

// floor is the handler.
type floor struct {
	pool   *pgxpool.Pool
	secret []byte
	// bot is nil where nothing is answered.
	bot *bot
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	sent, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
	mac := hmac.New(sha256.New, f.secret)
	_, _ = mac.Write(body)
	if err != nil || !hmac.Equal(sent, mac.Sum(nil)) {
		http.Error(w, "forged", http.StatusUnauthorized)
		return
	}
	m, err := firstMessage(body)
	if err != nil {
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	tag, err := f.pool.Exec(r.Context(), insert, m.ID, body)
	if err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
	if f.bot != nil && tag.RowsAffected() == 1 {
		f.bot.take(m)
	}
}

// message is one of a customer; its id is the unique key.
type message struct {
	ID   string `json:"id"`
	From string `json:"from"`
}

// firstMessage reads a webhook.
func firstMessage(body []byte) (message, error) {
	var p struct {
		Entry []struct {
			Changes []struct {
				Value struct {
					Messages []message `json:"messages"`
				} `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return message{}, err
	}
	for _, e := range p.Entry {
		for _, c := range e.Changes {
			for _, m := range c.Value.Messages {
				return m, nil
			}
		}
	}
	return message{}, errors.New("no message")
}

func run(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, os.Getenv("FLOOR_DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, schema); err != nil {
		return err
	}
	f := &floor{pool: pool, secret: []byte(os.Getenv("FLOOR_SECRET"))}
	if url := os.Getenv("FLOOR_REPLY_URL"); url != "" {
		f.bot = newBot(pool, url)
	}
	server := &http.Server{
		Addr: os.Getenv("FLOOR_ADDR"), Handler: f,
		ReadHeaderTimeout: 5 * time.Second,
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}
