package orchestrator_test

import (
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestSuggestions(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	b.Add(t, "patines.md", `# Patines

## Alquiler de patines de línea para toda la familia 🛼🛼

Los patines se alquilan por hora.

## Limpieza

Los patines se limpian con un paño.

## Limpieza

Los patines de niños se limpian con agua.

## ¿Quién repara patines?

Los patines se reparan en la bodega.
`)
	answers := newOrchestrator(t, b, nil)
	ask := func(t *testing.T, question string) rag.Answer {
		t.Helper()
		answer, err := answers.GenerateAnswer(t.Context(), request(question))
		require.NoError(t, err)
		return answer
	}

	t.Run("AreSectionsThatAnswerWhenTheyAreAsked", func(t *testing.T) {
		t.Parallel()
		offered := 0
		for _, question := range []string{
			"¿Cuánto cuesta el envío a la Patagonia?", "¿Cuáles son los plazos de entrega?", "¿Los patines se limpian?", "garantía", "patines",
		} {
			first := ask(t, question)
			require.LessOrEqual(t, len(first.Suggestions), 2)
			for _, s := range first.Suggestions {
				offered++
				require.NotEmpty(t, s.Title)
				require.LessOrEqual(t, len(utf16.Encode([]rune(s.Title))), 20, s.Title)
				answer := ask(t, s.Question)
				require.Equal(t, rag.Answered, answer.Outcome, s.Question)
				require.NotEqual(t, first.Text, answer.Text, "%s: %s", question, s.Question)
			}
		}
		require.Greater(t, offered, 4)
	})

	t.Run("HaveLabelsOfTheirOwn", func(t *testing.T) {
		t.Parallel()
		list := ask(t, "¿Los patines de línea se alquilan?").Suggestions
		require.Len(t, list, 2)
		require.NotEqual(t, list[0].Title, list[1].Title)
	})

	t.Run("AHeadingThatAsksStandsAlone", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, ask(t, "¿Se alquilan los patines?").Suggestions,
			rag.Suggestion{Title: "¿Quién repara patin…", Question: "¿Quién repara patines?"})
	})

	t.Run("DoNotFollowWhatIsNoAnswer", func(t *testing.T) {
		t.Parallel()
		for _, question := range []string{"hola", "gracias", "¿Quién ganó el partido de ayer?", "cuéntame un chiste", "¿Dónde viene mi pedido 45871?"} {
			require.Empty(t, ask(t, question).Suggestions, question)
		}
	})
}
