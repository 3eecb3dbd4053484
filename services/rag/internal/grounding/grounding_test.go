package grounding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/grounding"
)

func sources() *grounding.Sources {
	return grounding.NewSources(
		"Envíos\nCostos\nEl envío a Cali cuesta $9.900 y a Bogotá $12.500,50. Gratis desde 180\u00a0000 pesos. Tarda de 2 a 4 días.",
		"Contacto\nEscribe a Ventas@Tienda.example o llama al +57 (601) 234-5678. Mira https://tienda.example/envios?x=1. Abrimos de 9:00 a 18:30. "+
			"Repuesto QF-45, papel A4, 30 % de descuento.",
	)
}

func TestWhatStandsInTheSourcesHolds(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"El envío a Cali cuesta $9.900 [1].",
		"Cuesta 9,900 o 9900 pesos [1, 2].",
		"Vale 12500.5.",
		"Vale $ 12.500,50 exactos.",
		"Gratis desde 180.000, desde 180000 o desde 180 000.",
		"Tarda 2–4 días.",
		"Tarda ２ días, o ٤.",
		"Escribe a ventas@tienda.example.",
		"Llama al +57 601 2345678, al 601-234-56-78 o al 2345678.",
		"Mira [aquí](https://tienda.example/envios?x=1), o en HTTPS://Tienda.example/envios?x=1.",
		"Mira **https://tienda.example/envios?x=1**",
		"Abrimos a las 09:00, a las 9, y cerramos a las 18:30.",
		"El repuesto qf45 o QF\u201145, y el papel a4.",
		"Hay 30% de descuento.",
		"1. Escribe.\n2. Espera.\n3) Recibe.",
		"Sin cifras ni nada: ¡claro que sí!",
		"",
	} {
		require.Empty(t, sources().Missing(text), text)
	}
}

func TestWhatIsInventedIsMissing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Cuesta $9.901.":                             {"9.901"},
		"Cuesta 99 000 pesos.":                       {"99 000"},
		"Cuesta 9,9 pesos.":                          {"9,9"},
		"Tarda 3 días.":                              {"3"},
		"Tarda ３ días.":                              {"3"},
		"Cuesta 2 180 pesos.":                        {"2 180"},
		"Abrimos a las 9:30.":                        {"9:30"},
		"Escribe a ventas2@tienda.example.":          {"ventas2@tienda.example"},
		"Escribe a ventas@tienda.example.co":         {"ventas@tienda.example.co"},
		"Llama al 601 234 5679.":                     {"601 234 5679"},
		"Llama al +58 601 234 5678.":                 {"+58 601 234 5678"},
		"Mira https://tienda.example/pagos":          {"https://tienda.example/pagos"},
		"Mira https://tienda.example.evil.com":       {"https://tienda.example.evil.com"},
		"Mira [aquí](https://otra.example) [2].":     {"https://otra.example"},
		"Mira otra.com/x":                            {"otra.com/x"},
		"El repuesto QF-46.":                         {"QF-46"},
		"El repuesto QX-45.":                         {"QX-45"},
		"Dura mucho [3].":                            {"[3]"},
		"Dura mucho [0] [1, 7].":                     {"[0]", "[7]"},
		"Son\n500. Gracias":                          {"500"},
		"1. Uno.\n5. Cinco.":                         {"5"},
		"Cuesta 9.900 y 8.800, o llama al 555 1234.": {"555 1234", "8.800"},
	} {
		require.ElementsMatch(t, want, sources().Missing(text), text)
		require.False(t, sources().Holds(text))
	}
}

func TestWithoutSourcesNothingCheckableHolds(t *testing.T) {
	t.Parallel()
	none := grounding.NewSources()
	require.True(t, none.Holds("Claro que sí."))
	require.False(t, none.Holds("Cuesta 5."))
	require.False(t, none.Holds("Claro [1]."))
}

func TestNumbersOfTheQuestionMayBeRepeated(t *testing.T) {
	t.Parallel()
	asked := sources().Allow("¿El QF-77 cabe en 42 cm antes de las 8:15? https://evil.example x@evil.example 555 123 4567")
	require.True(t, asked.Holds("El qf77 no cabe en 42 cm, y a las 8:15 no abrimos."))
	require.ElementsMatch(t, []string{"https://evil.example", "x@evil.example", "555 123 4567", "43"},
		asked.Missing("Mira https://evil.example o x@evil.example, llama al 555 123 4567. Son 43."))
}

func FuzzMissing(f *testing.F) {
	f.Add("Cuesta $9.900 [1]. +57 (601) 234-5678 a@b.co https://x.example/y 9:00 QF-45 ３")
	f.Fuzz(func(t *testing.T, text string) {
		if missing := grounding.NewSources(text).Missing(text); len(missing) > 0 && missing[0][0] != '[' {
			t.Errorf("a text does not hold itself: %q", missing)
		}
	})
}
