package orchestrator

import (
	"context"
	"strings"
	"unicode"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

const (
	// enoughWords is how many content words a question needs to be understood without what was said before.
	enoughWords = 4
	// ownConfidence is the coverage at which a question that is long enough is left alone.
	ownConfidence = 0.5
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
	if joined.Confidence() >= o.gate(d) && (leans || answersToo(own, joined, short)) {
		return joined, nil
	}
	if leans && own.Confidence() < ownConfidence {
		return joined, nil // neither is clear: better to ask back than to answer half a question
	}
	return own, nil
}

// findOwn searches for the open turns alone. Where much is said around a question ("olvida lo anterior, quiero otra cosa:
// ¿…?"), what no passage covers as a whole may be covered as far as it is asked.
func (o *Orchestrator) findOwn(ctx context.Context, d dialogue) (retrieval.Result, error) {
	whole, err := o.searcher.Search(ctx, d.KnowledgeBase, d.question, d.TopK)
	if err != nil || whole.Confidence() >= o.gate(d) {
		return whole, err
	}
	asked := interrogative(d.question)
	if asked == "" {
		return whole, nil
	}
	part, err := o.searcher.Search(ctx, d.KnowledgeBase, asked, d.TopK)
	if err != nil || part.Confidence() < o.gate(d) || part.Question.Words() < leastAsked {
		return whole, err
	}
	return part, nil
}

// leastAsked is how many content words a part of a message needs to stand for the whole.
const leastAsked = 2

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
