package dialogue

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/knobot/knobot/services/conversation"
)

// write composes the text. What holds nothing to read gets a sentence of our own; the answerer is asked the rest, and a
// greeting is left to it.
func (w *Worker) write(ctx, stop context.Context, t conversation.Turn, d conversation.Dialogue) (string, error) {
	var questions []string
	var sentences []string
	for _, m := range d.Open {
		switch s := m.Sentence.In(m.Language); {
		case m.Sentence == "":
			questions = append(questions, m.Text)
		case !slices.Contains(sentences, s):
			sentences = append(sentences, s)
		}
	}
	if len(questions) == 0 {
		return strings.Join(sentences, "\n\n"), nil
	}
	text, err := w.ask(ctx, stop, t, d, questions)
	if err != nil {
		return "", err
	}
	greeting := func(s string) bool { return isGreeting(s, d.Open) }
	return strings.Join(append([]string{text}, slices.DeleteFunc(sentences, greeting)...), "\n\n"), nil
}

func isGreeting(sentence string, open []conversation.OpenMessage) bool {
	return slices.ContainsFunc(open, func(m conversation.OpenMessage) bool {
		return m.Sentence == conversation.SentenceGreeting && m.Sentence.In(m.Language) == sentence
	})
}

// ask calls the answerer, with no transaction open, and shows "typing …" meanwhile, or what is written so far.
func (w *Worker) ask(ctx, stop context.Context, t conversation.Turn, d conversation.Dialogue, questions []string) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(stop, func() { cancel(errStopping) })()
	last := d.Open[len(d.Open)-1]
	typing, stopTyping := context.WithCancel(ctx)
	defer stopTyping()
	go w.keepTyping(typing, t, last.PlatformMessageID)
	in, _ := w.Integrations.Get(t.Integration)
	q := conversation.Question{
		Request: conversation.RequestID(uuid.NewString()), Customer: last.User, History: d.History, Open: questions,
		KnowledgeBase: in.KnowledgeBase, RAG: d.RAG, Passages: d.Passages, Language: last.Language, HumanContact: in.HumanContact,
	}
	begin := time.Now()
	defer func() { w.Metrics.Composing(time.Since(begin).Seconds()) }()
	if !in.StreamDrafts || !t.Address.ShowsDrafts() {
		return w.Answerer.Answer(ctx, q)
	}
	drafts := w.showDrafts(ctx, t, stopTyping)
	defer drafts.end()
	return w.Answerer.Stream(ctx, q, drafts.put)
}

// How long "typing …" lasts: 5 s on Telegram (Bot API, sendChatAction), 25 s on WhatsApp (Typing indicators page,
// 2026-06-17). The first was shown by the intake.
const (
	telegramTyping = 4 * time.Second
	whatsAppTyping = 20 * time.Second
)

func (w *Worker) typing(p conversation.Platform) time.Duration {
	switch {
	case w.Typing > 0:
		return w.Typing
	case p == conversation.Telegram:
		return telegramTyping
	default:
		return whatsAppTyping
	}
}

// keepTyping shows "typing …" again and again until ctx ends. Best effort.
func (w *Worker) keepTyping(ctx context.Context, t conversation.Turn, message string) {
	tick := time.NewTicker(w.typing(t.Platform))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = w.Courier.ShowTyping(ctx, t.Address, t.Integration, message)
		}
	}
}
