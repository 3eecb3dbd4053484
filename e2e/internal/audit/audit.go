// Package audit decides whether every acknowledged message of a run is accounted for. It knows nothing of how KnoBot works: it
// reads what customers said and saw on their phones, and what the webhook log says became of each message.
package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
)

// Question is one message of a customer. Its code stands in no other message; an answer repeats the codes of the questions that
// it answers.
type Question struct {
	Code string
	Chat simulator.Chat
	// Asked is when the customer wrote it.
	Asked time.Time
	// Acknowledged is when its webhook was first accepted; zero if it never was. Then nothing is owed.
	Acknowledged time.Time
	// AckTime is how long the accepted attempt took.
	AckTime time.Duration
	// Refused are the statuses of the attempts to deliver it that were not accepted, 0 where there was no answer.
	Refused []int
}

// Answer is one message of the business on a phone. One without codes is a sentence: an apology, or that nothing is known.
type Answer struct {
	Chat  simulator.Chat
	Codes []string
	Time  time.Time
	// Marked says that KnoBot itself calls it a possible repeat.
	Marked bool
}

// Record is what the webhook log says of one question, without repeated deliveries.
type Record struct {
	Outcome string
	// Error is why it is dead, empty for none.
	Error string
	// Request is the id of the answer, empty for none.
	Request string
}

// Outcomes of a record that end its story.
const (
	answered = "answered"
	dead     = "dead"
)

// outcomeUnknown is the error of a dead question whose answer was sent twice and may have arrived or not.
const outcomeUnknown = "OUTCOME_UNKNOWN"

// maxCopies is how often an answer may go out at most: once, and once more when nobody knows whether it did.
const maxCopies = 2

// Evidence is what is known of a run.
type Evidence struct {
	Questions []Question
	// Answers are in the order in which they came to each phone.
	Answers []Answer
	// Records are by code.
	Records map[string][]Record
}

// Report counts and names what was found.
type Report struct {
	Sent, Acknowledged, Refused int
	// Refusals counts the attempts that were not accepted by their status, 0 where there was no answer.
	Refusals map[int]int
	// Answered counts questions whose code is on the phone, Told those that were answered by a sentence, Dead those that were
	// given up visibly.
	Answered, Told, Dead int
	// Unknown counts questions that were given up visibly because nobody knows whether their answer arrived.
	Unknown int
	// Repeated counts answers that came once more, all of them marked.
	Repeated int
	// Ack is of the accepted attempts, Answer from the first acknowledgement to the phone.
	Ack, Answer Latency

	// Each names its questions. None of them may happen.
	Lost         []string // acknowledged and neither answered nor dead
	Unrecorded   []string // acknowledged and not in the webhook log, or there more than once
	Unmarked     []string // answered again without a mark, or more than twice
	Disordered   []string // answered before one that was acknowledged before it was asked
	Misdirected  []string // answered in another customer's chat, or asked by nobody
	Contradicted []string // on the phone, but not answered in the log
	Unasked      []string // sentences that answer nothing
}

// Check accounts for every question.
func Check(e Evidence) Report {
	c := newChecker(e)
	for _, q := range e.Questions {
		c.question(q)
	}
	c.direction()
	for _, chat := range c.chats {
		c.order(chat)
		c.sentences(chat)
	}
	c.report.Ack, c.report.Answer = latencyOf(c.acks), latencyOf(c.waits)
	return c.report
}

