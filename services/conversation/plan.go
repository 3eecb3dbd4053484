package conversation

import (
	"strings"
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

// PlanPress decides what a press on a button asks for: the same as writing its label.
func PlanPress(b *ButtonPress, fallback string) Plan {
	return PlanMessage(&InboundMessage{
		Sender: b.Sender, Kind: KindButtonReply, Text: b.Title, ButtonID: b.ButtonID, Addressed: true,
	}, fallback)
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
	case KindButtonReply:
		if strings.TrimSpace(text) == "" {
			text = m.ButtonID
		}
	case KindCommand:
		if m.Command == "start" {
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
