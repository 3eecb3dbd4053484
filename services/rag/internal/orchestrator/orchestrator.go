// Package orchestrator answers customers: it finds what the documents say, decides whether that is an answer, and has a
// model or the documents' own words give it.
package orchestrator

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/directive"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/intent"
	"github.com/knobot/knobot/services/rag/internal/language"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/phrase"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/smalltalk"
)

// The gates: below this coverage of the question by the best passage the answer is "no lo sé". Coverage is absolute, not
// relative to the other hits, so that nothing relevant means nothing said. A model sees for itself whether the passages
// hold the answer, so that it may be asked on a weaker sign.
const (
	extractiveGate = 0.35
	modelGate      = 0.2
	// unsureBand is how far above its gate an answer by extraction says that it may be none. Measured on support questions: most
	// answers in it are right, so that a wider one would make good answers look bad.
	unsureBand = 0.05
)

// maxContact bounds the way to reach a person, in bytes.
const maxContact = 512

// Searcher finds passages.
type Searcher interface {
	// Search returns NotFound for an unknown knowledge base and Unavailable while the index cannot be asked.
	Search(ctx context.Context, knowledgeBase, text string, topK int) (retrieval.Result, error)
}

// Shelf knows the knowledge bases.
type Shelf interface {
	// AnswerThreshold returns the coverage from which on a knowledge base answers, nil for the service's own. It returns NotFound
	// for an unknown one.
	AnswerThreshold(ctx context.Context, knowledgeBase string) (*float64, error)
	// Live returns those of the passages that customers of a knowledge base may still be answered from.
	Live(ctx context.Context, knowledgeBase string, ids []rag.PassageID) (map[rag.PassageID]bool, error)
}

// Orchestrator composes answers. It is safe for concurrent use.
type Orchestrator struct {
	searcher  Searcher
	shelf     Shelf
	extractor *extract.Extractor
	model     llm.Model
	log       *zap.Logger
	written   *prometheus.CounterVec
	patience  time.Duration
	ledger    Ledger
	// cleaned keeps texts met last without what speaks to the machine.
	cleaned *lru.Cache[string, string]
}

// New returns an orchestrator; without a model (nil) the documents' own words answer.
func New(searcher Searcher, shelf Shelf, extractor *extract.Extractor, model llm.Model, log *zap.Logger, options ...Option) *Orchestrator {
	cleaned, err := lru.New[string, string](keptTexts)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	o := &Orchestrator{
		searcher: searcher, shelf: shelf, extractor: extractor, model: model, log: log, written: newWritten(), patience: DefaultPatience,
		cleaned: cleaned,
	}
	for _, option := range options {
		option(o)
	}
	return o
}

// dialogue is a request taken apart.
type dialogue struct {
	rag.Request
	history, open []rag.Turn
	// question is what the open turns say together.
	question string
	// context is what they are about beyond themselves.
	context  string
	language rag.Language
	phrases  phrase.Phrases
	// files came with the open turns, and the model reads them.
	files []llm.File
	// until is when models must have ended, bill what they are paid.
	until time.Time
	bill  *bill
}

// GenerateAnswer answers the open turns of a dialogue, always with one honest text. It returns Invalid for a request that
// makes no sense, NotFound for an unknown knowledge base, Precondition (MODEL_REQUIRED) when retrieval is off and there is
// no model, and Unavailable when the index, or with retrieval off the model, cannot be reached.
func (o *Orchestrator) GenerateAnswer(ctx context.Context, req rag.Request) (rag.Answer, error) {
	return o.compose(ctx, req, nil)
}

// StreamAnswer is GenerateAnswer, and shows drafts while a model writes: each the whole text so far, only sentences whose
// facts stand in the passages, without citations.
func (o *Orchestrator) StreamAnswer(ctx context.Context, req rag.Request, show func(draft string)) (rag.Answer, error) {
	return o.compose(ctx, req, show)
}

// Streams tells whether StreamAnswer ever shows drafts.
func (o *Orchestrator) Streams() bool {
	_, ok := o.model.(llm.Streamer)
	return ok
}

// compose answers; show is nil where nobody wants drafts.
func (o *Orchestrator) compose(ctx context.Context, req rag.Request, show func(draft string)) (rag.Answer, error) {
	d, err := take(req)
	if err != nil {
		return rag.Answer{}, err
	}
	d.until, d.bill = o.until(ctx), &bill{}
	if err := o.forget(ctx, &d); err != nil {
		return rag.Answer{}, err
	}
	d.files = o.readable(d)
	answer, err := o.answerTo(ctx, &d, show)
	used := o.settle(ctx, d)
	if err != nil {
		return rag.Answer{}, err
	}
	answer.Usage, answer.ModelTime = used, d.bill.took
	return answer, nil
}

