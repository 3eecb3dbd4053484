package dialogue

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/knobot/knobot/services/conversation"
)

// write composes the text. What holds nothing to read gets a sentence of our own; the answerer is asked the rest, and a
// greeting is left to it.
func (w *Worker) write(ctx, stop context.Context, t conversation.Turn, d conversation.Dialogue) (string, error) {
	asked := read(d.Open)
	if len(asked.texts) == 0 {
		return asked.ownWords(), nil
	}
	text, err := w.ask(ctx, stop, t, d, asked)
	if err != nil {
		return "", err
	}
	return withSentence(text, asked.sentence), nil
}

// ask calls the answerer, with no transaction open, and shows "typing …" meanwhile.
func (w *Worker) ask(ctx, stop context.Context, t conversation.Turn, d conversation.Dialogue, asked questions) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(stop, func() { cancel(errStopping) })()
	last := d.Open[len(d.Open)-1]
	go w.keepTyping(ctx, t, last.PlatformMessageID)
	in, _ := w.Integrations.Get(t.Integration)
	begin := time.Now()
	text, err := w.Answerer.Answer(ctx, conversation.Question{
		Request: conversation.RequestID(uuid.NewString()), Customer: last.User, History: d.History, Open: asked.texts,
		Contexts: asked.contexts, KnowledgeBase: in.KnowledgeBase, RAG: d.RAG, Passages: d.Passages, Language: last.Language, HumanContact: in.HumanContact,
	})
	w.Metrics.Composing(time.Since(begin).Seconds())
	return text, err
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
