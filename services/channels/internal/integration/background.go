package integration

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/channels"
)

const (
	// Keep is how long a deleted integration's webhooks are still recognised: a day longer than Meta repeats them
	// (developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview, read 2026-11-23: 7 days).
	Keep = 8 * 24 * time.Hour

	expireEvery = 10 * time.Second
	nameEvery   = 2 * time.Second
	nameTimeout = 10 * time.Second
	// nameRetry doubles from its first to its longest value.
	nameRetry        = 5 * time.Second
	nameRetryLongest = 10 * time.Minute
)

// RunExpiry removes what has expired, so that watchers hear of it, until ctx ends.
func (s *Service) RunExpiry(ctx context.Context) error {
	return s.every(ctx, expireEvery, func() {
		if err := s.store.Expire(ctx, Keep); err != nil && ctx.Err() == nil {
			s.log.Warn("expired secrets not removed", zap.Error(err))
		}
	})
}

// nameless is a bot whose username is not known, and when to ask for it again.
type nameless struct {
	bot   channels.Integration
	next  time.Time
	pause time.Duration
}

// RunNaming asks Telegram for the usernames of bots whose name is not known, until ctx ends. Failures are retried ever less
// often; nothing waits for the name but recognising mentions in groups.
func (s *Service) RunNaming(ctx context.Context) error {
	var revision int64
	waiting := map[string]*nameless{}
	return s.every(ctx, nameEvery, func() {
		changed, reached, err := s.store.Since(ctx, revision)
		if err != nil {
			return // Said by everything else that needs the database.
		}
		revision = reached
		for _, i := range changed {
			note(waiting, i)
		}
		for _, n := range waiting {
			s.askName(ctx, n)
		}
	})
}

// note keeps in waiting what is to be asked for.
func note(waiting map[string]*nameless, i channels.Integration) {
	state, _ := i.State()
	known := waiting[i.ID]
	switch {
	case state != channels.StateEnabled || i.Telegram.BotID == 0 || i.Telegram.BotUsername != "":
		delete(waiting, i.ID)
	case known == nil || known.bot.Credentials() != i.Credentials():
		waiting[i.ID] = &nameless{bot: i, pause: nameRetry}
	}
}

// askName asks for a name that is due. The answer comes back as a change, which takes the bot off the list.
func (s *Service) askName(ctx context.Context, n *nameless) {
	if time.Now().Before(n.next) {
		return
	}
	if err := s.name(ctx, n.bot); err != nil && ctx.Err() == nil {
		s.log.Warn("bot's username not known yet", zap.String("integration", n.bot.ID), zap.Error(err))
	}
	n.next, n.pause = time.Now().Add(n.pause), min(2*n.pause, nameRetryLongest)
}

func (s *Service) name(ctx context.Context, i channels.Integration) error {
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	bot, err := s.telegram.Me(ctx, i.Credentials())
	if err != nil || bot.Username == "" {
		return err
	}
	_, err = s.store.Change(ctx, i.ID, func(now *channels.Integration, _ time.Time) error {
		if now.Telegram.BotID != i.Telegram.BotID {
			return errUnchanged
		}
		now.Telegram.BotUsername = bot.Username
		return nil
	})
	return err
}

// every calls f once the first integrations are there, and then at intervals until ctx ends. It returns nil, because ending
// is not a failure.
func (s *Service) every(ctx context.Context, d time.Duration, f func()) error {
	if wait(ctx, s.seeded, nil) != nil {
		return nil
	}
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		f()
		if wait(ctx, ticker.C, nil) != nil {
			return nil
		}
	}
}
