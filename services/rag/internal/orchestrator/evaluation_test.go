package orchestrator_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

// evalDocument and evalQuestion are lines of the shared evaluation data.
type evalDocument struct {
	Name  string `json:"doc_id"`
	Title string
	Text  string
}

type evalQuestion struct {
	Question   string
	Answers    []string
	Relevant   []string `json:"relevant_doc_ids"`
	Answerable bool
	Kind       string
	History    []struct{ Role, Text string }
}

// TestSupportQuestions asks the shared questions about a made-up shop at once after taking its documents in.
func TestSupportQuestions(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(ragtest.SharedDir(t), "eval")
	b := ragtest.New(t)
	for _, d := range lines[evalDocument](t, filepath.Join(folder, "soporte-es.docs.jsonl")) {
		_, _, err := b.Library.Add(t.Context(), ingestion.Upload{
			KnowledgeBase: rag.DefaultKnowledgeBase, Name: d.Name, Title: d.Title, Type: rag.Markdown, Content: []byte(d.Text),
		})
		require.NoError(t, err)
	}
	answers := newOrchestrator(t, b, nil)

	var answerable, among5, right, useful, followups, followed, nonsense, declined int
	questions := lines[evalQuestion](t, filepath.Join(folder, "soporte-es.questions.jsonl"))
	for _, q := range questions {
		answer := ask(t, answers, q)
		isRight := answer.Outcome.Answers() && holdsAny(answer.Text, q.Answers)
		if isRight || !q.Answerable && answer.Outcome == rag.Declined {
			useful++
		} else {
			t.Logf("%s %.2f %q: %q", q.Kind, answer.Confidence, q.Question, answer.Text)
		}
		switch {
		case !q.Answerable:
			nonsense++
			declined += count(answer.Outcome == rag.Declined)
			continue
		case len(q.History) > 0:
			followups++
			followed += count(isRight)
		}
		answerable++
		right += count(isRight)
		among5 += count(isAmong(t, b, q))
	}
	t.Logf("R@5 %d of %d; right %d; unanswerable declined %d of %d; follow-ups right %d of %d; useful %.3f",
		among5, answerable, right, declined, nonsense, followed, followups, float64(useful)/float64(len(questions)))
	require.GreaterOrEqual(t, float64(among5)/float64(answerable), 0.95, "R@5 over answerable questions")
	require.GreaterOrEqual(t, float64(useful)/float64(len(questions)), 0.6, "right or rightly declined")
}

// isAmong tells whether a document that answers q is among the best five passages.
func isAmong(t *testing.T, b *ragtest.Bundle, q evalQuestion) bool {
	t.Helper()
	question := q.Question
	for _, turn := range q.History {
		if turn.Role == "user" {
			question = turn.Text + "\n" + q.Question
		}
	}
	found, err := b.Searcher.Search(t.Context(), rag.DefaultKnowledgeBase, question, 5)
	require.NoError(t, err)
	for _, hit := range found.Hits {
		for _, name := range q.Relevant {
			if hit.DocumentName == name {
				return true
			}
		}
	}
	return false
}

func ask(t *testing.T, answers *orchestrator.Orchestrator, q evalQuestion) rag.Answer {
	t.Helper()
	req := request(q.Question)
	req.Turns = nil
	for _, turn := range q.History {
		role := rag.Customer
		if turn.Role == "assistant" {
			role = rag.Assistant
		}
		req.Turns = append(req.Turns, rag.Turn{Role: role, Text: turn.Text})
	}
	req.Turns = append(req.Turns, rag.Turn{Role: rag.Customer, Text: q.Question})
	answer, err := answers.GenerateAnswer(t.Context(), req)
	require.NoError(t, err, q.Question)
	return answer
}

func holdsAny(text string, any []string) bool {
	for _, s := range any {
		if strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var out []T
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var v T
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &v))
		out = append(out, v)
	}
	return out
}
