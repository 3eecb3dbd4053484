package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
)

// expect waits until an expectation is met, and says so.
func (p *player) expect(ctx context.Context, as string, e Expectation) error {
	within := time.Duration(e.Within)
	if within <= 0 {
		within = time.Duration(p.Within)
	}
	chat := p.chats[as]
	found, next, ok, err := p.watch.next(ctx, p.from[as], within, func(event simulator.Event) bool {
		return event.Chat == chat && p.meets(event, e)
	})
	if err != nil {
		return err
	}
	if !ok {
		p.failed++
		p.say("  FAILED: expected %s within %s", e.describe(), within)
		return nil
	}
	p.met++
	if e.ofMessage() {
		// Drafts, reactions and states may come before or after a message; only
		// messages are used up.
		p.from[as] = next
	}
	if e.Label != "" && found.Message != nil {
		p.labels[e.Label] = found.Message.ID
	}
	return nil
}

// ofMessage tells expectations of a message from those of something else.
func (e Expectation) ofMessage() bool {
	return e.Reaction == "" && !e.Draft && !e.Typing && e.State == ""
}

func (p *player) meets(event simulator.Event, e Expectation) bool {
	switch {
	case e.Draft:
		return event.Type == simulator.EventDraft
	case e.Typing:
		return event.Type == simulator.EventTyping
	case event.Message == nil:
		return false
	case e.Reaction != "":
		return slices.Contains(event.Message.Reactions, e.Reaction)
	case e.State != "":
		return event.Message.Direction == simulator.Outbound && event.Message.State == e.State
	default:
		return answers(event) && p.fits(*event.Message, e)
	}
}

// answers tells the bot's messages from those of the company's staff.
func answers(event simulator.Event) bool {
	return event.Type == simulator.EventMessage && event.Message.Direction == simulator.Outbound && event.Message.Author == nil
}

func (p *player) fits(m simulator.Message, e Expectation) bool {
	has := func(part string) bool { return strings.Contains(strings.ToLower(m.Text), strings.ToLower(part)) }
	if slices.ContainsFunc(e.Contains, func(part string) bool { return !has(part) }) || slices.ContainsFunc(e.Lacks, has) {
		return false
	}
	buttons := slices.Concat(slices.Concat(m.Buttons...), slices.Concat(m.Keyboard...))
	pressable := func(b simulator.Button) bool { return b.Text == e.Button || b.Data == e.Button }
	return (e.Kind == "" || e.Kind == m.Kind) &&
		(e.Button == "" || slices.ContainsFunc(buttons, pressable)) &&
		(e.ReplyTo == "" || p.labels[e.ReplyTo] == m.ReplyTo)
}

func (p *player) expectQuiet(ctx context.Context, as string, within time.Duration) error {
	chat := p.chats[as]
	_, _, ok, err := p.watch.next(ctx, p.from[as], within, func(event simulator.Event) bool {
		return event.Chat == chat && answers(event)
	})
	switch {
	case err != nil:
		return err
	case ok:
		p.failed++
		p.say("  FAILED: expected nothing for %s", within)
	default:
		p.met++
	}
	return nil
}

func (e Expectation) describe() string {
	e.Within, e.Label = 0, ""
	switch words := string(mustJSON(e)); words {
	case "{}":
		return "an answer"
	default:
		return words
	}
}

// show writes an event of one of the customers into the transcript.
func (p *player) show(event simulator.Event) {
	as := p.nameOf(event.Chat)
	if as == "" {
		return
	}
	switch {
	case event.Type == simulator.EventDraft:
		p.say("%s ~ %s", as, oneLine(event.Text))
	case event.Type == simulator.EventNotice && event.Text != "":
		p.say("%s < (%s)", as, oneLine(event.Text))
	case event.Type == simulator.EventMessage:
		p.say("%s %s %s", as, arrow(*event.Message), Line(*event.Message))
	}
}

func arrow(m simulator.Message) string {
	switch {
	case m.Direction == simulator.Inbound:
		return ">"
	case m.Author != nil:
		return "= staff:"
	default:
		return "<"
	}
}

func (p *player) nameOf(chat simulator.Chat) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.names[chat]
}

// Line is a message in one line of text.
func Line(m simulator.Message) string {
	var parts []string
	if m.Kind != "text" {
		parts = append(parts, "["+m.Kind+"]")
	}
	for _, part := range []string{m.Text, m.Detail} {
		if part != "" {
			parts = append(parts, oneLine(part))
		}
	}
	if m.Media != nil {
		parts = append(parts, fmt.Sprintf("<%s>", firstOf(m.Media.Filename, m.Media.MIMEType, m.Media.Link)))
	}
	for _, b := range slices.Concat(slices.Concat(m.Buttons...), slices.Concat(m.Keyboard...)) {
		parts = append(parts, "["+b.Text+"]")
	}
	return strings.Join(parts, " ")
}

func firstOf(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