// answerTo decides what answers, and has it answer.
func (o *Orchestrator) answerTo(ctx context.Context, d *dialogue, show func(draft string)) (rag.Answer, error) {
	if !d.Retrieve {
		return o.fromModelAlone(ctx, *d, show)
	}
	if d.Threshold == nil {
		own, err := o.shelf.AnswerThreshold(ctx, d.KnowledgeBase)
		if err != nil {
			return rag.Answer{}, err
		}
		d.Threshold = own
	}
	// The small talk of an unknown knowledge base is NotFound too, so it is asked for first.
	found, err := o.find(ctx, *d)
	if err != nil {
		return rag.Answer{}, err
	}
	if found, err = o.findCondensed(ctx, d, found); err != nil {
		return rag.Answer{}, err
	}
	if found, err = o.findSeen(ctx, d, found); err != nil {
		return rag.Answer{}, err
	}
	found.Hits = o.spokenToCustomers(found.Hits)
	answer, err := o.decide(ctx, *d, found, show)
	answer.Found, answer.Threshold = found.Hits, o.gate(*d)
	return answer, err
}

// keptTexts is how many texts are kept with what speaks to the machine taken out: the patterns that find it took a third of the
// processor time of an answer.
const keptTexts = 4000

func (o *Orchestrator) withoutDirectives(text string) string {
	if s, ok := o.cleaned.Get(text); ok {
		return s
	}
	s := directive.Without(text)
	o.cleaned.Add(text, s)
	return s
}

// spokenToCustomers takes out of passages what speaks to the machine that reads them, and those of which nothing is left.
func (o *Orchestrator) spokenToCustomers(hits []rag.Hit) []rag.Hit {
	out := make([]rag.Hit, 0, len(hits))
	for _, h := range hits {
		h.Title, h.Text = o.withoutDirectives(h.Title), o.withoutDirectives(h.Text)
		h.HeadingPath = slices.Clone(h.HeadingPath)
		for i := range h.HeadingPath {
			h.HeadingPath[i] = o.withoutDirectives(h.HeadingPath[i])
		}
		if h.Title == "" {
			h.Title = h.DocumentName
		}
		if h.Text != "" {
			out = append(out, h)
		}
	}
	return out
}

// decide answers from what was found, or says that it is not known.
func (o *Orchestrator) decide(ctx context.Context, d dialogue, found retrieval.Result, show func(draft string)) (rag.Answer, error) {
	if answer, ok := o.withoutDocuments(d, found); ok {
		answer.Regardless = true
		return answer, nil
	}
	answer, err := o.fromDocuments(ctx, d, found, show)
	if answer.Outcome == rag.Declined {
		answer.Unanswered = d.question
	}
	return answer, err
}

// withoutDocuments meets what is no question to the documents: small talk, what they cannot serve, and what says nothing.
func (o *Orchestrator) withoutDocuments(d dialogue, found retrieval.Result) (rag.Answer, bool) {
	small := smalltalk.Recognise(d.question)
	if small != smalltalk.None && (len(d.files) == 0 || found.Confidence() < o.gate(d)) {
		return d.canned(rag.SmallTalk, d.phrases.SmallTalk(small), 0), true
	}
	if answer, ok := o.beyondDocuments(d, found); ok {
		return answer, true
	}
	if found.Question.Words() == 0 {
		return d.canned(rag.Declined, d.phrases.Unclear(d.HumanContact), 0), true
	}
	return rag.Answer{}, false
}

// fromDocuments answers from what was found, or says that the documents hold no answer.
func (o *Orchestrator) fromDocuments(ctx context.Context, d dialogue, found retrieval.Result, show func(draft string)) (rag.Answer, error) {
	switch {
	case len(found.Hits) == 0 || found.Confidence() < o.gate(d):
		return d.canned(rag.Declined, d.phrases.Unknown(d.HumanContact), found.Confidence()), nil
	case o.asksModel(d):
		return o.fromModel(ctx, d, found, show)
	}
	return o.fromPassage(d, found), nil
}

// Coverages at which documents answer what looks like a matter for somebody else: a joke plainly, and how to reach a person
// where nobody is named for it.
const (
	plainly  = 0.75
	anyhow   = 0.4
	noPerson = ""
)

