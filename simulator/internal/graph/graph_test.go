package graph_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/graph"
	"github.com/knobot/knobot/simulator/internal/media"
	"github.com/knobot/knobot/simulator/internal/ring"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

const (
	numberID = "106540352242922"
	token    = "TOKEN"
	secret   = "app-secret"
	customer = "573001234567"
	userID   = "CO.24817305912873645029"
)

// hooks receives webhooks in memory.
type hooks struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte
	status   int
	answer   string
}

func (h *hooks) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests, h.bodies = append(h.requests, r), append(h.bodies, body)
	return &http.Response{
		StatusCode: h.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(h.answer)), Request: r,
	}, nil
}

// values returns value[] of all bodies received so far.
func (h *hooks) values(t *testing.T) []map[string]any {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var values []map[string]any
	for _, body := range h.bodies {
		var envelope struct {
			Entry []struct {
				Changes []struct{ Value map[string]any }
			}
		}
		require.NoError(t, json.Unmarshal(body, &envelope))
		for _, change := range envelope.Entry[0].Changes {
			values = append(values, change.Value)
		}
	}
	return values
}

type bundle struct {
	api    *graph.API
	store  *chat.Store
	shelf  *media.Shelf
	faults *faults.Set
	calls  *ring.Log[simulator.Call]
	hooks  *hooks
}

// inBubble runs a test on its own clock against an API with one number.
func inBubble(t *testing.T, test func(t *testing.T, b bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := bundle{
			store: chat.NewStore(chat.Limits{Messages: 100, Chats: 100, Events: 1000}), shelf: media.NewShelf(),
			faults: faults.NewSet(), calls: ring.New[simulator.Call](100), hooks: &hooks{status: http.StatusOK},
		}
		deliverer := webhook.New(b.hooks, ring.New[simulator.Delivery](100), func() float64 { return 1 })
		defer deliverer.Close()
		settings := simulator.Settings{
			SentDelay: simulator.Duration(time.Second), DeliveredDelay: simulator.Duration(time.Second),
			ReadDelay: simulator.Duration(time.Second),
		}
		desk := exchange.Desk{Faults: b.faults, Journal: b.calls}
		b.api = graph.New(desk, b.store, b.shelf, deliverer, func() simulator.Settings { return settings }, "http://bot.test/")
		defer b.api.Close()
		_, err := b.api.AddNumber(simulator.Number{ID: numberID, AccessToken: token, AppSecret: secret, VerifyToken: "verify"})
		require.NoError(t, err)
		test(t, b)
	})
}

// post sends a body as the business.
func (b bundle) post(t *testing.T, body any) *httptest.ResponseRecorder {
	t.Helper()
	raw, ok := body.(string)
	if !ok {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		raw = string(encoded)
	}
	return b.call(httptest.NewRequest(http.MethodPost, "/v26.0/"+numberID+"/messages", strings.NewReader(raw)))
}

func (b bundle) call(r *http.Request) *httptest.ResponseRecorder {
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	return w
}

// greet lets the customer write, which opens the window.
func (b bundle) greet(t *testing.T) simulator.Message {
	t.Helper()
	m, err := b.api.Say(simulator.Utterance{From: customer, Text: "Hola", Person: simulator.Person{Name: "Ana", UserID: userID}})
	require.NoError(t, err)
	return m
}

func text(body string) map[string]any {
	return map[string]any{
		"messaging_product": "whatsapp", "to": "+" + customer, "type": "text", "text": map[string]string{"body": body},
	}
}

func decoded(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// code returns the error's code, 0 when the call was accepted.
func code(t *testing.T, w *httptest.ResponseRecorder) int {
	t.Helper()
	failure, ok := decoded(t, w)["error"].(map[string]any)
	if !ok {
		return 0
	}
	require.NotEmpty(t, failure["fbtrace_id"])
	number, ok := failure["code"].(float64)
	require.True(t, ok)
	return int(number)
}

func signature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
