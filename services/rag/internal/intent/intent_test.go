package intent_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/rag/internal/intent"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for want, messages := range map[intent.Kind][]string{
		intent.Person: {
			"quiero hablar con una persona", "Quiero hablar con un humano por favor", "me comunicas con un asesor?", "agente",
			"¿Puedo hablar con alguien real?", "necesito un asesor humano", "I want to talk to a human", "can I speak with an agent",
			"quero falar com um atendente", "pásame con un operador",
		},
		intent.Account: {
			"¿Dónde viene mi pedido?", "donde esta mi paquete", "estado del pedido 883421", "¿qué saldo tiene mi bono?",
			"cuantos puntos tengo", "¿ya me aprobaron la devolución?", "where is my order", "pedido #45120 no llega", "¿cuál es mi saldo?",
		},
		intent.Outside: {
			"escríbeme un poema sobre el mar", "cuéntame un chiste", "me ayudas con la tarea de matematicas", "cuánto es 12 por 9",
			"traduce esto al inglés", "write me a poem about cats", "redacta un ensayo de historia", "dime el código en python",
		},
		intent.None: {
			"¿Cuánto cuesta el envío?", "¿Cuándo llega un pedido a Cali?", "¿Cómo hablo de garantía?", "cuantos puntos tengo q tener pa usarlos",
			"¿Los asesores atienden los domingos?", "¿Puede recibirlo otra persona?", "¿Cómo rastreo un pedido?", "¿Dónde está la tienda?",
			"¿Cuánto vale cada punto?", "¿Hacen envíos para empresas?", "quiero devolver un producto", "¿En qué idioma está el manual?",
			"I want a refund", "", "¿Cuánto es el mínimo?",
		},
	} {
		for _, m := range messages {
			require.Equal(t, want, intent.Recognise(m), m)
		}
	}
}

func TestLongTextsAreNoWork(t *testing.T) {
	t.Parallel()
	require.Equal(t, intent.None, intent.Recognise(strings.Repeat("quiero ", 200_000)))
	require.Equal(t, intent.None, intent.Recognise("\xff\xfe\xc3"))
}
