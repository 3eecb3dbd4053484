package dialogue

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// draft takes in what the customer sent and composes the text, with no transaction open. It ends when the worker stops, and
// shows "typing …" meanwhile, or what is written so far.
func (w *Worker) draft(ctx, stop context.Context, t conversation.Turn, d conversation.Dialogue) (conversation.Composed, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(stop, func() { cancel(errStopping) })()
	typing, stopTyping := context.WithCancel(ctx)
	defer stopTyping()
	go w.keepTyping(typing, t, d.Open[len(d.Open)-1].PlatformMessageID)
	begin := time.Now()
	open, err := w.perceive(ctx, t, d.Open)
	perceived := time.Since(begin)
	w.Metrics.Phase(ctx, metrics.Perceiving, begin)
	if err != nil {
		return conversation.Composed{}, err
	}
	d.Open = open
	composed, err := w.write(ctx, t, d, stopTyping)
	composed.ModelTime += perceived
	return composed, err
}

// limit leaves out what is too much, before anything is paid for it.
func (w *Worker) limit(ctx context.Context, t conversation.Turn, d conversation.Dialogue) ([]conversation.OpenMessage, error) {
	in, _ := w.Integrations.Get(t.Integration)
	rest, tell, silent := in.Limits(w.Limits).Limited(d.Open, d.Asked)
	if len(tell)+len(silent) == 0 {
		return rest, nil
	}
	w.Log.Info("a customer asks too much", zap.String("conversation", string(t.Conversation)), zap.Int("told", len(tell)),
		zap.Int("silent", len(silent)))
	_, err := stored(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, w.Mailbox.Limit(ctx, t, tell, silent) })
	return rest, err
}

// write composes the text. What holds nothing to read gets a sentence of our own; the answerer is asked the rest, and a
// greeting is left to it.
func (w *Worker) write(ctx context.Context, t conversation.Turn, d conversation.Dialogue, stopTyping func()) (conversation.Composed, error) {
	asked := read(d.Open)
	if len(asked.texts) == 0 {
		return conversation.Composed{Text: asked.ownWords()}, nil
	}
	composed, err := w.ask(ctx, t, d, asked, stopTyping)
	composed.Text = withSentence(composed.Text, asked.sentence)
	return composed, err
}

// ask calls the answerer. The first draft that is shown takes the place of "typing …".
func (w *Worker) ask(ctx context.Context, t conversation.Turn, d conversation.Dialogue, asked questions, stopTyping func()) (conversation.Composed, error) {
	last := d.Open[len(d.Open)-1]
	in, _ := w.Integrations.Get(t.Integration)
	q := conversation.Question{
		Request: conversation.RequestID(uuid.NewString()), Customer: last.User, History: d.History, Open: asked.texts,
		Contexts: asked.contexts, Rests: asked.rests, Files: asked.files, KnowledgeBase: in.KnowledgeBase, RAG: d.RAG, Passages: d.Passages,
		Language: last.Language, HumanContact: in.HumanContact,
	}
	if asked.alone {
		q.History = nil // a button's question would be taken for one about what was said before
	}
	begin := time.Now()
	defer func() { w.Metrics.Phase(ctx, metrics.Composing, begin) }()
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
