package faults

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// half is what a model wrote of an answer that was cut off.
const half = "Una respuesta a medias"

// sometimes has a share of the calls run into trouble.
func sometimes(share float64, trouble model.Trouble) model.Trouble {
	return func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		return rand.Float64() < share && trouble(w, r, body)
	}
}

func throttle(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
	w.Header().Set("Retry-After", "1")
	http.Error(w, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, http.StatusTooManyRequests)
	return true
}

func crash(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
	http.Error(w, `{"error":{"message":"The server had an error","type":"server_error"}}`, http.StatusInternalServerError)
	return true
}

// cutOff begins an answer and drops the connection, in a stream as well as in a body.
func cutOff(w http.ResponseWriter, _ *http.Request, body []byte) bool {
	if bytes.Contains(body, []byte(`"stream":true`)) {
		model.Stream(w, []string{half, ", y"}, false)
	} else {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100000")
		_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"%s`, half)
	}
	panic(http.ErrAbortHandler)
}

// modelFails has the model throttle, fail, hang, break off in the middle, and be away altogether. Nobody gets half an answer,
// and nobody is told anything else.
func modelFails(c *stage) {
	c.open(set{env: map[string]string{"KNOBOT_LLM_TIMEOUT": "3s"}})
	c.streamDrafts()
	troubles := map[string]model.Trouble{
		"throttling": sometimes(0.5, throttle),
		"failing":    sometimes(0.5, crash),
		"hanging":    sometimes(0.3, model.HangUntil(c.ctx.Done())),
		"cut off":    sometimes(0.5, cutOff),
		"away":       func(http.ResponseWriter, *http.Request, []byte) bool { panic(http.ErrAbortHandler) },
	}
	c.during(crowd.Plan{Customers: 40, Every: size(100*time.Millisecond, 50*time.Millisecond)}, func(ctx context.Context) error {
		for range size(1, 3) {
			for name, trouble := range troubles {
				// All that waited is answered first, so that no turn has used up its tries.
				if err := c.crowd.AwaitAnswered(ctx, c.crowd.Asked()); err != nil {
					return fmt.Errorf("before the model is %s: %w", name, err)
				}
				c.model.Make(trouble)
				if err := pause(ctx, size(1500*time.Millisecond, 8*time.Second)); err != nil {
					return err
				}
				c.model.Make(nil)
			}
		}
		return nil
	})
	r := c.close(fmt.Sprintf("model calls %d", c.model.Calls.Load()))
	require.Zero(c, r.Told)
	require.Zero(c, r.Dead)
	calls, err := c.Simulator.Journal(c.ctx, client.Filter{})
	require.NoError(c, err)
	for _, call := range calls {
		if call.Method == "messages" || call.Method == "sendMessage" {
			require.NotContains(c, string(call.Request), half, "no half answer is sent")
		}
	}
}

// streamDrafts lets the model's answers be streamed to Telegram's private chats.
func (c *stage) streamDrafts() {
	c.Helper()
	channels := channelsv1.NewIntegrationServiceClient(c.Conn(c.Channels))
	list, err := channels.ListIntegrations(c.ctx, &channelsv1.ListIntegrationsRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM})
	require.NoError(c, err)
	_, err = channels.UpdateIntegration(c.ctx, &channelsv1.UpdateIntegrationRequest{
		Integration: &channelsv1.Integration{Id: list.GetIntegrations()[0].GetId(), Settings: &channelsv1.Settings{StreamDrafts: true}},
		UpdateMask:  &fieldmaskpb.FieldMask{Paths: []string{"settings.stream_drafts"}},
	})
	require.NoError(c, err)
}

// poison is what no model can answer, and no platform will take.
const poison = "veneno"

// poisonedMessage has one customer ask what always fails. That conversation is given up after its tries; everybody else is
// answered as fast as before; and the customer's next question is answered. In short the platform refuses the answer for good,
// at full length the model fails until the tries are used up.
func poisonedMessage(c *stage) {
	c.open(set{})
	var tries atomic.Int64
	c.model.Make(func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		if !*long || !bytes.Contains(body, []byte(poison)) || strings.Contains(string(body), model.Code(2, 1)) {
			return false
		}
		tries.Add(1)
		http.Error(w, `{"error":{"message":"content","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return true
	})
	others := crowd.Plan{First: 100, Customers: 20, Questions: 3, Every: 100 * time.Millisecond}
	require.NoError(c, c.crowd.Write(c.ctx, others))
	require.NoError(c, c.crowd.Settle(c.ctx))

	bad := crowd.Utterance(simulator.WhatsApp, 2, 0)
	bad.Text += " " + poison
	if !*long {
		_, err := c.Simulator.AddFault(c.ctx, simulator.Fault{Kind: simulator.FaultError, Code: 131009, Chat: simulator.Chat{Platform: simulator.WhatsApp, User: bad.From}})
		require.NoError(c, err)
	}
	_, err := c.crowd.Say(c.ctx, model.Code(2, 0), bad)
	require.NoError(c, err)
	others.First = 200
	require.NoError(c, c.crowd.Write(c.ctx, others))
	dead := func() bool {
		r, err := conversationv1.NewWebhookLogServiceClient(c.Conn(c.Conversation)).ListWebhookLogs(c.ctx,
			&conversationv1.ListWebhookLogsRequest{DeadOnly: true})
		return err == nil && len(r.GetWebhookLogs()) == 1
	}
	require.Eventually(c, dead, size(time.Minute, 5*time.Minute), 100*time.Millisecond, "it is given up, visibly")
	_, err = c.crowd.Say(c.ctx, model.Code(2, 1), crowd.Utterance(simulator.WhatsApp, 2, 1))
	require.NoError(c, err)

	before := median(c.crowd.Waits(func(customer int) bool { return customer >= 100 && customer < 200 }))
	beside := median(c.crowd.Waits(func(customer int) bool { return customer >= 200 }))
	r := c.close(fmt.Sprintf("tries %d, others' p50 without it %d ms, with it %d ms", tries.Load(), before.Milliseconds(), beside.Milliseconds()))
	require.Equal(c, 1, r.Dead)
	require.Equal(c, 1+2*others.Customers*others.Questions, r.Answered)
	require.Less(c, beside, 2*before+200*time.Millisecond, "others are answered as before, but for the machine's noise")
}

func median(sorted []time.Duration) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
