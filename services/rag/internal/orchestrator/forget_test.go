package orchestrator_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestTextOfADocumentThatIsGoneNeverComesAgainFromTheHistory(t *testing.T) {
	t.Parallel()
	const secret = "Los patines dorados cuestan $777."
	for name, gone := range map[string]func(t *testing.T, b *ragtest.Bundle, doc rag.Document){
		"Deleted": func(t *testing.T, b *ragtest.Bundle, doc rag.Document) {
			require.NoError(t, b.Library.Delete(t.Context(), doc.ID))
		},
		"Replaced": func(t *testing.T, b *ragtest.Bundle, doc rag.Document) {
			b.Add(t, doc.Name, "Los patines dorados no se venden.")
		},
		"Internal": func(t *testing.T, b *ragtest.Bundle, doc rag.Document) {
			_, _, err := b.Library.Add(t.Context(), ingestion.Upload{
				KnowledgeBase: rag.DefaultKnowledgeBase, Name: doc.Name, Content: []byte(secret), Audience: rag.Internal,
			})
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := ragtest.New(t)
			b.AddShop(t)
			doc := b.Add(t, "patines.md", secret)
			first, err := newOrchestrator(t, b, nil).GenerateAnswer(t.Context(), request("¿Cuánto cuestan los patines dorados?"))
			require.NoError(t, err)
			require.Contains(t, first.Text, "$777")

			p := newProvider(t, http.StatusOK, "Dura 24 meses [1].")
			again := request("¿Cuánto dura la garantía de las bicicletas?")
			again.Turns = []rag.Turn{
				{Role: rag.Customer, Text: "¿Cuánto cuestan los patines dorados?"},
				{Role: rag.Assistant, Text: first.Text, Rests: []rag.PassageID{first.Citations[0].Passage}},
				{Role: rag.Customer, Text: "¿Cuánto dura la garantía de las bicicletas?", Context: first.Text, Rests: []rag.PassageID{first.Citations[0].Passage}},
			}
			said := func() string {
				_, err := newOrchestrator(t, b, p).GenerateAnswer(t.Context(), again)
				require.NoError(t, err)
				prompt, err := json.Marshal(<-p.asked)
				require.NoError(t, err)
				return string(prompt)
			}
			require.Contains(t, said(), "$777", "as long as it is current")
			gone(t, b, doc)
			prompt := said()
			require.NotContains(t, prompt, "$777")
			require.Contains(t, prompt, "¿Cuánto cuestan los patines dorados?", "what the customer wrote stays")
		})
	}
}

func TestTurnsThatRestOnWhatIsNoPassageAreForgotten(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	p := newProvider(t, http.StatusOK, "Dura 24 meses [1].")
	req := request("¿Cuánto dura la garantía de las bicicletas?")
	req.Turns = append([]rag.Turn{{Role: rag.Assistant, Text: "inventado", Rests: []rag.PassageID{"no uuid", "\x00"}}}, req.Turns...)
	_, err := newOrchestrator(t, b, p).GenerateAnswer(t.Context(), req)
	require.NoError(t, err)
	for _, m := range <-p.asked {
		require.NotContains(t, m.Content, "inventado")
	}
}

func TestKnowledgeBaseHasAThresholdOfItsOwn(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	answers := newOrchestrator(t, b, nil)
	set := func(threshold *float64) {
		_, err := b.Library.UpdateKnowledgeBase(t.Context(), rag.DefaultKnowledgeBase, rag.KnowledgeBaseEdit{SetThreshold: true, AnswerThreshold: threshold})
		require.NoError(t, err)
	}
	outcome := func(change func(*rag.Request)) rag.Outcome {
		req := request("¿Cuánto dura la garantía de las bicicletas?")
		change(&req)
		answer, err := answers.GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return answer.Outcome
	}
	strict, lenient := 0.999, 0.0
	keep := func(*rag.Request) {}
	require.Equal(t, rag.Answered, outcome(keep))
	set(&strict)
	require.NotEqual(t, rag.Answered, outcome(keep))
	require.Equal(t, rag.Answered, outcome(func(r *rag.Request) { r.Threshold = &lenient }), "a request's own goes before")
	set(nil)
	require.Equal(t, rag.Answered, outcome(keep))
}
