package analysis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/analysis"
)

func TestQuestionsAreAskedByWordsThatMeanTheSameToo(t *testing.T) {
	t.Parallel()
	a := analysis.New()
	for question, word := range map[string]string{
		"refunds":             "reembolsos",
		"warranty":            "garantía",
		"Are you open today?": "horarios",
		"frete":               "envío",
		"la plata":            "dinero",
		"envíos":              "shipping",
	} {
		require.Subset(t, a.Question(question).Stems(), a.Document(word).Distinct, question)
		require.Contains(t, " "+a.Question(question).Expression(unknown)+" ", " "+a.Document(word).Stems+" ", question)
	}
}

func TestDocumentsAreIndexedByTheirOwnWordsAlone(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"refund"}, stems("refund"))
}

func TestMeaningsAreNotPassedOn(t *testing.T) {
	t.Parallel()
	a := analysis.New()
	require.Subset(t, a.Question("cierran").Stems(), stems("horario"))
	require.NotContains(t, a.Question("cierran").Stems(), stems("abren")[0], "both have to do with hours, and are opposites")
}

func TestNoWordIsItsOwnSynonym(t *testing.T) {
	t.Parallel()
	for _, term := range analysis.New().Question("pedido envío devolución garantía horario tarjeta reembolso order").Terms {
		require.NotEmpty(t, term.Synonyms, term.Word)
		require.NotContains(t, term.Synonyms, term.Stem)
	}
}
