package sentence_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/sentence"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Uno. Dos! ¿Tres? Cuatro…":                  {"Uno.", "Dos!", "¿Tres?", "Cuatro…"},
		"Abre a las 9 a. m. y cierra a las 6 p. m.": {"Abre a las 9 a. m. y cierra a las 6 p. m."},
		"Cierra a las 6 p. m. Los domingos no.":     {"Cierra a las 6 p. m.", "Los domingos no."},
		"El Sr. Pérez vive en la Av. Mitre 3. Fin.": {"El Sr. Pérez vive en la Av. Mitre 3.", "Fin."},
		"Cuesta $9.900. Pesa 4,5 kg.":               {"Cuesta $9.900.", "Pesa 4,5 kg."},
		"Escribe a a@b.co. Gracias":                 {"Escribe a a@b.co.", "Gracias"},
		"Dijo «hola». Y «adiós.» Luego calló.":      {"Dijo «hola».", "Y «adiós.»", "Luego calló."},
		"**Nota.** Sigue":                           {"**Nota.**", "Sigue"},
		"- uno\n- dos. Tres":                        {"- uno", "- dos.", "Tres"},
		"J. L. Borges escribió.":                    {"J. L. Borges escribió."},
		"":                                          nil,
		" \n ":                                      nil,
		"\xff. \xfe.":                               {"\xff.", "\xfe."},
	} {
		require.Equal(t, want, sentence.Split(text), text)
	}
}

func TestSplitLosesNothing(t *testing.T) {
	t.Parallel()
	text := "¡Hola! ¿Qué tal?... Bien. a. B. c?!? (D.) “E.” 3. 4.5 etc. Fin"
	require.Equal(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(strings.Join(sentence.Split(text), ""), " ", ""))
}
