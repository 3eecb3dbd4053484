package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// startWriter is an OpenAI-compatible server that streams pieces, the next whenever goOn says so. Who asks for no stream gets
// all at once.
func startWriter(t *testing.T, goOn <-chan struct{}, pieces ...string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Stream bool }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if !body.Stream {
			w.Header().Set("Content-Type", "application/json")
			message := map[string]any{"role": "assistant", "content": strings.Join(pieces, "")}
			_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"index": 0, "message": message}}})
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, piece := range pieces {
			content, _ := json.Marshal(piece)
			_, _ = fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n", content)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-goOn:
			case <-r.Context().Done():
				return
			}
		}
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestAnswerIsShownWhileItIsWritten lets a model write three sentences, the second of which it invents: the customer sees the
// first one grow, never the invention, and gets one answer: in the documents' own words.
func TestAnswerIsShownWhileItIsWritten(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	url := startWriter(t, goOn, "EVIDENCE [1]: \"de 10:00 a 14:00\"\nLos sábados abrimos de 10:00 a 14:00 [1]. Y", " también a las 23:45 [1]. Así", " es.")
	s := start(t, map[string]string{"KNOBOT_LLM_PROVIDER": "openai", "KNOBOT_LLM_BASE_URL": url, "KNOBOT_LLM_MODEL": "test"})
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	channels := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels))
	list, err := channels.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM})
	require.NoError(t, err)
	_, err = channels.UpdateIntegration(t.Context(), &channelsv1.UpdateIntegrationRequest{
		Integration: &channelsv1.Integration{Id: list.GetIntegrations()[0].GetId(), Settings: &channelsv1.Settings{StreamDrafts: true}},
		UpdateMask:  &fieldmaskpb.FieldMask{Paths: []string{"settings.stream_drafts"}},
	})
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	drafts, ready := make(chan string, 100), make(chan struct{})
	go func() {
		_ = s.Simulator.Events(ctx, client.Filter{}, func() { close(ready) }, func(e simulator.Event) error {
			if e.Type == simulator.EventDraft {
				drafts <- e.Text
			}
			return nil
		})
	}()
	<-ready
	ana := telegramCustomer(t, s, "7401", "")
	shown := ""
	for shown == "" { // conversation learns of the setting within half a second
		said := ana.write(saturday)
		answered := make(chan string, 1)
		go func() { answered <- ana.awaitAnswer(said).Text }()
		var answer string
		select {
		case shown = <-drafts:
			for range 3 {
				goOn <- struct{}{}
			}
			answer = <-answered
		case answer = <-answered:
		case <-ctx.Done():
			require.Fail(t, "neither draft nor answer")
		}
		require.Contains(t, answer, "14:00")
		require.NotContains(t, answer, "23:45")
	}
	require.Equal(t, "Los sábados abrimos de 10:00 a 14:00.", shown)
	for len(drafts) > 0 {
		require.NotContains(t, <-drafts, "23:45")
	}
}
