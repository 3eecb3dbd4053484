package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestSupportQuestionsFindTheirDocument stores the support documents of the evaluation data in a running system and asks at once.
func TestSupportQuestionsFindTheirDocument(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shared(t), "eval")
	s := start(t, nil)
	for _, path := range glob(t, dir, "soporte-es/*.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, s.Store(t.Context(), filepath.Base(path), string(text)))
	}
	found, asked := 0, 0
	for _, q := range supportQuestions(t, filepath.Join(dir, "soporte-es.questions.jsonl")) {
		if !q.Answerable {
			continue
		}
		asked++
		if slices.ContainsFunc(search(t, s, q.asked()), func(name string) bool { return slices.Contains(q.Relevant, name) }) {
			found++
		}
	}
	require.Greater(t, asked, 80)
	t.Logf("R@5 %d of %d", found, asked)
	require.GreaterOrEqual(t, float64(found)/float64(asked), 0.95)
}

// supportQuestion is a line of the questions' file.
type supportQuestion struct {
	Question   string            `json:"question"`
	Answerable bool              `json:"answerable"`
	Relevant   []string          `json:"relevant_doc_ids"`
	History    []json.RawMessage `json:"history"`
}

// asked is the question, a follow-up together with what the customer said before.
func (q supportQuestion) asked() string {
	for _, raw := range slices.Backward(q.History) {
		var turn struct {
			Role    string `json:"role"`
			Text    string `json:"text"`
			Content string `json:"content"`
		}
		if json.Unmarshal(raw, &turn) == nil && (turn.Role == "user" || turn.Role == "customer") {
			return turn.Text + turn.Content + "\n" + q.Question
		}
	}
	return q.Question
}

func supportQuestions(t *testing.T, path string) []supportQuestion {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	var all []supportQuestion
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var q supportQuestion
		require.NoError(t, json.Unmarshal(lines.Bytes(), &q))
		all = append(all, q)
	}
	return all
}

// search returns the documents of the five best passages, by the ids of the evaluation data.
func search(t *testing.T, s *system.System, query string) []string {
	t.Helper()
	r, err := ragv1.NewKnowledgeBaseServiceClient(s.Conn(s.RAG)).SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: query})
	require.NoError(t, err)
	var names []string
	for _, p := range r.GetPassages() {
		names = append(names, "sop-"+strings.TrimSuffix(p.GetDocumentName(), ".md"))
	}
	return names
}
