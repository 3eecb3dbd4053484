package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// lanes is how many answers are under way at a time; a customer always has the same one.
const lanes = 64

// answer is forty words, as long as ours.
var answer = strings.TrimSpace(strings.Repeat("el envío tarda dos días laborables ", 7))

// bot answers what was committed, out of memory.
type bot struct {
	pool  *pgxpool.Pool
	url   string
	lanes [lanes]chan message
}

func newBot(pool *pgxpool.Pool, url string) *bot {
	b := &bot{pool: pool, url: url}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = lanes
	for n := range b.lanes {
		b.lanes[n] = make(chan message, 10_000)
		go func() {
			for m := range b.lanes[n] {
				if err := b.reply(context.Background(), m); err != nil {
					fmt.Fprintln(os.Stderr, "floor:", err)
				}
			}
		}()
	}
	return b
}

func (b *bot) take(m message) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.From))
	b.lanes[h.Sum32()%lanes] <- m
}

func (b *bot) reply(ctx context.Context, m message) error {
	body := fmt.Appendf(nil, `{"messaging_product":"whatsapp","to":%q,"type":"text","text":{"body":%q}}`, m.From, answer)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	_, err = b.pool.Exec(ctx, answered, m.ID)
	return err
}
