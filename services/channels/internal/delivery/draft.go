package delivery

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// Draft is an answer as far as it is written.
type Draft struct {
	To channels.Address
	// ID is the same for all drafts of one answer.
	ID int64
	// Markdown is CommonMark, all that is to be shown now. What is too long for one message is cut off.
	Markdown string
}

// Draft shows an answer while it is written. It is best effort: nothing is stored, nothing is tried again, and a message is
// still to be sent. Its errors are faults, listed at the RPC.
func (s *Service) Draft(ctx context.Context, d Draft) error {
	chat := d.To.Telegram
	if chat == nil || chat.ID <= 0 || chat.BusinessConnectionID != "" {
		return draftsUnsupported()
	}
	if d.ID == 0 {
		return fault.New(fault.Invalid, "DRAFT_ID_MISSING", "a draft needs an id other than 0")
	}
	parts, err := s.render(channels.Telegram, channels.Content{Markdown: d.Markdown})
	if err != nil {
		return err
	}
	return s.signal(ctx, d.To.IntegrationID, channels.Telegram, func(ctx context.Context, c channels.Credentials) error {
		drafter, ok := s.providers[channels.Telegram].Sender.(channels.Drafter)
		if !ok {
			return draftsUnsupported()
		}
		if err := s.pacer.PermitDraft(ctx, d.To); err != nil {
			return err
		}
		return s.slowDrafts(ctx, d.To, drafter.ShowDraft(ctx, c, *chat, d.ID, parts[0]))
	})
}

// slowDrafts obeys a request to wait: no drafts of this bot until then. Its messages go on.
func (s *Service) slowDrafts(ctx context.Context, to channels.Address, err error) error {
	e, ok := errors.AsType[*channels.SendError](err)
	if !ok || e.Class != channels.ClassThrottled {
		return err
	}
	wait, pauseErr := s.pacer.SlowDrafts(context.WithoutCancel(ctx), to, e)
	if pauseErr != nil {
		s.log.Error("pause of drafts not stored", zap.Error(pauseErr))
	}
	paused := *e
	paused.RetryAfter = wait
	return &paused
}

func draftsUnsupported() error {
	return fault.New(fault.Precondition, "DRAFTS_UNSUPPORTED", "only private Telegram chats show drafts")
}