// Err returns an error that names what must not have happened, nil if nothing did.
func (r Report) Err() error {
	var faults []string
	for _, f := range []struct {
		name  string
		found []string
	}{
		{"lost", r.Lost},
		{"not recorded once", r.Unrecorded},
		{"repeated without a mark", r.Unmarked},
		{"out of order", r.Disordered},
		{"another's answer", r.Misdirected},
		{"answered, but not in the log", r.Contradicted},
		{"a sentence that nobody asked for", r.Unasked},
	} {
		if len(f.found) > 0 {
			faults = append(faults, fmt.Sprintf("%d %s: %s", len(f.found), f.name, strings.Join(f.found[:min(len(f.found), 10)], ", ")))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(faults, "; "))
}

// String is one line of figures.
func (r Report) String() string {
	return fmt.Sprintf("sent %d acknowledged %d refused %d%s answered %d told %d dead %d unknown %d repeated (marked) %d lost=%d unmarked=%d "+
		"out of order=%d another's=%d ack p50/p99 %s answer p50/p99 %s",
		r.Sent, r.Acknowledged, r.Refused, r.refusals(), r.Answered, r.Told, r.Dead, r.Unknown, r.Repeated, len(r.Lost)+len(r.Unrecorded)+len(r.Contradicted),
		len(r.Unmarked)+len(r.Unasked), len(r.Disordered), len(r.Misdirected), r.Ack, r.Answer)
}

// refusals says which statuses the refused attempts got, empty if none was refused.
func (r Report) refusals() string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(r.Refusals)) {
		all = append(all, fmt.Sprintf("%d times %d", r.Refusals[status], status))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// Latency holds two quantiles of a run.
type Latency struct{ P50, P99 time.Duration }

// String shows milliseconds.
func (l Latency) String() string {
	return fmt.Sprintf("%.0f/%.0f ms", l.P50.Seconds()*1000, l.P99.Seconds()*1000)
}

func latencyOf(all []time.Duration) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	return Latency{P50: all[len(all)/2], P99: all[min(len(all)-1, len(all)*99/100)]}
}

// checker holds what Check needs to look up.
type checker struct {
	report    Report
	evidence  Evidence
	questions map[string]Question
	answers   map[string][]Answer // by code
	shown     map[simulator.Chat][]Answer
	asked     map[simulator.Chat][]Question
	chats     []simulator.Chat
	acks      []time.Duration
	waits     []time.Duration
}

func newChecker(e Evidence) *checker {
	c := &checker{
		evidence: e, questions: map[string]Question{}, answers: map[string][]Answer{},
		shown: map[simulator.Chat][]Answer{}, asked: map[simulator.Chat][]Question{},
		report: Report{Refusals: map[int]int{}},
	}
	for _, q := range e.Questions {
		c.questions[q.Code] = q
		if c.asked[q.Chat] == nil {
			c.chats = append(c.chats, q.Chat)
		}
		c.asked[q.Chat] = append(c.asked[q.Chat], q)
	}
	for _, a := range e.Answers {
		if c.asked[a.Chat] == nil && c.shown[a.Chat] == nil {
			c.chats = append(c.chats, a.Chat)
		}
		c.shown[a.Chat] = append(c.shown[a.Chat], a)
		for _, code := range a.Codes {
			c.answers[code] = append(c.answers[code], a)
		}
	}
	return c
}

// question accounts for one: answered, told, dead, or a fault.
func (c *checker) question(q Question) {
	r := &c.report
	r.Sent++
	for _, status := range q.Refused {
		r.Refused++
		r.Refusals[status]++
	}
	answers, records := c.answers[q.Code], c.evidence.Records[q.Code]
	c.copies(q, answers)
	if q.Acknowledged.IsZero() {
		return
	}
	r.Acknowledged++
	c.acks = append(c.acks, q.AckTime)
	if len(records) != 1 {
		r.Unrecorded = append(r.Unrecorded, fmt.Sprintf("%s (%d records)", q.Code, len(records)))
		return
	}
	outcome := records[0].Outcome
	switch {
	case len(answers) > 0 && outcome == answered:
		r.Answered++
		c.waits = append(c.waits, answers[0].Time.Sub(q.Acknowledged))
	case outcome == dead && records[0].Error == outcomeUnknown:
		r.Unknown++
	case len(answers) > 0:
		r.Contradicted = append(r.Contradicted, q.Code+" ("+outcome+")")
	case outcome == dead:
		r.Dead++
	case outcome == answered:
		r.Told++ // sentences looks for it
	default:
		r.Lost = append(r.Lost, q.Code+" ("+outcome+")")
	}
}

