package dialogue

import "github.com/knobot/knobot/services/conversation"

// questions is what open messages ask together.
type questions struct {
	// texts are for the answerer, one for each message or album, and contexts what each is about beyond itself.
	texts, contexts []string
	// rests are the passages that each of the contexts rests on.
	rests [][]string
	// files are those that came with each of the texts.
	files [][]conversation.File
	// greeting and sentence are our own words: at most one of each, however many messages call for them.
	greeting, sentence string
	// alone says that all of it was asked by buttons of ours.
	alone bool
}

// read takes open messages together. The parts of an album are one message: its captions are one text, and a part without a
// caption needs no word of its own where another has one.
func read(open []conversation.OpenMessage) questions {
	q := questions{alone: true}
	captioned := map[string]int{}
	for _, m := range open {
		if m.Sentence != "" {
			continue
		}
		if at, ok := captioned[m.Album]; ok && m.Album != "" {
			q.texts[at], q.contexts[at] = joined(q.texts[at], m.Text), joined(q.contexts[at], m.Context)
			q.rests[at] = append(q.rests[at], m.Rests...)
			q.files[at] = append(q.files[at], loaded(m)...)
			continue
		}
		captioned[m.Album] = len(q.texts)
		q.texts, q.contexts, q.files = append(q.texts, m.Text), append(q.contexts, about(m)), append(q.files, loaded(m))
		q.rests = append(q.rests, m.Rests)
		q.alone = q.alone && m.Chosen
	}
	for _, m := range open {
		_, whole := captioned[m.Album]
		switch {
		case m.Sentence == "" || (whole && m.Album != ""):
		case m.Sentence == conversation.SentenceGreeting:
			q.greeting = m.Sentence.In(m.Language)
		default: // of several kinds, the last
			q.sentence = m.Sentence.In(m.Language)
		}
	}
	return q
}

// about is the context of a message. A press quotes the answer above the button, which is just what it is not about.
func about(m conversation.OpenMessage) string {
	if m.Chosen {
		return ""
	}
	return m.Context
}

func loaded(m conversation.OpenMessage) []conversation.File {
	if m.Loaded == nil {
		return nil
	}
	return []conversation.File{*m.Loaded}
}

// ownWords is the answer where there is nothing to ask the answerer.
func (q questions) ownWords() string {
	if q.greeting == "" {
		return q.sentence
	}
	return withSentence(q.greeting, q.sentence)
}

// withSentence puts what we could not read below an answer.
func withSentence(text, sentence string) string {
	if sentence == "" {
		return text
	}
	return text + "\n\n" + sentence
}

// joined puts the parts of one message below each other.
func joined(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "" || a == b:
		return a
	default:
		return a + "\n" + b
	}
}
