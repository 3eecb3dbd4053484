package integration

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/channels"
)

// RotateWebhookSecret gives a bot a new secret and tells Telegram, if a webhook is set. The new one is stored first, so that no
// post of Telegram's is ever refused, and the old one stays valid for channels.RotationGrace. If Telegram does not take the
// new one, the old one is the current one again and the error says why.
func (s *Service) RotateWebhookSecret(ctx context.Context, id string) (rotated channels.Integration, registered bool, err error) {
	i, err := s.bot(ctx, id)
	if err != nil {
		return i, false, err
	}
	// Telegram is asked before anything changes: it must be there, and take the token.
	info, err := s.telegram.WebhookInfo(ctx, i.Credentials())
	if err != nil {
		return i, false, providerFault(err)
	}
	old, fresh := i.Secret(channels.WebhookSecret), channels.NewWebhookSecret()
	if rotated, err = s.setWebhookSecret(ctx, id, fresh); err != nil || info.URL == "" {
		return rotated, false, err
	}
	if err := s.telegram.SetWebhook(ctx, rotated.Credentials(), info.URL, fresh.Reveal()); err != nil {
		// Both stay valid for a day, whichever Telegram has now.
		if _, undo := s.setWebhookSecret(context.WithoutCancel(ctx), id, old); undo != nil {
			s.log.Error("webhook secret rotated here and not at Telegram: set the webhook within a day", zap.String("integration", id), zap.Error(undo))
		}
		return rotated, false, providerFault(err)
	}
	return rotated, true, nil
}

func (s *Service) setWebhookSecret(ctx context.Context, id string, secret channels.Secret) (channels.Integration, error) {
	stored, err := s.store.Change(ctx, id, func(i *channels.Integration, now time.Time) error {
		i.SetSecret(channels.WebhookSecret, secret, now)
		return nil
	})
	return stored, asFault(err)
}
