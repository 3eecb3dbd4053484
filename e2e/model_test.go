package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// code marks a question, so that the answer can say which questions it answers.
var code = regexp.MustCompile(`\bQ\d+x\d+\b`) //nolint:gochecknoglobals // a constant in all but name

// model is an OpenAI-compatible server whose answer names the codes of the questions that are open.
type model struct {
	*httptest.Server
	hang  atomic.Pointer[chan struct{}] // when set, calls wait until it is closed
	calls atomic.Int64
}

func startModel(t *testing.T) *model {
	t.Helper()
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(m.complete))
	t.Cleanup(m.Close)
	return m
}

// environment points rag at the model.
func (m *model) environment() map[string]string {
	return map[string]string{
		"KNOBOT_LLM_PROVIDER": "openai", "KNOBOT_LLM_BASE_URL": m.URL + "/v1", "KNOBOT_LLM_API_KEY": "sk-test", "KNOBOT_LLM_MODEL": "test",
	}
}

func (m *model) complete(w http.ResponseWriter, r *http.Request) {
	m.calls.Add(1)
	var request struct {
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if hang := m.hang.Load(); hang != nil {
		select {
		case <-*hang:
		case <-r.Context().Done():
			return
		}
	}
	var open []string
	for _, message := range request.Messages {
		if message.Role == "assistant" {
			open = nil
		}
		if message.Role == "user" {
			open = append(open, code.FindAllString(string(message.Content), -1)...)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "model": "test", "created": 1,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{
			"role": "assistant", "content": "Respuesta a " + strings.Join(open, " "),
		}}},
		"usage": map[string]any{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
	})
}

// useModelOnly turns retrieval off for all integrations, so that every question reaches the model, and returns when a question
// did on each: services learn of the change within half a second.
func useModelOnly(t *testing.T, s *system.System, m *model) {
	t.Helper()
	off := false
	channels := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels))
	list, err := channels.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{})
	require.NoError(t, err)
	for _, i := range list.GetIntegrations() {
		_, err := channels.UpdateIntegration(t.Context(), &channelsv1.UpdateIntegrationRequest{
			Integration: &channelsv1.Integration{Id: i.GetId(), Settings: &channelsv1.Settings{RagEnabled: &off}},
			UpdateMask:  &fieldmaskpb.FieldMask{Paths: []string{"settings.rag_enabled"}},
		})
		require.NoError(t, err)
	}
	for _, i := range list.GetIntegrations() {
		probe := simulator.Utterance{Platform: simulator.Telegram, From: probeUser, Text: "¿Ya? Q0x0"}
		if number := i.GetWhatsapp().GetPhoneNumberId(); number != "" {
			probe.Platform, probe.Account = simulator.WhatsApp, number
		}
		before := m.calls.Load()
		require.Eventually(t, func() bool {
			_, err := s.Simulator.Say(t.Context(), probe)
			return err == nil && m.calls.Load() > before
		}, 30*time.Second, 200*time.Millisecond)
	}
}

// probeUser asks the probes; no test counts what it is answered.
const probeUser = "999999999"
