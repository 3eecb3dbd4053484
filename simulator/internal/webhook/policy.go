package webhook

import (
	"net/http"
	"time"
)

// Policy is how a provider delivers webhooks.
type Policy struct {
	// Accept says which status ends the retries.
	Accept func(status int) bool
	// Delay is the pause after that many failures in a row, from 1.
	Delay func(failures int) time.Duration
	// Timeout is how long one attempt waits for an answer.
	Timeout time.Duration
	// Lifetime is when the provider gives up, counted from the first attempt.
	Lifetime time.Duration
	// MaxRetryAfter caps the Retry-After that is obeyed; 0 ignores the header.
	MaxRetryAfter time.Duration
	// Concurrency is how many attempts an account makes at once.
	Concurrency int
}

// WhatsApp delivers concurrently and takes nothing but 200 for an answer
// ("if we receive any HTTP status code other than 200 … we retry with
// decreasing frequency for up to 7 days": WhatsApp docs, Webhooks overview,
// 11 September 2026). The delays themselves are not published.
func WhatsApp() Policy {
	return Policy{
		Accept:      func(status int) bool { return status == http.StatusOK },
		Delay:       func(failures int) time.Duration { return doubling(failures, 2*time.Second, time.Hour) },
		Timeout:     20 * time.Second,
		Lifetime:    7 * 24 * time.Hour,
		Concurrency: 100,
	}
}

// Telegram resends at once, then after 2, 4, 8 … 60 seconds, for 24 hours, obeys
// Retry-After up to an hour, and takes any 2xx (tdlib/telegram-bot-api 10.0,
// WebhookActor.cpp).
func Telegram(connections int) Policy {
	return Policy{
		Accept: func(status int) bool { return status/100 == 2 },
		Delay: func(failures int) time.Duration {
			if failures <= 1 {
				return 0
			}
			return doubling(failures-1, 2*time.Second, time.Minute)
		},
		Timeout:       time.Minute,
		Lifetime:      24 * time.Hour,
		MaxRetryAfter: time.Hour,
		Concurrency:   connections,
	}
}

// CallbackLifetime is how long Telegram tries to deliver a button press (same
// source).
const CallbackLifetime = 150 * time.Second

func doubling(step int, first, most time.Duration) time.Duration {
	delay := first
	for range step - 1 {
		if delay *= 2; delay >= most {
			return most
		}
	}
	return delay
}
