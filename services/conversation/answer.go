package conversation

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf16"
)

// Composed is what the answerer says.
type Composed struct {
	Text string
	// Basis is how it came about, nil for what this service says by itself.
	Basis *Basis
	// Suggestions are what else the customer may have meant.
	Suggestions []Suggestion
	// ModelTime is how long models took.
	ModelTime time.Duration
}

// Suggestion is what the customer may have meant.
type Suggestion struct{ Title, Question string }

// Basis is how an answer came about, in rag's words.
type Basis struct {
	// Outcome is answered, unsure, declined, smalltalk or handoff.
	Outcome       string `json:"outcome,omitempty"`
	KnowledgeBase string `json:"knowledge_base,omitempty"`
	// Documents and Passages are what it cites, best first, each once.
	Documents  []string `json:"documents,omitempty"`
	Passages   []string `json:"passages,omitempty"`
	Confidence float64  `json:"confidence,omitempty"`
	// Model is empty where none was asked.
	Model        string `json:"model,omitempty"`
	InputTokens  int64  `json:"input_tokens,omitempty"`
	OutputTokens int64  `json:"output_tokens,omitempty"`
	// CostMicros is in millionths of the currency that rag's prices are set in.
	CostMicros int64 `json:"cost_micros,omitempty"`
}

// Button stands under an answer. Which it is, its id says: see ButtonID.
type Button struct {
	Title string `json:"title"`
	// Question is what a press asks.
	Question string `json:"question"`
}

const (
	// maxButtons is how many WhatsApp shows as such (Cloud API, "Interactive reply buttons messages", read 2026-09-11).
	maxButtons = 3
	// maxAboveButtons is how long a text over buttons may be on WhatsApp before it becomes a message of its own, in UTF-16 units,
	// with room for what markup adds: buttons are not worth a second message, which is billed.
	maxAboveButtons = 1000
)

// ButtonsFor returns the buttons under an answer: none where they would make it two messages.
func ButtonsFor(c Composed, p Platform) []Button {
	if p == WhatsApp && len(utf16.Encode([]rune(c.Text))) > maxAboveButtons {
		return nil
	}
	var out []Button
	for _, s := range c.Suggestions {
		if s.Title != "" && s.Question != "" && len(out) < maxButtons {
			out = append(out, Button(s))
		}
	}
	return out
}

// buttonMark begins our ids of buttons, so that ids from elsewhere are not taken for one.
const buttonMark = "q"

// ButtonID names the nth button under a message of ours, from 0: 24 ASCII characters, and 32 are allowed. It says which message
// it is under, because Telegram may not.
func ButtonID(m MessageID, n int) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(string(m), "-", ""))
	if err != nil {
		return ""
	}
	return buttonMark + string(rune('0'+n)) + base64.RawURLEncoding.EncodeToString(raw)
}

// ParseButtonID returns the message that a button stands under and its place there, false for an id that is not ours.
func ParseButtonID(id string) (m MessageID, n int, ours bool) {
	rest, ours := strings.CutPrefix(id, buttonMark)
	if !ours || rest == "" || rest[0] < '0' || rest[0] >= '0'+maxButtons {
		return "", 0, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest[1:])
	if err != nil || len(raw) != 16 {
		return "", 0, false
	}
	digits := hex.EncodeToString(raw)
	uuid := strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
	return MessageID(uuid), int(rest[0] - '0'), true
}
