package evaluation

import (
	"slices"
	"strings"

	rag "github.com/knobot/knobot/services/rag"
)

// shortWords is the length of an answer that people read in a chat.
const shortWords = 80

// judge compares an answer with what is right.
func judge(q Question, a rag.Answer) Result {
	r := Result{
		Question: q, Text: a.Text, Declined: !a.Outcome.Answers(), Confidence: a.Confidence, Threshold: a.Threshold, Usage: a.Usage,
		Documents: documents(a.Found),
		Right:     a.Outcome.Answers() && holdsAny(a.Text, q.Answers),
		Short:     len(strings.Fields(withoutSources(a))) <= shortWords,
	}
	// What is declined above the threshold, a model declines that has read the passages.
	r.Regardless = a.Regardless || r.Declined && a.Confidence >= a.Threshold
	for _, c := range a.Citations {
		at := slices.IndexFunc(a.Found, func(h rag.Hit) bool { return h.ID == c.Passage })
		switch {
		case at < 0:
			r.Unknown++
		case r.Cited == "":
			r.Cited = a.Found[at].DocumentName
		}
	}
	return r
}

func documents(hits []rag.Hit) []string {
	var names []string
	for _, h := range hits {
		if !slices.Contains(names, h.DocumentName) {
			names = append(names, h.DocumentName)
		}
	}
	return names
}

// withoutSources takes the line of sources off, which is none of the answer's words.
func withoutSources(a rag.Answer) string {
	if at := strings.LastIndex(a.Text, "\n\n_"); at >= 0 && len(a.Citations) > 0 {
		return a.Text[:at]
	}
	return a.Text
}

func holdsAny(text string, answers []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(answers, func(s string) bool { return strings.Contains(text, strings.ToLower(s)) })
}
