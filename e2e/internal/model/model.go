// Package model is an OpenAI-compatible server whose answers name the questions that they answer, and which can be made to fail.
package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// code marks a question, so that the answer can say which questions it answers.
var code = regexp.MustCompile(`\bQ\d+x\d+\b`) //nolint:gochecknoglobals // a constant in all but name

// Codes returns the codes of questions that stand in a text, in their order.
func Codes(text string) []string { return code.FindAllString(text, -1) }

// Code is that of a customer's nth question.
func Code(customer, n int) string { return fmt.Sprintf("Q%dx%d", customer, n) }

// Trouble takes a call over. False leaves it to the model.
type Trouble func(w http.ResponseWriter, r *http.Request, body []byte) bool

// Server is a running model.
type Server struct {
	URL string
	// Calls counts all calls, those with trouble too.
	Calls atomic.Int64

	trouble atomic.Pointer[Trouble]
}

// Start starts a model that ends with the test.
func Start(t *testing.T) *Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return StartOn(t, l)
}

// StartOn is Start on a listener of the caller's.
func StartOn(t *testing.T, l net.Listener) *Server {
	t.Helper()
	m := &Server{}
	server := httptest.NewUnstartedServer(m)
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	m.URL = server.URL
	return m
}

// Environment points rag at the model.
func (m *Server) Environment() map[string]string {
	return map[string]string{
		"KNOBOT_LLM_PROVIDER": "openai", "KNOBOT_LLM_BASE_URL": m.URL + "/v1", "KNOBOT_LLM_API_KEY": "sk-test", "KNOBOT_LLM_MODEL": "test",
	}
}

// Make has all calls from now on run into trouble; nil ends it.
func (m *Server) Make(trouble Trouble) {
	if trouble == nil {
		m.trouble.Store(nil)
		return
	}
	m.trouble.Store(&trouble)
}

// Slowly has the model take its time for each answer.
func Slowly(d time.Duration) Trouble {
	return func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return false
		case <-r.Context().Done():
			return true
		}
	}
}

// HangUntil has calls wait until the channel is closed.
func HangUntil(done <-chan struct{}) Trouble {
	return func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		select {
		case <-done:
			return false
		case <-r.Context().Done():
			return true
		}
	}
}

// ServeHTTP completes a chat.
func (m *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.Calls.Add(1)
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if trouble := m.trouble.Load(); trouble != nil && (*trouble)(w, r, body) {
		return
	}
	var request struct {
		Stream   bool `json:"stream"`
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var open []string
	for _, message := range request.Messages {
		if message.Role == "assistant" {
			open = nil
		}
		if message.Role == "user" {
			open = append(open, Codes(string(message.Content))...)
		}
	}
	pieces := []string{"Respuesta a ", strings.Join(open, " ")}
	if request.Stream {
		Stream(w, pieces, true)
		return
	}
	Answer(w, strings.Join(pieces, ""))
}

// Answer writes a whole completion.
func Answer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "model": "test", "created": 1,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{
			"role": "assistant", "content": text,
		}}},
		"usage": map[string]any{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
	})
}

// Stream writes a completion piece by piece, and its end unless it is to be cut off.
func Stream(w http.ResponseWriter, pieces []string, whole bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, piece := range pieces {
		content, _ := json.Marshal(piece)
		_, _ = fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n", content)
		_ = http.NewResponseController(w).Flush()
	}
	if whole {
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}
}

// UseOnly turns retrieval off for all integrations, so that every question reaches the model, and returns when a question did
// on each: services learn of the change within half a second.
func UseOnly(t *testing.T, s *system.System, m *Server) {
	t.Helper()
	channels := channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels))
	list, err := channels.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{})
	require.NoError(t, err)
	for _, i := range list.GetIntegrations() {
		TurnRetrievalOff(t, channels, i.GetId())
	}
	for _, i := range list.GetIntegrations() {
		Reach(t, s.Simulator, i, m)
	}
}

// TurnRetrievalOff has an integration's questions go to the model without documents.
func TurnRetrievalOff(t *testing.T, channels channelsv1.IntegrationServiceClient, id string) {
	t.Helper()
	off := false
	_, err := channels.UpdateIntegration(t.Context(), &channelsv1.UpdateIntegrationRequest{
		Integration: &channelsv1.Integration{Id: id, Settings: &channelsv1.Settings{RagEnabled: &off}},
		UpdateMask:  &fieldmaskpb.FieldMask{Paths: []string{"settings.rag_enabled"}},
	})
	require.NoError(t, err)
}

// Reach asks at an integration until a question reaches the model.
func Reach(t *testing.T, phones *client.Client, i *channelsv1.Integration, m *Server) {
	t.Helper()
	probe := simulator.Utterance{Platform: simulator.Telegram, From: ProbeUser, Text: "¿Ya? " + Code(0, 0)}
	if bot := i.GetTelegram().GetBotId(); bot != 0 {
		probe.Account = strconv.FormatInt(bot, 10)
	}
	if number := i.GetWhatsapp().GetPhoneNumberId(); number != "" {
		probe.Platform, probe.Account = simulator.WhatsApp, number
	}
	before := m.Calls.Load()
	require.Eventually(t, func() bool {
		_, err := phones.Say(t.Context(), probe)
		return err == nil && m.Calls.Load() > before
	}, 30*time.Second, 200*time.Millisecond)
}

// ProbeUser asks the probes; no test counts what it is answered.
const ProbeUser = "999999999"
