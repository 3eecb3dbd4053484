package analysis_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/analysis"
)

// unknown is a knowledge base in which no stem stands.
func unknown(string) bool { return false }

func stems(text string) []string { return analysis.New().Document(text).Distinct }

func TestSameWordsHaveOneStem(t *testing.T) {
	t.Parallel()
	for _, group := range []string{
		"envío envíos ENVIO enviar enviamos envían",
		"devolución devoluciones devolucion DEVOLUCIÓN",
		"garantía garantias Garantía",
		"pagar pago pagos pagué",
		"año años",
		"precio precios",
		"180.000 180000 180,000",
		"café cafe CAFÉ cafés",
		"e\u0301xito éxito",
		"tienda tiendas ｔｉｅｎｄａ",
	} {
		require.Len(t, stems(group), 1, "%s: %v", group, stems(group))
	}
}

func TestDifferentWordsStayApart(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{"año ano", "peña pena", "4,5 45", "gas gasto", "E2 E3", "cuña cuna"} {
		require.Greater(t, len(stems(pair)), 1, pair)
	}
}

func TestWordsWithoutContentAreLeftOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"¿Cuánto es? ¿Y cómo puedo?", "quiero saber, por favor", "how much is it, please?", "quanto é, por favor?", "😀 ¡! ...", "",
		"\u200b\u202e\x00\xff",
	} {
		require.Empty(t, stems(text), text)
		require.Empty(t, analysis.New().Question(text).Expression(unknown), text)
	}
}

func TestCodesAreFoundWithAndWithoutHyphen(t *testing.T) {
	t.Parallel()
	require.Subset(t, stems("la freidora QF-45"), stems("qf45"))
	require.Subset(t, stems("pieza SKU-4471-B"), []string{"sku", "4471"})
}

func TestLinksAreReadWithoutTheirTargets(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"gui", "final"}, stems("[guía](https://example.com/secreto) final"))
	require.Equal(t, []string{"gui", "abert"}, stems("[guía](abierta"))
}

func TestPiecesSurviveTypingErrors(t *testing.T) {
	t.Parallel()
	a := analysis.New()
	indexed := strings.Fields(a.Document("devolver").Pieces)
	asked := strings.Fields(a.Question("devolber").Expression(unknown))
	shared := 0
	for _, piece := range asked {
		require.True(t, piece == "devolb" || strings.HasPrefix(piece, analysis.PieceMark), piece)
		for _, other := range indexed {
			if piece == other {
				shared++
			}
		}
	}
	require.GreaterOrEqual(t, shared, 3)
	require.Equal(t, "§_e2_", a.Document("E2").Pieces, "a short word is one piece")
}

func TestOnlyUnknownWordsAreAskedByTheirPieces(t *testing.T) {
	t.Parallel()
	q := analysis.New().Question("quiero devolber la bicicleta")
	known := func(stem string) bool { return stem == stems("bicicleta")[0] }
	asked := strings.Fields(q.Expression(known))
	require.Subset(t, asked, append(stems("bicicleta"), q.Stems()...))
	require.Contains(t, asked, strings.Fields(analysis.New().Document("devolber").Pieces)[0])
	require.NotContains(t, asked, strings.Fields(analysis.New().Document("bicicleta").Pieces)[0])
}

func TestQuestionHoldsNothingButTerms(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\U0001F3F4\U000E0067\U000E007F bandera", `"}) { Get { A } } #`, `'; drop table x; --`, "\a\v\x7f\x00 campana", "\xff\xfe roto",
		"日本語 العربية \u202eolah", "a\u0301\u0301\u0301\u0301", strings.Repeat("x", 1<<20), strings.Repeat("palabra distinta ", 1<<16),
	} {
		q := analysis.New().Question(text)
		expression := q.Expression(unknown)
		require.LessOrEqual(t, len(expression), 16_000)
		for _, r := range expression {
			require.True(t, unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' || r == '_' || r == '§', "%q in %q", r, expression)
		}
	}
}

func TestOnlyTheFirstThousandCharactersAreAsked(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("ñ ", 500) + "garantía"
	require.NotContains(t, analysis.New().Question(text).Stems(), "garanti")
	require.Contains(t, stems(text), "garanti")
}

func TestNamesAreKnownByTheirCapitals(t *testing.T) {
	t.Parallel()
	named := func(text string) []string {
		var out []string
		for _, term := range analysis.New().Question(text).Terms {
			if term.Name {
				out = append(out, term.Word)
			}
		}
		return out
	}
	require.Equal(t, []string{"francia"}, named("¿Cuál es la capital de Francia?"))
	require.Equal(t, []string{"medellin"}, named("Envían paquetes a Medellín. Gracias"))
	require.Empty(t, named("ENVÍAN A MEDELLÍN"))
	require.Empty(t, named("Garantía"))
}

func TestLikeness(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 1, analysis.Likeness("garanti", "garanti"), 0)
	require.InDelta(t, 0.86, analysis.Likeness("garatni", "garanti"), 0.01)
	require.InDelta(t, 0.83, analysis.Likeness("devolb", "devolv"), 0.01)
	for _, pair := range [][2]string{{"gas", "gat"}, {"hor", "horizont"}, {"cost", "pan"}, {"2024", "2025"}, {"pag", "envi"}, {"", "x"}} {
		require.Zero(t, analysis.Likeness(pair[0], pair[1]), pair)
	}
}

func TestVowelChangesAndUnitsMeet(t *testing.T) {
	t.Parallel()
	a := analysis.New()
	for one, other := range map[string]string{
		"cuesta": "costo", "devuelvo": "devolver", "cierran": "cerrar", "empieza": "empezar", "encuentro": "encontrar",
		"2 kilos": "2kg", "30 min": "30 minutos", "500 grs": "500 gramos", "10 lts": "10 litros",
	} {
		require.Equal(t, a.Document(other).Distinct, a.Document(one).Distinct, "%s, %s", one, other)
	}
	for _, word := range []string{"que", "quieto", "guerra", "qf45", "24h"} {
		require.Len(t, a.Document(word+" plato").Distinct, len(a.Document(word).Distinct)+1)
	}
}

func TestLikenessOverlooksNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"garanti", "garatni", 6.0 / 7},
		{"devolucion", "debolusion", 0.8},
		{"transferencia", "trasferensia", 11.0 / 13},
		{"pañuelo", "panuelo", 6.0 / 7},
		{"envio", "gratis", 0},
		{"reembolso", "rembolso", 8.0 / 9},
		{"abcdefghij", "xyzdefghij", 0.7},
	} {
		require.InDelta(t, c.want, analysis.Likeness(c.a, c.b), 1e-9, "%s %s", c.a, c.b)
		require.InDelta(t, c.want, analysis.Likeness(c.b, c.a), 1e-9, "%s %s", c.b, c.a)
	}
}
