package smalltalk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Kind{
		"hola":                             Greeting,
		"¡Hola!":                           Greeting,
		"holaaaa":                          Greeting,
		"Buenos días 😀":                    Greeting,
		"buenas tardes, ¿cómo están?":      Greeting,
		"Bom dia":                          Greeting,
		"good morning":                     Greeting,
		"/start":                           Greeting,
		"gracias":                          Thanks,
		"muchas gracias por la ayuda":      Thanks,
		"Thank you very much!":             Thanks,
		"obrigada":                         Thanks,
		"ok":                               Thanks,
		"no, gracias":                      Thanks,
		"¿qué tal?":                        Greeting,
		"por la tarde":                     None,
		"si":                               None,
		"adiós":                            Farewell,
		"hasta luego":                      Farewell,
		"gracias, hasta mañana":            Farewell,
		"tchau":                            Farewell,
		"hola, ¿cuánto cuesta el envío?":   None,
		"¿hasta cuándo puedo devolver?":    None,
		"¿qué tal es la freidora?":         None,
		"":                                 None,
		"😀":                                None,
		"¿qué es eso?":                     None,
		"hello, how much is the shipping?": None,
		strings.Repeat("hola ", 5000):      None,
	} {
		require.Equal(t, want, Recognise(text), text)
	}
}
