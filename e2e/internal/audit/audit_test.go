package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/audit"
	"github.com/knobot/knobot/simulator"
)

// began is when the customers of all runs below began to write.
var began = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant in all but name

func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

func chat(user int) simulator.Chat {
	return simulator.Chat{Platform: simulator.Telegram, Account: "1", User: fmt.Sprint(user)}
}

func code(user, question int) string { return fmt.Sprintf("Q%dx%d", user, question) }

// goodRun is two customers with three questions each, all answered once and in order, the last two of each together.
func goodRun() audit.Evidence {
	e := audit.Evidence{Records: map[string][]audit.Record{}}
	for user := range 2 {
		for q := range 3 {
			e.Questions = append(e.Questions, audit.Question{
				Code: code(user, q), Chat: chat(user), Asked: at(10 * q), Acknowledged: at(10*q + 1), AckTime: time.Second,
			})
			e.Records[code(user, q)] = []audit.Record{{Outcome: "answered", Request: fmt.Sprint(user, min(q, 1))}}
		}
		e.Answers = append(
			e.Answers,
			audit.Answer{Chat: chat(user), Codes: []string{code(user, 0)}, Time: at(3)},
			audit.Answer{Chat: chat(user), Codes: []string{code(user, 1), code(user, 2)}, Time: at(23)},
		)
	}
	return e
}

func TestAGoodRunIsAccountedFor(t *testing.T) {
	t.Parallel()
	r := audit.Check(goodRun())
	require.NoError(t, r.Err())
	require.Equal(t, audit.Report{
		Sent: 6, Acknowledged: 6, Refusals: map[int]int{}, Answered: 6,
		Ack: audit.Latency{P50: time.Second, P99: time.Second}, Answer: audit.Latency{P50: 2 * time.Second, P99: 12 * time.Second},
	}, r)
	require.Contains(t, r.String(), "lost=0 unmarked=0 out of order=0 another's=0")
}

// TestEveryFaultIsFound spoils the good run in every way that must not happen, one at a time.
func TestEveryFaultIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(e *audit.Evidence)
		fault string
	}{
		"LostWhileStillOpen": {func(e *audit.Evidence) {
			e.Answers = e.Answers[1:]
			e.Records[code(0, 0)] = []audit.Record{{Outcome: "open"}}
		}, "1 lost: Q0x0 (open)"},
		"LostThoughTheLogSaysAnswered": {func(e *audit.Evidence) { e.Answers = e.Answers[1:] }, "1 lost: 1 of Q0x0 (answered, but not on the phone)"},
		"LostThoughASentenceAnswersAnotherOne": {func(e *audit.Evidence) {
			e.Answers = append(e.Answers[2:], audit.Answer{Chat: chat(0), Time: at(5)})
		}, "1 lost: 1 of Q0x0 Q0x1 Q0x2 (answered, but not on the phone)"},
		"AcknowledgedAndNotRecorded": {func(e *audit.Evidence) { delete(e.Records, code(1, 2)) }, "1 not recorded once: Q1x2 (0 records)"},
		"RecordedTwice": {func(e *audit.Evidence) {
			e.Records[code(1, 2)] = append(e.Records[code(1, 2)], audit.Record{Outcome: "answered"})
		}, "1 not recorded once: Q1x2 (2 records)"},
		"Doubled": {func(e *audit.Evidence) { e.Answers = append(e.Answers, e.Answers[0]) }, "1 repeated without a mark: Q0x0 (2 times)"},
		"DoubledAndOnlyOneIsMarked": {func(e *audit.Evidence) {
			again := e.Answers[0]
			again.Marked = true
			e.Answers = append(e.Answers, again)
		}, "1 repeated without a mark: Q0x0 (2 times)"},
		"SentThreeTimesThoughMarked": {func(e *audit.Evidence) {
			e.Answers[0].Marked = true
			e.Answers = append(e.Answers, e.Answers[0], e.Answers[0])
		}, "1 repeated without a mark: Q0x0 (3 times)"},
		"NeverAcknowledgedAndDoubled": {func(e *audit.Evidence) {
			e.Questions[0].Acknowledged = time.Time{}
			e.Answers = append(e.Answers, e.Answers[0])
		}, "1 repeated without a mark: Q0x0 (2 times)"},
		"OutOfOrder": {func(e *audit.Evidence) { e.Answers[0], e.Answers[1] = e.Answers[1], e.Answers[0] }, "2 out of order: Q0x1 before Q0x0, Q0x2 before Q0x0"},
		"OutOfOrderWithinOneAnswer": {func(e *audit.Evidence) {
			e.Answers[1].Codes = []string{code(0, 2), code(0, 1)}
		}, "1 out of order: Q0x2 before Q0x1"},
		"AnswersOfTwoCustomersAreSwapped": {func(e *audit.Evidence) {
			e.Answers[0].Chat, e.Answers[2].Chat = e.Answers[2].Chat, e.Answers[0].Chat
		}, "2 another's answer: Q0x0 in 1, Q1x0 in 0"},
		"AnAnswerToWhatNobodyAsked": {func(e *audit.Evidence) {
			e.Answers = append(e.Answers, audit.Answer{Chat: chat(0), Codes: []string{"Q9x9"}})
		}, "1 another's answer: Q9x9 in 0"},
		"DeadAndYetOnThePhone": {func(e *audit.Evidence) {
			e.Records[code(0, 0)] = []audit.Record{{Outcome: "dead"}}
		}, "1 answered, but not in the log: Q0x0 (dead)"},
		"ASentenceToNobody": {func(e *audit.Evidence) {
			e.Answers = append(e.Answers, audit.Answer{Chat: chat(0)})
		}, "1 a sentence that nobody asked for: 1 in 0"},
		"ASentenceToSomebodyWhoNeverWrote": {func(e *audit.Evidence) {
			e.Answers = append(e.Answers, audit.Answer{Chat: chat(7)})
		}, "1 a sentence that nobody asked for: 1 in 7"},
		"ASentenceTwice": {func(e *audit.Evidence) {
			e.Answers[0].Codes = nil
			e.Answers = append(e.Answers, e.Answers[0])
		}, "1 a sentence that nobody asked for: 1 in 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := goodRun()
			c.spoil(&e)
			require.EqualError(t, audit.Check(e).Err(), c.fault)
		})
	}
}

