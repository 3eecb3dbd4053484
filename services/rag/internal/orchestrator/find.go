package orchestrator

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/grounding"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

const (
	// enoughWords is how many content words a question needs to be understood without what was said before.
	enoughWords = 4
	// ownConfidence is the coverage at which a question that is long enough is left alone.
	ownConfidence = 0.6
	// ownShare is how much of what a question finds alone must also stand in the passage found together with the question
	// before: else that one is answered again, and not the new one.
	ownShare = 0.8
)

// find searches for what the open turns ask. A question that may lean on a quoted message or on the question before ("¿y los
// domingos?") is also searched together with it, and the better of the two counts.
func (o *Orchestrator) find(ctx context.Context, d dialogue) (retrieval.Result, error) {
	own, err := o.findOwn(ctx, d)
	if err != nil {
		return retrieval.Result{}, err
	}
	before, leans := d.aboutWhat(), d.leans()
	short := own.Question.Words() < enoughWords
	if before == "" || !(leans || short || own.Confidence() < ownConfidence) {
		return own, nil
	}
	joined, err := o.searcher.Search(ctx, d.KnowledgeBase, before+"\n"+d.question, d.TopK)
	if err != nil {
		return retrieval.Result{}, err
	}
	if o.finds(d, joined) && (leans || answersToo(own, joined, short)) {
		if own.Question.Words() == 0 {
			joined.Hits = o.news(d, joined.Hits)
		}
		return joined, nil
	}
	if leans && own.Confidence() < ownConfidence {
		return joined, nil // neither is clear: better to ask back than to answer half a question
	}
	return own, nil
}

// finds tells whether something was found that answers. A gate of 0 lets anything pass, but there has to be something.
func (o *Orchestrator) finds(d dialogue, r retrieval.Result) bool {
	return len(r.Hits) > 0 && r.Confidence() >= o.gate(d)
}

// findOwn searches for the open turns alone. Where much is said around a question ("olvida lo anterior, quiero otra cosa:
// ¿…?"), the passage has to answer what is asked and not what is said around it; and where nothing is asked, what the customer
// quotes (an error message) may be what no passage knows.
func (o *Orchestrator) findOwn(ctx context.Context, d dialogue) (retrieval.Result, error) {
	whole, err := o.searcher.Search(ctx, d.KnowledgeBase, d.question, d.TopK)
	if err != nil {
		return whole, err
	}
	sure, asked := o.finds(d, whole), interrogative(d.question)
	if asked == "" && !sure {
		asked = unquoted(d.question)
	}
	if asked == "" {
		return whole, nil
	}
	part, err := o.searcher.Search(ctx, d.KnowledgeBase, asked, d.TopK)
	if err != nil {
		return retrieval.Result{}, err
	}
	least := leastAsked
	if sure {
		least = enoughWords // a shorter one may lean on what is said around it ("¿cómo los cancelo?")
	}
	if !o.finds(d, part) || part.Question.Words() < least || sure && serves(whole, part) {
		return whole, nil
	}
	return part, nil
}

// leastAsked is how many content words a part of a message needs to stand for a whole that finds nothing.
const leastAsked = 2

// serves tells whether what was found for a whole message also answers the part that is asked.
func serves(whole, part retrieval.Result) bool {
	return part.Question.Coverage(whole.Hits[0].Stems) >= ownShare*part.Confidence()
}

// interrogative returns the parts of a text that are asked: from ¿, or else from the last mark before, to ?. It is "" where
// nothing is, or everything.
func interrogative(text string) string {
	var asked []string
	for rest := text; ; {
		end := strings.IndexByte(rest, '?')
		if end < 0 {
			break
		}
		begin := strings.LastIndex(rest[:end], "¿")
		if begin < 0 {
			begin = strings.LastIndexAny(rest[:end], ".!;:,\n\"»)>") + 1
		}
		if part := strings.TrimSpace(rest[begin : end+1]); !textIsBlank(part) {
			asked = append(asked, part)
		}
		rest = rest[end+1:]
	}
	if joined := strings.Join(asked, " "); joined != strings.TrimSpace(text) {
		return joined
	}
	return ""
}

// answersToo tells whether what was found together with the question before also answers the question itself. One that is
// long enough to be understood alone must gain by it.
func answersToo(own, joined retrieval.Result, short bool) bool {
	return own.Question.Coverage(joined.Hits[0].Stems) >= ownShare*own.Confidence() &&
		(short || joined.Confidence() > own.Confidence())
}

// unquoted returns a text without what it quotes, "" where it quotes nothing or nothing else.
func unquoted(text string) string {
	own := quotation.ReplaceAllString(text, " ")
	if own == text || textIsBlank(own) {
		return ""
	}
	return own
}

var quotation = regexp.MustCompile(`"[^"\n]+"|“[^”\n]+”|«[^»\n]+»`)

// news puts what is still to be said before what was said just now, for who asks on without a content word of their own ("¿y
// cuánto es por cada uno?"): the answer before did not do. Their other words, which hardly tell anything, choose among what is.
func (o *Orchestrator) news(d dialogue, hits []rag.Hit) []rag.Hit {
	last := lastAnswer(d.history)
	if !told(last, hits[0].Passage) {
		return hits
	}
	best, most := 0, -1
	for i, h := range hits {
		if n := common(d.question, h.Context()); n > most && h.Confidence >= o.gate(d) && !told(last, h.Passage) {
			best, most = i, n
		}
	}
	return slices.Concat(hits[best:best+1], hits[:best], hits[best+1:])
}

// common is how many different words of a question stand in a text, function words too.
func common(question, text string) int {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
	}
	there, n := words(text), 0
	for _, word := range slices.Compact(slices.Sorted(slices.Values(words(question)))) {
		if slices.Contains(there, word) {
			n++
		}
	}
	return n
}

// told tells whether a turn of ours says something of a passage.
func told(turn rag.Turn, p rag.Passage) bool {
	if slices.Contains(turn.Rests, p.ID) {
		return true
	}
	for line := range strings.Lines(turn.Text) {
		if grounding.Quotes(p.Text, line) {
			return true
		}
	}
	return false
}

// lastAnswer is what we or staff wrote last.
func lastAnswer(history []rag.Turn) rag.Turn {
	for _, turn := range slices.Backward(history) {
		if turn.Role != rag.Customer {
			return turn
		}
	}
	return rag.Turn{}
}

// lastQuestion is what the customer wrote last before the open turns.
func lastQuestion(history []rag.Turn) string {
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Role == rag.Customer && strings.TrimSpace(history[i].Text) != "" {
			return clip(history[i].Text, maxBefore)
		}
	}
	return ""
}

// maxBefore leaves room for the question itself among the characters that are analysed.
const maxBefore = 500

func clip(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// continues tells whether a message begins like the continuation of another.
func continues(text string) bool {
	words := strings.FieldsFunc(strings.ToLower(clip(text, 60)), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "y", "pero", "también", "tambien", "entonces", "o", "e", "and", "but", "also", "then", "mas", "também", "tambem",
		"então", "entao", "ese", "esa", "eso", "esos", "esas":
		return true
	}
	return false
}
