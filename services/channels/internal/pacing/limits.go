package pacing

import (
	"time"

	"github.com/knobot/knobot/services/channels"
)

// Limit is a rate: one message every so often, and a burst of them at once after a rest.
type Limit struct {
	Every time.Duration
	Burst int
}

// PerSecond spreads so many messages evenly over a second: then no second, wherever it begins, holds more.
func PerSecond(n int) Limit {
	const second = int(time.Second / time.Microsecond) // PostgreSQL knows nothing shorter than a microsecond
	return Limit{Every: time.Duration((second+n-1)/n) * time.Microsecond, Burst: 1}
}

// Limits are the providers' own. Read marks, "typing …" and answers to buttons count against none: the providers' pages speak
// of messages.
type Limits struct {
	// Number is that of a WhatsApp number, Pair that of the number and one customer.
	Number, Pair Limit
	// Bot is that of a Telegram bot, Chat that of one chat, Group that of a group on top of it.
	Bot, Chat, Group Limit
}

// DefaultLimits are what the providers allow to whom they know no better.
//
//   - WhatsApp: 80 messages a second for each number, those that come in included, which channels does not see (Throughput,
//     2026-09-11); to one customer one in 6 s and 45 at once (About the platform, 2026-09-11).
//   - Telegram: 30 a second for each bot, about one a second in a chat "with short bursts", 20 a minute in a group
//     (https://core.telegram.org/bots/faq, read 2026-11-23). How short is not public. Four let nearly every answer that had to
//     be split, up to 16,000 characters, go out at once. In a group 5 at once and one in 4 s make 20 in the worst minute.
func DefaultLimits() Limits {
	return Limits{
		Number: PerSecond(80), Pair: Limit{Every: 6 * time.Second, Burst: 45},
		Bot: PerSecond(30), Chat: Limit{Every: time.Second, Burst: 4}, Group: Limit{Every: 4 * time.Second, Burst: 5},
	}
}

// quotas returns what a message to a recipient counts against.
func (l Limits) quotas(to channels.Address) []channels.Quota {
	if to.Telegram == nil {
		return []channels.Quota{quota(to.Recipient(), "pair", l.Pair), l.shared(to)}
	}
	out := []channels.Quota{quota(to.Recipient(), "chat", l.Chat)}
	if to.Telegram.ID < 0 {
		out = append(out, quota(to.Recipient(), "group", l.Group))
	}
	return append(out, l.shared(to))
}

// shared returns what all messages of an integration count against.
func (l Limits) shared(to channels.Address) channels.Quota {
	if to.Telegram == nil {
		return quota("", "number", l.Number)
	}
	return quota("", "bot", l.Bot)
}

func quota(recipient, name string, l Limit) channels.Quota {
	return channels.Quota{Recipient: recipient, Name: name, Every: l.Every, Burst: l.Burst}
}