// copies counts how often an answer came again. Each of them but the first must be marked, and the first then is too, being the
// same message in the log.
func (c *checker) copies(q Question, answers []Answer) {
	if len(answers) < 2 {
		return
	}
	marked := !slices.ContainsFunc(answers, func(a Answer) bool { return !a.Marked })
	if !marked || len(answers) > maxCopies {
		c.report.Unmarked = append(c.report.Unmarked, fmt.Sprintf("%s (%d times)", q.Code, len(answers)))
		return
	}
	c.report.Repeated += len(answers) - 1
}

// direction finds answers in chats where their question was not asked.
func (c *checker) direction() {
	for _, a := range c.evidence.Answers {
		for _, code := range a.Codes {
			if q, ok := c.questions[code]; !ok || q.Chat != a.Chat {
				c.report.Misdirected = append(c.report.Misdirected, code+" in "+a.Chat.User)
			}
		}
	}
}

// order holds the first answers of a chat against the questions. Of two questions the first is the one that was acknowledged
// before the other one was asked; where webhooks overlapped there is no order to keep.
func (c *checker) order(chat simulator.Chat) {
	place := map[string]int{}
	for _, a := range c.shown[chat] {
		for _, code := range a.Codes {
			if _, again := place[code]; !again {
				place[code] = len(place)
			}
		}
	}
	questions := slices.SortedFunc(slices.Values(c.asked[chat]), func(a, b Question) int { return a.Asked.Compare(b.Asked) })
	for i, later := range questions {
		at, ok := place[later.Code]
		if !ok {
			continue
		}
		for _, earlier := range questions[:i] {
			before, ok := place[earlier.Code]
			if ok && before > at && !earlier.Acknowledged.IsZero() && earlier.Acknowledged.Before(later.Asked) {
				c.report.Disordered = append(c.report.Disordered, later.Code+" before "+earlier.Code)
			}
		}
	}
}

// sentences holds the answers without codes against the questions that were answered without their code. Several questions may
// share one; a question that was given up may get one.
func (c *checker) sentences(chat simulator.Chat) {
	told, deaths := map[string][]string{}, 0
	for _, q := range c.asked[chat] {
		records := c.evidence.Records[q.Code]
		if len(records) != 1 || len(c.answers[q.Code]) > 0 || q.Acknowledged.IsZero() {
			continue
		}
		switch records[0].Outcome {
		case answered:
			told[cmp.Or(records[0].Request, q.Code)] = append(told[cmp.Or(records[0].Request, q.Code)], q.Code)
		case dead:
			deaths++
		}
	}
	sentences, repeats := 0, 0
	for _, a := range c.shown[chat] {
		if len(a.Codes) > 0 {
			continue
		}
		sentences++
		if a.Marked {
			repeats++
		}
	}
	if missing := len(told) - sentences; missing > 0 {
		codes := slices.Sorted(func(yield func(string) bool) {
			for _, group := range told {
				for _, code := range group {
					if !yield(code) {
						return
					}
				}
			}
		})
		c.report.Lost = append(c.report.Lost, fmt.Sprintf("%d of %s (answered, but not on the phone)", missing, strings.Join(codes, " ")))
		c.report.Told -= missing
	}
	// Of two marked sentences one is the repeat of the other.
	repeated := min(repeats/2, max(sentences-len(told)-deaths, 0))
	c.report.Repeated += repeated
	if sentences-repeated > len(told)+deaths {
		c.report.Unasked = append(c.report.Unasked, fmt.Sprintf("%d in %s", sentences-repeated-len(told)-deaths, chat.User))
	}
}
