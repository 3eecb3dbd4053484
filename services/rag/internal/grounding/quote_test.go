package grounding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/grounding"
)

func TestQuotationsAreFoundWordByWord(t *testing.T) {
	t.Parallel()
	const text = "Los envíos a **Cali** tardan\n2 a 4 días ([más](https://x.example/a)). No hay envíos al exterior."
	for quotation, stands := range map[string]bool{
		"Los envíos a Cali tardan 2 a 4 días":         true,
		"los ENVIOS a cali, tardan 2 a 4 días (más).": true,
		"Los envíos … tardan 2 a 4 días":              true,
		"Los envíos a Cali [...] No hay envíos":       true,
		"Los envíos a Cali tardan 3 días":             false,
		"Los envíos a Medellín tardan 2 a 4 días":     false,
		"Los envíos … tardan 9 días":                  false,
		"víos a Cali tardan":                          false,
		"envíos":                                      false,
		"…":                                           false,
		"":                                            false,
	} {
		require.Equal(t, stands, grounding.Quotes(text, quotation), quotation)
	}
}