// TestWhatThePromiseAllows spoils the good run in ways that may happen.
func TestWhatThePromiseAllows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(e *audit.Evidence)
		want   func(r audit.Report) bool
	}{
		"OneMarkedRepeat": {func(e *audit.Evidence) {
			e.Answers[0].Marked = true
			e.Answers = append(e.Answers, e.Answers[0])
		}, func(r audit.Report) bool { return r.Repeated == 1 && r.Answered == 6 }},
		"AMarkedSentenceTwice": {func(e *audit.Evidence) {
			e.Answers[0].Codes, e.Answers[0].Marked = nil, true
			e.Answers = append(e.Answers, e.Answers[0])
		}, func(r audit.Report) bool { return r.Repeated == 1 && r.Told == 1 }},
		"DeadWithoutAWord": {func(e *audit.Evidence) {
			e.Answers = e.Answers[1:]
			e.Records[code(0, 0)] = []audit.Record{{Outcome: "dead"}}
		}, func(r audit.Report) bool { return r.Dead == 1 && r.Answered == 5 }},
		"DeadWithAnApology": {func(e *audit.Evidence) {
			e.Answers[0].Codes = nil
			e.Records[code(0, 0)] = []audit.Record{{Outcome: "dead"}}
		}, func(r audit.Report) bool { return r.Dead == 1 && r.Told == 0 }},
		"GivenUpVisiblyAfterTwoUnknownOutcomes": {func(e *audit.Evidence) {
			e.Answers[0].Marked = true
			e.Answers = append(e.Answers[:1:1], e.Answers...)
			e.Records[code(0, 0)] = []audit.Record{{Outcome: "dead", Error: "OUTCOME_UNKNOWN"}}
		}, func(r audit.Report) bool { return r.Unknown == 1 && r.Dead == 0 && r.Repeated == 1 && r.Answered == 5 }},
		"ASentenceInsteadOfAnAnswer": {func(e *audit.Evidence) { e.Answers[0].Codes = nil }, func(r audit.Report) bool { return r.Told == 1 }},
		"RefusedAndNeverAcknowledged": {func(e *audit.Evidence) {
			e.Questions[0].Acknowledged, e.Questions[0].Refused = time.Time{}, []int{503, 0, 503}
			e.Answers = e.Answers[1:]
			delete(e.Records, code(0, 0))
		}, func(r audit.Report) bool {
			return r.Acknowledged == 5 && r.Refused == 3 && strings.Contains(r.String(), "refused 3 (1 times 0, 2 times 503) ")
		}},
		"OverlappingWebhooksInEitherOrder": {func(e *audit.Evidence) {
			e.Questions[0].Acknowledged = at(11)
			e.Answers[0], e.Answers[1] = e.Answers[1], e.Answers[0]
			e.Answers[0].Codes = e.Answers[0].Codes[:1]
			e.Answers = append(e.Answers, audit.Answer{Chat: chat(0), Codes: []string{code(0, 2)}, Time: at(24)})
		}, func(r audit.Report) bool { return r.Answered == 6 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := goodRun()
			c.change(&e)
			r := audit.Check(e)
			require.NoError(t, r.Err())
			require.True(t, c.want(r), "%+v", r)
		})
	}
}
