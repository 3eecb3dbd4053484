package orchestrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

// maxModelText bounds one open message that is sent to a model, in bytes. A customer's words go there unchanged or not at
// all; both platforms end at 4,096 characters.
const maxModelText = 16 << 10

// fitsModel tells whether the open turns can be sent as they are.
func (d dialogue) fitsModel() bool {
	for _, turn := range d.open {
		if len(turn.Text) > maxModelText || !utf8.ValidString(turn.Text) {
			return false
		}
	}
	return true
}

// fromModel has the model answer from the passages.
func (o *Orchestrator) fromModel(ctx context.Context, d dialogue, found retrieval.Result, show func(string)) (rag.Answer, error) {
	sources := budget(found.Hits)
	completion, err := o.complete(ctx, d, sources, show)
	switch {
	case errors.Is(err, errLimit):
		return o.withoutModel(ctx, d, found, limited, err), nil
	case err != nil && ctx.Err() != nil:
		return rag.Answer{}, ctx.Err()
	case err != nil:
		return o.withoutModel(ctx, d, found, failed, err), nil
	}
	return o.fromText(ctx, d, found, sources, completion.Text), nil
}

// fromText makes the answer of what the model wrote, if that can be said.
func (o *Orchestrator) fromText(ctx context.Context, d dialogue, found retrieval.Result, sources []rag.Hit, text string) rag.Answer {
	line, rest, _ := firstLine(text)
	quoted, proof := prove(line, sources)
	answer, cited, known := read(rest, len(sources))
	switch {
	case strings.Contains(text, noAnswer), !known:
		return o.declines(d, found, declined)
	case proof == misquoted:
		return o.declines(d, found, misquotes)
	case proof == noProof:
		return o.withoutModel(ctx, d, found, unproven, errUnproven)
	case answer == "":
		return o.withoutModel(ctx, d, found, failed, llm.ErrEmpty)
	case !slices.Contains(cited, quoted):
		cited = append(cited, quoted)
	}
	cited, holds := ground(answer, d.question, cited, sources)
	if !holds {
		return o.withoutModel(ctx, d, found, ungrounded, errUngrounded)
	}
	o.written.WithLabelValues(said).Inc()
	citations := make([]rag.Citation, len(cited))
	for i, n := range cited {
		citations[i] = sources[n].Cite()
	}
	return d.answer(rag.Answer{
		Text: answer, Outcome: rag.Answered, Mode: rag.Generated, Citations: citations, Confidence: found.Confidence(),
	})
}

// declines says that it is not known, because the model says so or its evidence does not stand where it says.
func (o *Orchestrator) declines(d dialogue, found retrieval.Result, result string) rag.Answer {
	o.written.WithLabelValues(result).Inc()
	return d.canned(rag.Declined, d.phrases.Unknown(d.HumanContact), found.Confidence())
}

// complete asks the model, and shows drafts of what it writes where somebody wants them.
func (o *Orchestrator) complete(ctx context.Context, d dialogue, sources []rag.Hit, show func(string)) (llm.Completion, error) {
	return o.ask(ctx, d, 1, func(ctx context.Context) (llm.Completion, error) {
		streamer, ok := o.model.(llm.Streamer)
		if show == nil || !ok {
			return o.model.Complete(ctx, d.prompt(sources))
		}
		return streamer.Stream(ctx, d.prompt(sources), newDrafts(sources, show).seen)
	})
}

// withoutModel is what remains when the model's answer does not come or cannot be said: extraction, or "no lo sé" where that
// would guess.
func (o *Orchestrator) withoutModel(ctx context.Context, d dialogue, found retrieval.Result, result string, err error) rag.Answer {
	o.written.WithLabelValues(result).Inc()
	o.log.Warn("model failed, answering by extraction", logging.Request(ctx), zap.String("request", d.ID), zap.String("result", result), zap.Error(err))
	if found.Confidence() < extractiveGate {
		return d.canned(rag.Declined, d.phrases.Unknown(d.HumanContact), found.Confidence())
	}
	return o.fromPassage(d, found)
}

// fromModelAlone has the model answer without passages.
func (o *Orchestrator) fromModelAlone(ctx context.Context, d dialogue, show func(string)) (rag.Answer, error) {
	if o.model == nil {
		return rag.Answer{}, fault.New(fault.Precondition, "MODEL_REQUIRED",
			"retrieval is off and no model is configured: set KNOBOT_LLM_PROVIDER, or switch retrieval on")
	}
	if !d.fitsModel() || textIsBlank(d.question) && len(d.files) == 0 {
		return d.canned(rag.Declined, d.phrases.Unclear(d.HumanContact), 0), nil
	}
	completion, err := o.complete(ctx, d, nil, show)
	if errors.Is(err, errLimit) {
		return d.canned(rag.Declined, d.phrases.Unknown(d.HumanContact), 0), nil
	}
	if err != nil {
		return rag.Answer{}, modelUnavailable(err)
	}
	text, _, known := read(completion.Text, 0)
	if !known || text == "" {
		return d.canned(rag.Declined, d.phrases.Unknown(d.HumanContact), 0), nil
	}
	return d.answer(rag.Answer{Text: text, Outcome: rag.Answered, Mode: rag.Generated}), nil
}

func modelUnavailable(err error) error {
	return fault.New(fault.Unavailable, "MODEL_UNAVAILABLE", "the model cannot be reached now, try again").WithCause(err)
}
