package language

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rag.Language{
		"¿Cuánto cuesta el envío a Bogotá?":    rag.Spanish,
		"kiero devolber un pedido q me llego":  rag.Spanish,
		"xyzzy flurbo gratins":                 "fallback",
		"zumbra flixo caplutra verdino":        "fallback",
		"horario":                              rag.Spanish,
		"hola":                                 rag.Spanish,
		"How much is the shipping?":            rag.English,
		"hi":                                   rag.English,
		"Do you ship to Leticia?":              rag.English,
		"Quanto custa o frete para São Paulo?": rag.Portuguese,
		"Qual é o prazo de entrega?":           rag.Portuguese,
		"Vocês têm loja em Lisboa?":            rag.Portuguese,
		"obrigado":                             rag.Portuguese,
		"QF-45":                                "fallback",
		"":                                     "fallback",
		"😀😀":                                   "fallback",
		"\xff\xfe":                             "fallback",
		"¿Dónde? " + strings.Repeat("the ", 5e5): rag.English,
	} {
		require.Equal(t, want, Detect(text, "fallback"), text[:min(len(text), 60)])
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]rag.Language{
		"": rag.Spanish, "es": rag.Spanish, "es-CO": rag.Spanish, "EN": rag.English, "pt_BR": rag.Portuguese, "fr": rag.Spanish,
	} {
		require.Equal(t, want, Parse(tag), tag)
	}
}
