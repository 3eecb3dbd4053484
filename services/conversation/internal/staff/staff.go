// Package staff lets people of the company take conversations over and write in them.
package staff

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// Store keeps conversations.
type Store interface {
	// Conversation returns one, or conversation.ErrNotFound.
	Conversation(ctx context.Context, id conversation.ID) (conversation.Conversation, error)
	// HandOver gives the word to staff. Returns conversation.ErrNotFound or ErrClosed.
	HandOver(ctx context.Context, id conversation.ID, h conversation.HandOver) (conversation.Conversation, error)
	// Reply decides to send what staff wrote; the same request again returns the message that it became. Returns
	// conversation.ErrNotFound, ErrClosed, ErrWindowClosed or ErrRequestReused.
	Reply(ctx context.Context, id conversation.ID, r conversation.StaffReply) (conversation.Message, error)
}

// Integrations is what this service knows of them.
type Integrations interface {
	// Get returns one, false for one that is not known.
	Get(id conversation.IntegrationID) (conversation.Integration, bool)
}

// Desk is where staff work.
type Desk struct {
	store        Store
	integrations Integrations
	pause        time.Duration
	wake         func()
}

// NewDesk returns a desk. The bot keeps silent for pause after staff wrote, where an integration says nothing else; wake tells the
// workers of this process that there is something to send.
func NewDesk(store Store, integrations Integrations, pause time.Duration, wake func()) *Desk {
	return &Desk{store: store, integrations: integrations, pause: pause, wake: wake}
}

// HandOver takes a conversation over. Its errors are Store's, and a fault of kind Invalid for what is too long.
func (d *Desk) HandOver(ctx context.Context, id conversation.ID, who, why string) (conversation.Conversation, error) {
	who, why = strings.TrimSpace(who), strings.TrimSpace(why)
	if !fits(who, conversation.MaxStaffName) {
		return conversation.Conversation{}, fault.Newf(fault.Invalid, "STAFF_INVALID", "staff has up to %d characters", conversation.MaxStaffName)
	}
	if !fits(why, conversation.MaxStaffReason) {
		return conversation.Conversation{}, fault.Newf(fault.Invalid, "REASON_INVALID", "reason has up to %d characters", conversation.MaxStaffReason)
	}
	pause, err := d.pauseIn(ctx, id)
	if err != nil {
		return conversation.Conversation{}, err
	}
	if pause == 0 { // messages pause nothing here, but who takes over means it
		pause = conversation.DefaultStaffPause
	}
	return d.store.HandOver(ctx, id, conversation.HandOver{Staff: who, Reason: why, Pause: pause})
}

// Reply sends what staff write. Its errors are Store's, and a fault of kind Invalid for a text that cannot be sent.
func (d *Desk) Reply(ctx context.Context, id conversation.ID, text string, request conversation.RequestID) (conversation.Message, error) {
	if strings.TrimSpace(text) == "" || !fits(text, conversation.MaxStaffText) {
		return conversation.Message{}, fault.Newf(fault.Invalid, "TEXT_INVALID", "text has 1 to %d characters", conversation.MaxStaffText)
	}
	pause, err := d.pauseIn(ctx, id)
	if err != nil {
		return conversation.Message{}, err
	}
	m, err := d.store.Reply(ctx, id, conversation.StaffReply{Text: text, Request: request, Pause: pause})
	if err == nil {
		d.wake()
	}
	return m, err
}

// fits reports whether a text can be stored, which one with a NUL cannot.
func fits(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && !strings.ContainsRune(text, 0)
}

// pauseIn is how long the bot keeps silent in a conversation after staff wrote.
func (d *Desk) pauseIn(ctx context.Context, id conversation.ID) (time.Duration, error) {
	c, err := d.store.Conversation(ctx, id)
	if err != nil {
		return 0, err
	}
	if in, ok := d.integrations.Get(c.Integration); ok && in.StaffPause != nil {
		return *in.StaffPause, nil
	}
	return d.pause, nil
}
