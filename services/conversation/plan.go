package conversation

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MaxTextBytes is how much of a message's text is stored.
const MaxTextBytes = 1 << 20

// Plan is what a message asks for.
type Plan struct {
	// Answer says that the message opens a turn.
	Answer bool
	// Text is what is stored, and what the answerer gets unchanged.
	Text string
	// Sentence is our own that answers it; empty when the answerer is to be asked.
	Sentence Sentence
	// Language is the customer's as far as known, else the integration's: es, en or pt.
	Language string
}

// PlanMessage decides what a message asks for. What staff, bots and the platform write is recorded only, as is what a group
// writes to itself, and what comments an earlier message.
func PlanMessage(m *InboundMessage, fallback string) Plan {
	p := Plan{Text: capText(m.Text), Language: LanguageOf(m.Sender.LanguageCode, fallback)}
	if m.Echo || m.Sender.Bot || (m.Group && !m.Addressed) || comment(m.Kind) {
		return p
	}
	p.Answer = true
	p.Text, p.Sentence = question(m, p)
	return p
}

// PlanPress decides what a press on a button asks for: the same as writing its label. What stands behind a button of ours, the
// store knows.
func PlanPress(b *ButtonPress, fallback string) Plan {
	return PlanMessage(&InboundMessage{
		Sender: b.Sender, Kind: KindButtonReply, Text: b.Title, ButtonID: b.ButtonID, Addressed: true,
	}, fallback)
}

// greets reports whether a command only opens the chat or asks what this is. Every bot gets /start and /help (Bot API, global commands);
// what follows /start is a link's, not the customer's. Any other command is a question like one without a slash.
func (m *InboundMessage) greets() bool {
	switch m.Command {
	case "start":
		return true
	case "help", "ayuda", "ajuda":
		return len(strings.Fields(m.Text)) <= 1
	}
	return false
}

func comment(k MessageKind) bool {
	switch k {
	case KindReaction, KindSystem, KindEdit, KindDeletion:
		return true
	default:
		return false
	}
}

// question returns the text to ask the answerer, or the sentence of ours where there is none to ask.
func question(m *InboundMessage, p Plan) (string, Sentence) {
	text := p.Text
	switch m.Kind {
	case KindLocation:
		if m.Location != nil {
			text = capText(describeLocation(*m.Location, p.Language))
		}
	case KindContacts:
		if len(m.Contacts) > 0 {
			text = capText(describeContacts(m.Contacts, p.Language))
		}
	case KindOrder:
		if len(m.OrderItems) > 0 {
			text = capText(describeOrder(m.OrderItems, text, p.Language))
		}
	case KindFormReply:
		text = capText(readableForm(text))
	case KindCommand:
		if m.greets() {
			return text, SentenceGreeting
		}
	case KindVoice, KindAudio, KindSticker, KindUnsupported, "":
		return text, sentenceFor(m.Kind)
	}
	if strings.TrimSpace(text) == "" {
		return text, sentenceFor(m.Kind)
	}
	return text, ""
}

// PlanAmended decides what a message asks for once it was edited: it is still of its kind.
func PlanAmended(k MessageKind, edit *InboundMessage, fallback string) Plan {
	m := *edit
	m.Kind, m.Addressed = k, true
	return PlanMessage(&m, fallback)
}

// Ask makes a plan ask something else: what the pressed button stands for.
func (p *Plan) Ask(question string) { p.Text, p.Sentence = question, "" }

// Says reports whether a message of staff answers the customer: not a reaction, an edit or a notice.
func (m *InboundMessage) Says() bool { return m.Echo && !comment(m.Kind) }

// Written reports whether a customer wrote it: not a reaction, an edit or a notice.
func (m *InboundMessage) Written() bool { return !m.Echo && !m.Sender.Bot && !comment(m.Kind) }

// Stale reports whether what happened at a time is too old to be answered as if it were fresh. What has no time is not.
func Stale(occurred, now time.Time, after time.Duration) bool {
	return !occurred.IsZero() && now.Sub(occurred) > after
}

// capText cuts a text at a character. The raw payload keeps the rest.
func capText(s string) string {
	if len(s) <= MaxTextBytes {
		return s
	}
	cut := MaxTextBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
