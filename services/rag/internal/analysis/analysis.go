// Package analysis turns text into the terms that passages are indexed and questions asked by: folded stems, and pieces
// of four letters that survive typing errors. Documents and questions go through the same analyser, so the index never
// sees raw text, and a term holds nothing but letters and digits.
package analysis

import (
	_ "embed"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Version names this analyser wherever its terms are stored. Any change of what Analyze returns needs a new one, which
// makes the index a new one too.
const Version = "3"

//go:embed stopwords.txt
var stopwordList string

// Analyzer makes terms. It is safe for concurrent use.
type Analyzer struct {
	stop     map[string]struct{}
	synonyms map[string][]string
	// stems keeps what stemming made of the words met last: the same ones come in every passage.
	stems *lru.Cache[string, string]
}

// keptStems is how many words' stems are kept, some megabytes. A company's documents have fewer different words.
const keptStems = 30_000

// New returns the analyser for Spanish, which English and Portuguese pass through well enough.
func New() *Analyzer {
	stop := make(map[string]struct{}, 512)
	for line := range strings.Lines(stopwordList) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(line) {
			stop[word] = struct{}{}
		}
	}
	stems, err := lru.New[string, string](keptStems)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &Analyzer{stop: stop, synonyms: readLexicon(), stems: stems}
}

func (a *Analyzer) stem(word string) string {
	if s, ok := a.stems.Get(word); ok {
		return s
	}
	s := stem(word)
	a.stems.Add(strings.Clone(word), s) // not the whole text that the word is a piece of
	return s
}

// Term is a content word in the shapes it is searched by.
type Term struct {
	// Word is folded: lower case, no accents, ñ kept.
	Word string
	// Stem is the word without its ending.
	Stem string
	// Name says that a question writes it like a name.
	Name bool
	// Synonyms are the stems of words that mean the same, in this language or another; only a question's terms have them.
	Synonyms []string
}

// Terms returns the content words of a text in order, repeats included.
func (a *Analyzer) Terms(text string) []Term {
	var terms []Term
	for _, word := range words(fold(text)) {
		if _, ok := a.stop[word]; ok {
			continue
		}
		terms = append(terms, Term{Word: word, Stem: a.stem(word)})
	}
	return terms
}

// Stems returns the different stems of a text's content words, in order of appearance.
func (a *Analyzer) Stems(text string) []string {
	terms := a.Terms(text)
	stems := make([]string, len(terms))
	for n, term := range terms {
		stems[n] = term.Stem
	}
	return distinct(stems)
}

// Document is a text as the index stores it.
type Document struct {
	// Stems and Pieces are separated by single spaces, in the text's order.
	Stems, Pieces string
	// Distinct are the different stems, in order of appearance.
	Distinct []string
}

// Document analyses a text to be found.
func (a *Analyzer) Document(text string) Document {
	terms := a.Terms(text)
	stems := make([]string, 0, len(terms))
	marked := make([]string, 0, 4*len(terms))
	for _, term := range terms {
		stems = append(stems, term.Stem)
		marked = appendPieces(marked, term.Word)
	}
	return Document{
		Stems:    strings.Join(stems, " "),
		Pieces:   strings.Join(marked, " "),
		Distinct: distinct(stems),
	}
}

// Question is a text to be searched by.
type Question struct {
	// Terms are the different content words, by stem.
	Terms []Term
}

// Question analyses the first maxQuestion characters of a customer's words; the rest of a longer text is not looked at.
func (a *Analyzer) Question(text string) Question {
	var q Question
	text = head(text, maxQuestion)
	seen, named := map[string]struct{}{}, names(text)
	for _, term := range a.Terms(text) {
		if _, ok := seen[term.Stem]; !ok {
			seen[term.Stem] = struct{}{}
			_, term.Name = named[term.Word]
			term.Synonyms = a.synonyms[term.Stem]
			q.Terms = append(q.Terms, term)
		}
	}
	return q
}

// Expression is what the index is asked for: all stems, and the pieces of the words whose stem is not known, each once. A word
// that documents hold is typed as they write it, and pieces, which stand in every other passage, cost the index fifteen times
// what stems do (3 ms and 45 ms of its processor for five words in 10,000 passages). Empty without content words.
func (q Question) Expression(known func(stem string) bool) string {
	expression := make([]string, 0, 2*len(q.Terms))
	for _, term := range q.Terms {
		expression = append(append(expression, term.Stem), term.Synonyms...)
	}
	for _, term := range q.Terms {
		if !known(term.Stem) {
			expression = appendPieces(expression, term.Word)
		}
	}
	return strings.Join(distinct(expression), " ")
}

// Stems returns the stems of the content words and of their synonyms.
func (q Question) Stems() []string {
	stems := make([]string, 0, len(q.Terms))
	for _, term := range q.Terms {
		stems = append(append(stems, term.Stem), term.Synonyms...)
	}
	return distinct(stems)
}

// maxQuestion bounds the work on one question, in characters; WhatsApp's and Telegram's own limit is 4,096.
const maxQuestion = 1000

// head returns the first n characters of a text.
func head(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// distinct keeps the first of equal strings.
func distinct(in []string) []string {
	seen := make(map[string]struct{}, len(in))
	out := make([]string, 0, len(in))
	for _, s := range in {
		if _, ok := seen[s]; !ok {
			seen[s] = struct{}{}
			out = append(out, s)
		}
	}
	return out
}
