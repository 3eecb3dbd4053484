package dialogue

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/knobot/knobot/services/conversation"
)

const (
	// draftsApart keeps to about one call a second in a chat (https://core.telegram.org/bots/faq, read 2026-11-23).
	draftsApart = time.Second
	// draftTimeout bounds one draft. An answer waits so long at most for a draft that is under way.
	draftTimeout = 2 * time.Second
)

// drafts shows an answer while it is written: the newest text wins, and whoever writes never waits. The first failure ends
// it, because a draft is not worth being throttled for.
type drafts struct {
	every  time.Duration
	show   func(text string) error
	newest chan string
	ended  chan struct{}
	idle   chan struct{}
}

// showDrafts starts drafts of an answer to a turn. shown is called after each.
func (w *Worker) showDrafts(ctx context.Context, t conversation.Turn, shown func()) *drafts {
	id := 1 + rand.Int64N(math.MaxInt32) // one for all drafts of an answer, never 0
	d := &drafts{every: cmp.Or(w.Drafts, draftsApart), newest: make(chan string, 1), ended: make(chan struct{}), idle: make(chan struct{})}
	d.show = func(text string) error {
		ctx, cancel := context.WithTimeout(ctx, draftTimeout)
		defer cancel()
		if err := w.Courier.ShowDraft(ctx, t.Address, t.Integration, id, text); err != nil {
			w.Metrics.Courtesy("draft", "failed")
			return err
		}
		w.Metrics.Courtesy("draft", "done")
		shown()
		return nil
	}
	go d.run(ctx)
	return d
}

func (d *drafts) run(ctx context.Context) {
	defer close(d.idle)
	for {
		select {
		case <-d.ended:
			return
		case <-ctx.Done():
			return
		case text := <-d.newest:
			if d.show(text) != nil {
				return
			}
		}
		select {
		case <-d.ended:
			return
		case <-ctx.Done():
			return
		case <-time.After(d.every):
		}
	}
}

// put takes the text so far, in place of one that has not been shown yet. Only one goroutine may call it: then there is always
// room.
func (d *drafts) put(text string) {
	d.drop()
	d.newest <- text
}

func (d *drafts) drop() {
	select {
	case <-d.newest:
	default:
	}
}

// end shows nothing more, and waits for the draft that is under way: one that came after the answer would stand below it for
// 30 s.
func (d *drafts) end() {
	d.drop()
	close(d.ended)
	<-d.idle
}
