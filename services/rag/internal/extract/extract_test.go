package extract_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// empty is a knowledge base without passages: every word weighs the same.
type empty struct{}

func (empty) Statistics(context.Context, string, []string) (rag.Statistics, error) {
	return rag.Statistics{}, nil
}

func (empty) Remembered(string, []string) (rag.Statistics, bool) { return rag.Statistics{}, false }

func (empty) Passages(context.Context, rag.KnowledgeBaseID, []rag.PassageID) (map[rag.PassageID]rag.Passage, string, error) {
	return nil, "", nil
}

func (empty) Search(context.Context, rag.Tenant, string, int) ([]weaviate.Match, error) {
	return nil, nil
}

func (empty) Embeds(rag.Tenant) bool { return false }

func (empty) Bearing(context.Context, string) *hybrid.Bearing { return nil }

func (empty) Near(context.Context, rag.Tenant, *hybrid.Bearing, int) ([]weaviate.Match, error) {
	return nil, nil
}

func (empty) Check(context.Context, rag.Tenant, int) error { return nil }

func (empty) Lost(rag.Tenant) {}

func answer(t *testing.T, question, passage string) string {
	t.Helper()
	analyzer := analysis.New()
	found, err := retrieval.New(empty{}, empty{}, empty{}, analyzer, zap.NewNop()).Search(t.Context(), "default", question, 1)
	require.NoError(t, err)
	return extract.New(analyzer).Answer(found.Question, passage)
}

// filler makes a passage too long to be given whole.
var filler = strings.Repeat("Una oración de relleno sobre otras cosas. ", 12)

func TestShortPassageIsGivenWhole(t *testing.T) {
	t.Parallel()
	const passage = "Primera.\n\n- uno\n- dos"
	require.Equal(t, passage, answer(t, "¿dos?", passage))
}

func TestLongPassageGivesItsBestSentencesInOrder(t *testing.T) {
	t.Parallel()
	got := answer(t, "¿Cuánto tarda la entrega y cuánto cuesta el envío de muebles?",
		"El envío cuesta poco. "+filler+"La entrega tarda 3 días. "+filler+"Los muebles tardan más.")
	require.Equal(t, "El envío cuesta poco. La entrega tarda 3 días. Los muebles tardan más.", got)
}

func TestRowsStayRows(t *testing.T) {
	t.Parallel()
	got := answer(t, "precio a Cali y Pasto", filler+"\n\n- Zona: Cali; Precio: $1\n- Zona: Lima; Otro: $2\n- Zona: Pasto; Precio: $3\n\nEl precio a Cali baja en mayo.")
	require.Equal(t, "- Zona: Cali; Precio: $1\n- Zona: Pasto; Precio: $3\n\nEl precio a Cali baja en mayo.", got)
}

func TestQuestionKeepsItsAnswer(t *testing.T) {
	t.Parallel()
	got := answer(t, "hacen factura A", filler+"\n\n¿Hacen factura A? Sí, con el CUIT. Otra cosa.")
	require.Contains(t, got, "¿Hacen factura A? Sí, con el CUIT.")
}