// beyondDocuments meets what documents cannot serve: who wants a person is told how to reach one, as far as one is named; who
// asks about their own order, that we cannot see it; who takes us for a general assistant, that we are none.
func (o *Orchestrator) beyondDocuments(d dialogue, found retrieval.Result) (rag.Answer, bool) {
	confidence := found.Confidence()
	switch kind := intent.Recognise(d.question); {
	case kind == intent.Person && d.phrases.Person(d.HumanContact) != noPerson:
		return d.canned(rag.Handoff, d.phrases.Person(d.HumanContact), confidence), true
	case kind == intent.Person && confidence < anyhow:
		return d.canned(rag.Declined, d.phrases.Unknown(noPerson), confidence), true
	case kind == intent.Account:
		return d.canned(rag.Handoff, d.phrases.Account(d.HumanContact), confidence), true
	case kind == intent.Outside && confidence < plainly:
		return d.canned(rag.Declined, d.phrases.Outside(), confidence), true
	}
	return rag.Answer{}, false
}

func (o *Orchestrator) asksModel(d dialogue) bool {
	return o.model != nil && d.bill.barred == nil && d.fitsModel()
}

func (o *Orchestrator) gate(d dialogue) float64 {
	if d.Threshold != nil {
		return *d.Threshold
	}
	if o.asksModel(d) {
		return modelGate
	}
	return extractiveGate
}

// take checks a request and takes it apart.
func take(req rag.Request) (dialogue, error) {
	if req.Open == 0 {
		req.Open = 1
	}
	switch {
	case len(req.Turns) == 0:
		return dialogue{}, invalid("TURNS_REQUIRED", "at least one turn is required")
	case req.Open < 0 || req.Open > len(req.Turns):
		return dialogue{}, invalid("OPEN_TURNS", "open_turns must be between 0 and the number of turns")
	case len(req.HumanContact) > maxContact:
		return dialogue{}, invalid("HUMAN_CONTACT", "human_contact must be at most 512 bytes")
	case weight(req.Turns) > maxFiles:
		return dialogue{}, invalid("MEDIA_TOO_LARGE", "all files of a request together hold at most 10 MiB")
	}
	if err := retrieval.CheckTopK(req.TopK); err != nil {
		return dialogue{}, err
	}
	for _, turn := range req.Turns {
		if turn.Role < rag.Customer || turn.Role > rag.Staff {
			return dialogue{}, invalid("TURN_ROLE", "every turn must have a role")
		}
	}
	first := len(req.Turns) - req.Open
	d := dialogue{Request: req, history: req.Turns[:first], open: req.Turns[first:]}
	d.question, d.context = textOf(d.open), contextOf(d.open)
	d.language = language.Detect(d.question, language.Parse(string(req.Language)))
	d.phrases = phrase.In(d.language)
	return d, nil
}

func invalid(reason, message string) error { return fault.New(fault.Invalid, reason, message) }

// textOf joins what the customer wrote.
func textOf(turns []rag.Turn) string {
	var texts []string
	for _, turn := range turns {
		if turn.Role == rag.Customer {
			texts = append(texts, turn.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// fromPassage answers with the best passage's own words. One that just about serves comes with a doubt.
func (o *Orchestrator) fromPassage(d dialogue, found retrieval.Result) rag.Answer {
	best := found.Hits[0]
	a := rag.Answer{
		Text: o.extractor.Answer(found.Question, best.Text), Outcome: rag.Answered, Mode: rag.Extractive,
		Citations: []rag.Citation{best.Cite()}, Confidence: found.Confidence(), Suggestions: suggestions(found.Hits),
	}
	if found.Confidence() < o.surer(d) {
		a.Outcome, a.Text = rag.Unsure, d.phrases.Unsure(a.Text, d.HumanContact)
	}
	return d.answer(a)
}

// surer is the coverage from which on an answer by extraction needs no doubt. Where a model was to answer and did not, its
// lower gate says nothing.
func (o *Orchestrator) surer(d dialogue) float64 {
	gate := o.gate(d)
	if o.asksModel(d) {
		gate = max(gate, extractiveGate)
	}
	return gate + unsureBand
}

// canned answers with a sentence of ours.
func (d dialogue) canned(outcome rag.Outcome, text string, confidence float64) rag.Answer {
	return d.answer(rag.Answer{Text: text, Outcome: outcome, Mode: rag.Canned, Confidence: confidence})
}

// maxAnswer bounds the text of an answer, in characters, without the line of sources: a chat message holds 4,096.
const maxAnswer = 3_000

// answer finishes an answer: bounded, in its language, its sources named.
func (d dialogue) answer(a rag.Answer) rag.Answer {
	a.Language = d.language
	if utf8.RuneCountInString(a.Text) > maxAnswer {
		a.Text = strings.TrimSpace(string([]rune(a.Text)[:maxAnswer])) + "…"
	}
	if sources := d.phrases.Sources(a.Citations); sources != "" {
		a.Text += "\n\n" + sources
	}
	return a
}
