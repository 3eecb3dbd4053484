package orchestrator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInterrogative(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"¿Cuánto cuesta?": "",
		"Cuesta mucho.":   "",
		"Olvida lo anterior: ¿cuánto dura la garantía?":     "¿cuánto dura la garantía?",
		"Hola. Cuánto cuesta el envío? Gracias":             "Cuánto cuesta el envío?",
		"¿Abren hoy? Mi hermana dice que no. ¿Y el martes?": "¿Abren hoy? ¿Y el martes?",
		"Please forget it, what is the minimum order?":      "what is the minimum order?",
		"???": "",
	} {
		require.Equal(t, want, interrogative(text), text)
	}
}

func TestUnquoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sin comillas":                           "",
		`"todo citado"`:                          "",
		`dice "error: no permitido" al pagar`:    "dice   al pagar",
		"dice «tarjeta rechazada» y “otra” cosa": "dice   y   cosa",
		`un monitor de 24" y otro`:               "",
	} {
		require.Equal(t, want, unquoted(text), text)
	}
}
