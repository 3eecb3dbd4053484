package orchestrator

import (
	"errors"
	"slices"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/grounding"
)

// Errors of an answer that is not said: the documents' own words answer instead.
var (
	errUnproven   = errors.New("the model's answer names no evidence")
	errUngrounded = errors.New("the model's answer holds what stands in no source")
)

// ground checks a whole answer before anybody sees it: every number, code, phone number, address and link stands in the
// passages that it cites. What stands in another of the passages that were given is cited too. It returns the sources that
// the answer rests on; holds is false if something is left over. The numbers of the question may be repeated.
func ground(text, question string, cited []int, sources []rag.Hit) (rests []int, holds bool) {
	missing := missingIn(text, question, cited, sources)
	for i := range sources {
		if missing == 0 {
			break
		}
		if slices.Contains(cited, i) {
			continue
		}
		with := append(slices.Clone(cited), i)
		if left := missingIn(text, question, with, sources); left < missing {
			cited, missing = with, left
		}
	}
	return cited, missing == 0
}

func missingIn(text, question string, cited []int, sources []rag.Hit) int {
	texts := make([]string, len(cited))
	for i, n := range cited {
		texts[i] = sources[n].Context()
	}
	return len(grounding.NewSources(texts...).Allow(question).Missing(text))
}
