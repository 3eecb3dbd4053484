package integration

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// webhookPath is the gateway's route for Telegram.
const webhookPath = "/api/integrations/webhooks/telegram"

// SetWebhook makes Telegram post to url, a public base address or the whole webhook address, with the integration's secret.
func (s *Service) SetWebhook(ctx context.Context, id, address string) (channels.WebhookInfo, error) {
	i, err := s.bot(ctx, id)
	if err != nil {
		return channels.WebhookInfo{}, err
	}
	target, err := s.webhookURL(address)
	if err != nil {
		return channels.WebhookInfo{}, err
	}
	if err := s.telegram.SetWebhook(ctx, i.Credentials(), target, i.Secret(channels.WebhookSecret).Reveal()); err != nil {
		return channels.WebhookInfo{}, providerFault(err)
	}
	info, err := s.telegram.WebhookInfo(ctx, i.Credentials())
	if err != nil {
		// It is set: that Telegram, or an emulator without this method, tells no more of it is no failure.
		s.log.Warn("webhook is set, but its info is not known", zap.String("integration", id), zap.Error(err))
		return channels.WebhookInfo{URL: target}, nil
	}
	return info, nil
}

// WebhookInfo returns what Telegram says of a bot's webhook.
func (s *Service) WebhookInfo(ctx context.Context, id string) (channels.WebhookInfo, error) {
	i, err := s.bot(ctx, id)
	if err != nil {
		return channels.WebhookInfo{}, err
	}
	info, err := s.telegram.WebhookInfo(ctx, i.Credentials())
	return info, providerFault(err)
}

func (s *Service) bot(ctx context.Context, id string) (channels.Integration, error) {
	i, err := s.Get(ctx, id)
	switch {
	case err != nil:
		return i, err
	case i.Platform != channels.Telegram:
		return i, fault.New(fault.Precondition, "NOT_TELEGRAM", "WhatsApp's webhook is set in Meta's console (WhatsApp > Configuration)")
	case i.Secret(channels.BotToken) == "":
		_, reason := i.State()
		return i, fault.Newf(fault.Precondition, "INTEGRATION_INCOMPLETE", "the integration is incomplete: %s", reason)
	}
	return i, nil
}

// webhookURL completes and checks an address. Telegram takes https only
// (https://core.telegram.org/bots/api#setwebhook, read 2026-11-23); an emulator of its API takes anything.
func (s *Service) webhookURL(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(address) > 2000 {
		return "", fault.New(fault.Invalid, "INVALID_URL", "a public address such as https://example.org is needed")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !s.config.CustomBotAPI) {
		return "", fault.New(fault.Invalid, "INVALID_URL", "the address must begin with https://")
	}
	path := strings.TrimRight(u.Path, "/")
	u.Path = strings.TrimSuffix(path, webhookPath) + webhookPath + "/"
	return u.String(), nil
}

// providerFault says what Telegram's refusal means to the person who configures.
func providerFault(err error) error {
	e, ok := errors.AsType[*channels.SendError](err)
	if !ok {
		return err
	}
	switch e.Class {
	case channels.ClassThrottled, channels.ClassPairThrottled:
		return fault.New(fault.Throttled, "THROTTLED", "Telegram asked to wait").WithRetryAfter(e.RetryAfter).WithCause(e)
	case channels.ClassRetry, channels.ClassInDoubt:
		return fault.Newf(fault.Unavailable, "PROVIDER_UNAVAILABLE", "Telegram could not be reached: %s", e.Message).WithCause(e)
	case channels.ClassStopIntegration:
		return fault.Newf(fault.Precondition, "BOT_TOKEN_REFUSED", "Telegram refuses the bot token: %s", e.Message).WithCause(e)
	default:
		return fault.Newf(fault.Invalid, "REFUSED", "Telegram refuses this: %s", e.Message).WithCause(e)
	}
}
