package orchestrator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

// newStreamer returns a model that streams text in small pieces, then does what end says, and answers what asks for no stream
// with whole.
func newStreamer(t *testing.T, text, whole string, end func(r *http.Request)) *llm.OpenAI {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Stream bool }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if !body.Stream {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": whole}}}})
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		runes := []rune(text)
		for len(runes) > 0 {
			n := min(5, len(runes))
			event(w, string(runes[:n]), nil)
			runes = runes[n:]
		}
		_ = http.NewResponseController(w).Flush()
		if end != nil {
			end(r)
			return
		}
		event(w, "", "stop")
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(server.Close)
	return llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL, Model: "tiny", Idle: 200 * time.Millisecond})
}

func event(w io.Writer, content string, finish any) {
	data, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{
		"index": 0, "delta": map[string]any{"content": content}, "finish_reason": finish,
	}}})
	_, _ = io.WriteString(w, "data: "+string(data)+"\n\n")
}

func TestDrafts(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	const question = "¿Cuánto dura la garantía de las bicicletas?"

	stream := func(t *testing.T, model llm.Model) (rag.Answer, []string) {
		t.Helper()
		var shown []string
		answer, err := newOrchestrator(t, b, model).StreamAnswer(t.Context(), request(question), func(d string) { shown = append(shown, d) })
		require.NoError(t, err)
		return answer, shown
	}

	t.Run("GrowByWholeSentencesWithoutCitations", func(t *testing.T) {
		t.Parallel()
		const text = proof + "La garantía dura **24 meses** [1]. Empieza con la compra. [1] Guarda la factura [1, 2].\n\n- Una cosa\n- Otra"
		answer, shown := stream(t, newStreamer(t, text, "", nil))
		require.Equal(t, []string{
			"La garantía dura **24 meses**.",
			"La garantía dura **24 meses**. Empieza con la compra.",
			"La garantía dura **24 meses**. Empieza con la compra. Guarda la factura.",
			"La garantía dura **24 meses**. Empieza con la compra. Guarda la factura.\n\n- Una cosa",
		}, shown)
		require.Equal(t, rag.Generated, answer.Mode)
		require.Contains(t, answer.Text, "- Otra")
		require.Contains(t, answer.Text, "_Fuente")

		same, err := newOrchestrator(t, b, newStreamer(t, "", text, nil)).GenerateAnswer(t.Context(), request(question))
		require.NoError(t, err)
		same.ModelTime, answer.ModelTime = 0, 0
		require.Equal(t, same, answer, "with drafts or without, the answer is one")
	})

	t.Run("InventedFactIsNeverShown", func(t *testing.T) {
		t.Parallel()
		for name, invented := range map[string]string{
			"number": "Son 87 meses", "link": "Mira https://nada.example/x", "address": "Escribe a x@nada.example", "phone": "Llama al 555 123 4567",
			"source": "Es cierto [99]",
		} {
			answer, shown := stream(t, newStreamer(t, proof+"Dura 24 meses [1]. "+invented+". Luego dura 24 meses. Y ya.", "", nil))
			require.Equal(t, []string{"Dura 24 meses."}, shown, name)
			if name == "source" {
				require.Contains(t, answer.Text, "Es cierto. Luego", "a mark that names no source is only taken out")
				continue
			}
			require.Equal(t, rag.Extractive, answer.Mode, "what is not shown is not said")
		}
	})

	t.Run("NumberedListIsShown", func(t *testing.T) {
		t.Parallel()
		_, shown := stream(t, newStreamer(t, proof+"Pasos:\n1. Escribe.\n2. Espera.\n3. Listo.", "", nil))
		require.Equal(t, "Pasos:\n1. Escribe.\n2. Espera.", shown[len(shown)-1])
	})

	t.Run("BrokenStreamFallsBackToTheWholeAnswer", func(t *testing.T) {
		t.Parallel()
		for name, end := range map[string]func(*http.Request){
			"cut mid-sentence": func(*http.Request) { panic(http.ErrAbortHandler) },
			"hanging":          func(r *http.Request) { <-r.Context().Done() },
		} {
			answer, shown := stream(t, newStreamer(t, proof+"Dura 24 meses [1]. Y empie", proof+"Dura 24 meses [1].", end))
			require.Equal(t, []string{"Dura 24 meses."}, shown, name)
			require.True(t, strings.HasPrefix(answer.Text, "Dura 24 meses.\n\n_Fuente"), name)
		}
	})

	t.Run("ModelThatFailsTwiceFallsBackToExtraction", func(t *testing.T) {
		t.Parallel()
		answer, shown := stream(t, newStreamer(t, "", "", nil))
		require.Empty(t, shown)
		require.Equal(t, rag.Extractive, answer.Mode)
		require.Contains(t, answer.Text, "24 meses")
	})

	t.Run("DecliningModelShowsNothing", func(t *testing.T) {
		t.Parallel()
		answer, shown := stream(t, newStreamer(t, "NO_ANSWER\n", "", nil))
		require.Empty(t, shown)
		require.Equal(t, rag.Declined, answer.Outcome)
	})

	t.Run("NothingIsShownWithoutEvidence", func(t *testing.T) {
		t.Parallel()
		for text, outcome := range map[string]rag.Outcome{
			"Dura 24 meses [1].\nY ya. Y más.":                                           rag.Answered,
			"EVIDENCE [1]: \"Bicicletas; Duración: 36 meses\"\nDura 24 meses [1]. Y ya.": rag.Declined,
		} {
			answer, shown := stream(t, newStreamer(t, text, "", nil))
			require.Empty(t, shown)
			require.Equal(t, outcome, answer.Outcome)
			require.NotEqual(t, rag.Generated, answer.Mode)
		}
	})

	t.Run("LongTextIsShownUpToItsBound", func(t *testing.T) {
		t.Parallel()
		_, shown := stream(t, newStreamer(t, proof+strings.Repeat("La garantía es buena. ", 300), "", nil))
		require.NotEmpty(t, shown)
		require.LessOrEqual(t, len([]rune(shown[len(shown)-1])), 3000)
	})

	t.Run("WithoutAModelTheAnswerComesAtOnce", func(t *testing.T) {
		t.Parallel()
		require.False(t, newOrchestrator(t, b, nil).Streams())
		require.True(t, newOrchestrator(t, b, newStreamer(t, "", "", nil)).Streams())
		answer, shown := stream(t, nil)
		require.Empty(t, shown)
		require.Equal(t, rag.Extractive, answer.Mode)
	})
}
