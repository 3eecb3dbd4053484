package delivery

import (
	"context"
	"time"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// signalTimeout bounds the small calls around a message. They are worth nothing later.
const signalTimeout = 5 * time.Second

// Type shows "typing …" in a chat. WhatsApp can only do so while it marks a received message as read.
func (s *Service) Type(ctx context.Context, to channels.Address, messageID string) error {
	if to.WhatsApp != nil {
		return s.MarkRead(ctx, to, messageID, true)
	}
	return s.signal(ctx, to.IntegrationID, channels.Telegram, func(ctx context.Context, c channels.Credentials) error {
		typer, ok := s.providers[channels.Telegram].Sender.(channels.TypingIndicator)
		if !ok {
			return nil
		}
		return typer.Typing(ctx, c, *to.Telegram)
	})
}

// MarkRead shows that a received message was read, with "typing …" when asked. Telegram's bots cannot; there it does nothing.
func (s *Service) MarkRead(ctx context.Context, to channels.Address, messageID string, typing bool) error {
	if to.Telegram != nil {
		_, err := s.integrations.Open(ctx, to.IntegrationID)
		return err
	}
	if messageID == "" {
		return fault.New(fault.Invalid, "MESSAGE_ID_MISSING", "WhatsApp needs the received message's id")
	}
	return s.signal(ctx, to.IntegrationID, channels.WhatsApp, func(ctx context.Context, c channels.Credentials) error {
		marker, ok := s.providers[channels.WhatsApp].Sender.(channels.ReadMarker)
		if !ok {
			return nil
		}
		return marker.MarkRead(ctx, c, messageID, typing)
	})
}

// AnswerButton ends the waiting state of a Telegram inline button.
func (s *Service) AnswerButton(ctx context.Context, integrationID, callbackID, text string) error {
	return s.signal(ctx, integrationID, channels.Telegram, func(ctx context.Context, c channels.Credentials) error {
		answerer, ok := s.providers[channels.Telegram].Sender.(channels.ButtonAnswerer)
		if !ok {
			return nil
		}
		return answerer.AnswerButton(ctx, c, callbackID, text)
	})
}

func (s *Service) signal(
	ctx context.Context, integrationID string, p channels.Platform, call func(ctx context.Context, c channels.Credentials) error,
) error {
	i, err := s.integrations.Open(ctx, integrationID)
	if err != nil {
		return err
	}
	if i.Platform != p {
		return wrongPlatform()
	}
	if err := refusalOf(i); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, signalTimeout)
	defer cancel()
	return asFault(call(ctx, i.Credentials()))
}

func wrongPlatform() error {
	return fault.New(fault.Invalid, "WRONG_PLATFORM", "the integration is not of that platform")
}
