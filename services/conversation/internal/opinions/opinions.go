// Package opinions tells rag what customers thought of its answers.
package opinions

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// Store keeps opinions.
type Store interface {
	// UntoldFeedback returns up to limit opinions that rag does not know yet.
	UntoldFeedback(ctx context.Context, limit int) ([]conversation.Opinion, error)
	// FeedbackTold stores what rag was told. Returns conversation.ErrNotFound if the answer was removed meanwhile.
	FeedbackTold(ctx context.Context, o conversation.Opinion) error
}

// Book is rag's.
type Book interface {
	// Tell takes the place of what was told before: the same twice does no harm. Returns a *conversation.PeerError.
	Tell(ctx context.Context, o conversation.Opinion) error
}

const (
	// look is how often the store is looked at: nobody waits for an opinion.
	look = 2 * time.Second
	// pause is how long nothing is told after a failure.
	pause = 15 * time.Second
	// batch is how many are told at a time.
	batch        = 100
	storeTimeout = 10 * time.Second
)

// Teller tells what is new. Two at once do no harm: what one tells too late, the other tells again.
type Teller struct {
	store Store
	book  Book
	log   *zap.Logger
}

// NewTeller returns one. Run starts it.
func NewTeller(store Store, book Book, log *zap.Logger) *Teller {
	return &Teller{store: store, book: book, log: log}
}

// Run tells until ctx ends.
func (t *Teller) Run(ctx context.Context) error {
	for {
		wait := look
		if err := t.Tell(ctx); err != nil && ctx.Err() == nil {
			t.log.Warn("feedback could not be told", zap.Error(err))
			wait = pause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Tell tells what there is. What rag refuses for good counts as told, or it would stand before everything else.
func (t *Teller) Tell(ctx context.Context) error {
	load, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	list, err := t.store.UntoldFeedback(load, batch)
	if err != nil {
		return err
	}
	for _, o := range list {
		err := t.book.Tell(ctx, o)
		var p *conversation.PeerError
		if err != nil && (!errors.As(err, &p) || p.Verdict != conversation.Refused) {
			return err
		}
		if err := t.told(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// told stores what was told, or takes it back where its customer was erased meanwhile.
func (t *Teller) told(ctx context.Context, o conversation.Opinion) error {
	err := t.store.FeedbackTold(ctx, o)
	if !errors.Is(err, conversation.ErrNotFound) {
		return err
	}
	o.Feedback = conversation.Unrated
	return t.book.Tell(ctx, o)
}
