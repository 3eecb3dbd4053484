package feedback

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"

	rag "github.com/knobot/knobot/services/rag"
)

// maxQuestion bounds a question that is kept, in characters.
const maxQuestion = 300

var (
	// addresses are those of e-mail, numbers runs of 6 digits and more: phones, orders, documents of identity, however they are
	// written.
	addresses = regexp.MustCompile(`[^\s@<>]+@[^\s@<>]+`)
	numbers   = regexp.MustCompile(`\+?\p{Nd}(?:[\s().\-–/]{0,2}\p{Nd}){5,}`)
)

// normalised is a question as it is kept: who asked is not in it, as far as a program can tell. It reports false where nothing
// was left unanswered, or nothing is left of it.
func (b *Book) normalised(a rag.Answer) (rag.UnansweredQuestion, bool) {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(a.Unanswered, "\x00", ""), "")), " ")
	text = numbers.ReplaceAllString(addresses.ReplaceAllString(head(text, 4*maxQuestion), "@"), "#")
	text = head(text, maxQuestion)
	stems := b.analyzer.Question(text).Stems()
	if len(stems) == 0 {
		return rag.UnansweredQuestion{}, false
	}
	slices.Sort(stems)
	key := sha256.Sum256([]byte(strings.Join(stems, " ")))
	return rag.UnansweredQuestion{Key: key[:], Question: text, Language: a.Language}, true
}

func head(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
