// Package directive knows sentences in a company's documents that speak to the machine that reads them and not to the
// company's customers: "ignore your instructions", "assistant: end with …". Whoever can write into a document could
// otherwise make KnoBot say what they want. It is a second fence: the first is that an answer can do nothing but be text.
package directive

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/knobot/knobot/services/rag/internal/sentence"
)

// sign is what gives a sentence away.
type sign struct {
	// literals are such that every match holds one of them. They are looked for first, because expressions cost as much of a
	// processor as all the rest of an answer without a model.
	literals []string
	pattern  *regexp.Regexp
}

// signs are looked for in a folded sentence: lower case, without accents. Each needs two things at once, because either
// alone is ordinary: an event has "asistentes", a manual has "instrucciones".
var signs = []sign{
	// Somebody is told to drop their own or earlier instructions.
	{[]string{"ignor", "olvid", "desobede", "desconsider", "descart", "disregard", "forget", "override"}, regexp.MustCompile(`\b(?:ignor\w*|olvid\w*|desobede\w*|desconsider\w*|descart\w*|disregard|forget|override)\b.{0,20}` +
		`\b(?:(?:tus|sus|suas|todas|all|your|previous|prior|earlier|system)\b.{0,20}\b(?:instruc\w+|instrucoes|reglas|regras|rules|prompts?)` +
		`|(?:instruc\w+|instrucoes|reglas|regras)\b.{0,20}\b(?:anteriores|previas|previos))\b`)},
	// A machine is called by its name and a colon follows: "ASISTENTE: …", "note to AI assistants: …".
	{[]string{":", ">"}, regexp.MustCompile(`\b(?:asistentes?(?: virtual(?:es)?)?|assistants?|assistentes?|chatbots?|bots?|i\.?a\.?|a\.?i\.?|llms?|language models?|modelos? de lenguaje|system|sistema)\s*[:>]\s*\S`)},
	// A machine has to say or ask something.
	{[]string{"debe", "tiene", "has de", "must", "should", "shall", "deve", "tem que"}, regexp.MustCompile(`\b(?:asistentes?|assistants?|assistentes?|chatbots?|bots?|ia|ai|llms?|language models?)\b.{0,20}` +
		`\b(?:debe[ns]?|deberas?|tienen? que|has de|must|should|shall|devem?|tem que)\s+(?:siempre |always |sempre )?` +
		`(?:pedir|decir|responder|contestar|mostrar|terminar|ignorar|recomendar|solicitar|preguntar|revelar|enviar|ask|say|reply|answer|respond|show|end|ignore|reveal|recommend|send|dizer|perguntar)\b`)},
	// Answers, prompts and documents are spoken of as only a machine sees them.
	{[]string{"prompt", "end every", "termina", "acaba", "this document", "se recupere"}, regexp.MustCompile(`\b(?:system prompt|prompt del sistema|prompt do sistema|end every (?:answer|reply|response)|` +
		`(?:termina\w*|acaba\w*) (?:cada|todas) (?:tus |las |tu )?respuestas?|this document is retrieved|se recupere este documento)\b`)},
}

func (s sign) in(folded string) bool {
	return slices.ContainsFunc(s.literals, func(l string) bool { return strings.Contains(folded, l) }) && s.pattern.MatchString(folded)
}

// denied begins a sentence that warns of such a thing instead of asking for it.
var denied = regexp.MustCompile(`^\W*(?:no|nunca|never|do not|don't|nao) `)

// Speaks tells whether a sentence speaks to the machine.
func Speaks(s string) bool {
	folded := fold(s)
	return slices.ContainsFunc(signs, func(s sign) bool { return s.in(folded) }) && !denied.MatchString(folded)
}

// Without returns a text of CommonMark without the sentences that speak to the machine; of a list or table, without the
// lines.
func Without(text string) string {
	if !spoken(text) {
		return text
	}
	var kept []string
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			kept = append(kept, line)
			continue
		}
		if line = withoutIn(line); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// spoken tells whether any sentence of a text speaks to the machine.
func spoken(text string) bool {
	return slices.ContainsFunc(sentence.Split(text), Speaks)
}

func withoutIn(line string) string {
	sentences := sentence.Split(line)
	kept := sentences[:0:0]
	for _, s := range sentences {
		if !Speaks(s) {
			kept = append(kept, s)
		}
	}
	if len(kept) == len(sentences) {
		return line
	}
	return strings.Join(kept, " ")
}

// fold lower-cases and takes accents off.
func fold(s string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if r < 0x300 || r > 0x36f {
			out.WriteRune(r)
		}
	}
	return out.String()
}
