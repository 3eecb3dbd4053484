// Package export writes down everything that is kept of a customer as one JSON document, in bounded memory: it is made page by
// page and handed over piece by piece.
package export

import (
	"context"
	"encoding/json"
	"time"

	"github.com/knobot/knobot/services/conversation"
)

// Store finds what is kept.
type Store interface {
	// User returns conversation.ErrNotFound if there is none.
	User(ctx context.Context, id conversation.UserID) (conversation.User, error)
	FormerIDs(ctx context.Context, id conversation.UserID) ([]string, error)
	// ExportedConversations lists by id, after one, empty for the first page.
	ExportedConversations(ctx context.Context, u conversation.User, after conversation.ID, limit int) ([]conversation.ExportedConversation, error)
	// ExportedMessages lists in their order, after a position.
	ExportedMessages(ctx context.Context, id conversation.ID, user conversation.UserID, after int64, limit int) ([]conversation.ExportedMessage, error)
}

const (
	// talksPage and messagesPage bound what is in memory: a message has up to 1 MiB of text.
	talksPage    = 100
	messagesPage = 20
)

// Exporter writes documents.
type Exporter struct{ store Store }

// NewExporter returns one over a store.
func NewExporter(store Store) *Exporter { return &Exporter{store: store} }

// Export hands a document over piece by piece, none of which ends within a string. Of a group it holds what the customer wrote
// there. Returns conversation.ErrNotFound, or the error of emit.
func (e *Exporter) Export(ctx context.Context, id conversation.UserID, emit func(piece []byte) error) error {
	u, err := e.store.User(ctx, id)
	if err != nil {
		return err
	}
	former, err := e.store.FormerIDs(ctx, id)
	if err != nil {
		return err
	}
	w := &writer{emit: emit}
	w.raw(`{"export_time":`).value(time.Now().UTC()).raw(`,"user":`).value(newUser(u, former)).raw(`,"conversations":[`)
	if err := e.talks(ctx, w, u); err != nil {
		return err
	}
	return w.raw("]}\n").flush()
}

func (e *Exporter) talks(ctx context.Context, w *writer, u conversation.User) error {
	var after conversation.ID
	for first := true; ; {
		page, err := e.store.ExportedConversations(ctx, u, after, talksPage)
		if err != nil {
			return err
		}
		for _, talk := range page {
			w.comma(&first).raw(`{"conversation":`).value(newTalk(talk)).raw(`,"messages":[`)
			if err := e.messages(ctx, w, u, talk); err != nil {
				return err
			}
			w.raw("]}")
			after = talk.ID
		}
		if len(page) < talksPage {
			return nil
		}
	}
}

func (e *Exporter) messages(ctx context.Context, w *writer, u conversation.User, talk conversation.ExportedConversation) error {
	var after int64
	for first := true; ; {
		page, err := e.store.ExportedMessages(ctx, talk.ID, u.ID, after, messagesPage)
		if err != nil {
			return err
		}
		for _, m := range page {
			if after = m.Position; m.Own || !talk.Group {
				w.comma(&first).value(newMessage(m))
			}
		}
		if err := w.flush(); err != nil || len(page) < messagesPage {
			return err
		}
	}
}

// writer gathers a piece of the document.
type writer struct {
	emit func(piece []byte) error
	buf  []byte
	err  error
}

func (w *writer) raw(s string) *writer {
	w.buf = append(w.buf, s...)
	return w
}

func (w *writer) value(v any) *writer {
	text, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.buf = append(w.buf, text...)
	return w
}

// comma parts the entries of a list.
func (w *writer) comma(first *bool) *writer {
	if !*first {
		w.raw(",")
	}
	*first = false
	return w
}

func (w *writer) flush() error {
	if w.err == nil && len(w.buf) > 0 {
		w.err = w.emit(w.buf)
	}
	w.buf = nil // the receiver may keep it
	return w.err
}
