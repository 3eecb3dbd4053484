package graph_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

// statuses returns the statuses that were reported, by name.
func statuses(t *testing.T, b bundle) map[string]map[string]any {
	t.Helper()
	synctest.Wait()
	found := map[string]map[string]any{}
	for _, value := range b.hooks.values(t) {
		list, _ := value["statuses"].([]any)
		for _, entry := range list {
			status, _ := entry.(map[string]any)
			status["value"] = value
			name, _ := status["status"].(string)
			found[name] = status
		}
	}
	return found
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, b bundle) simulator.Message {
		t.Helper()
		body := text("hola")
		body["biz_opaque_callback_data"] = "request/1/1"
		require.Zero(t, code(t, b.post(t, body)))
		return b.store.Messages(chatOfCustomer(), 1)[0]
	}

	t.Run("SentDeliveredReadWithEchoAndPrice", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			m := send(t, b)
			require.Empty(t, statuses(t, b))
			for i, name := range []string{"sent", "delivered", "read"} {
				<-time.After(time.Second)
				found := statuses(t, b)
				require.Len(t, found, i+1)
				status := found[name]
				require.Equal(t, m.ID, status["id"])
				require.Equal(t, "request/1/1", status["biz_opaque_callback_data"])
				require.Equal(t, customer, status["recipient_id"])
				require.Equal(t, userID, status["recipient_user_id"])
				if name != "read" {
					require.Equal(t, "PMP", status["pricing"].(map[string]any)["pricing_model"])
				}
			}
		})
	})

	t.Run("ReadOnlyOnceThePhoneIsOpen", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			open := false
			_, err := b.api.OpenPhone(chatOfCustomer(), simulator.Phone{Open: &open})
			require.NoError(t, err)
			send(t, b)
			<-time.After(time.Minute)
			require.NotContains(t, statuses(t, b), "read")
			open = true
			_, err = b.api.OpenPhone(chatOfCustomer(), simulator.Phone{Open: &open})
			require.NoError(t, err)
			require.Contains(t, statuses(t, b), "read")
		})
	})

	t.Run("FaultsChangeWhatIsReported", func(t *testing.T) {
		t.Parallel()
		for kind, check := range map[simulator.FaultKind]func(t *testing.T, b bundle){
			simulator.FaultStatusNever: func(t *testing.T, b bundle) {
				<-time.After(time.Hour)
				require.Empty(t, statuses(t, b))
			},
			simulator.FaultStatusLate: func(t *testing.T, b bundle) {
				<-time.After(time.Minute)
				require.Empty(t, statuses(t, b))
				<-time.After(time.Minute)
				require.Len(t, statuses(t, b), 3)
			},
			simulator.FaultStatusEarly: func(t *testing.T, b bundle) {
				require.Contains(t, statuses(t, b), "sent")
			},
			simulator.FaultStatusFailed: func(t *testing.T, b bundle) {
				<-time.After(time.Minute)
				found := statuses(t, b)
				require.Len(t, found, 1)
				require.NotContains(t, found["failed"]["value"], "contacts")
				require.NotContains(t, found["failed"], "recipient_user_id")
				problem := found["failed"]["errors"].([]any)[0].(map[string]any)
				require.EqualValues(t, 131026, problem["code"])
				require.Equal(t, simulator.StateFailed, b.store.Messages(chatOfCustomer(), 1)[0].State)
			},
		} {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, b bundle) {
					b.greet(t)
					_, err := b.faults.Add(simulator.Fault{Kind: kind, Code: 131026, Delay: simulator.Duration(time.Minute)})
					require.NoError(t, err)
					send(t, b)
					check(t, b)
				})
			})
		}
	})

	t.Run("ABlockedBusinessSeesNoMoreThanSent", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			blocked := true
			_, err := b.api.OpenPhone(chatOfCustomer(), simulator.Phone{Blocked: &blocked})
			require.NoError(t, err)
			send(t, b)
			<-time.After(time.Minute)
			require.Len(t, statuses(t, b), 1)
		})
	})
}

func TestInbound(t *testing.T) {
	t.Parallel()

	t.Run("SignsTheBytesAndWaitsForTheAcknowledgement", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.hooks.status = http.StatusServiceUnavailable
			m := b.greet(t)
			synctest.Wait()
			require.Equal(t, simulator.StateSent, b.store.Messages(m.Chat, 0)[0].State)
			b.hooks.mu.Lock()
			b.hooks.status = http.StatusOK
			request, body := b.hooks.requests[0], b.hooks.bodies[0]
			b.hooks.mu.Unlock()
			require.Equal(t, "http://bot.test/api/integrations/webhooks/whatsapp/", request.URL.String())
			require.Equal(t, signature(body), request.Header.Get("X-Hub-Signature-256"))
			<-time.After(time.Minute)
			require.Equal(t, simulator.StateDelivered, b.store.Messages(m.Chat, 0)[0].State)
		})
	})

	t.Run("CarriesPhoneAndUserID", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			synctest.Wait()
			value := b.hooks.values(t)[0]
			require.Equal(t, map[string]any{"phone_number_id": numberID, "display_phone_number": "576012242922"}, value["metadata"])
			require.Equal(t, []any{map[string]any{
				"profile": map[string]any{"name": "Ana"}, "wa_id": customer, "user_id": userID,
			}}, value["contacts"])
			require.Equal(t, []any{map[string]any{
				"id": m.ID, "from": customer, "from_user_id": userID, "timestamp": value["messages"].([]any)[0].(map[string]any)["timestamp"],
				"type": "text", "text": map[string]any{"body": "Hola"},
			}}, value["messages"])
		})
	})

	t.Run("LeavesTheNumberOutWhenTheCustomerHidesIt", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			_, err := b.api.Say(simulator.Utterance{From: customer, Text: "Hola", Person: simulator.Person{HidePhone: true}})
			require.NoError(t, err)
			synctest.Wait()
			require.NotContains(t, string(b.hooks.bodies[0]), customer)
			require.Contains(t, string(b.hooks.bodies[0]), "from_user_id")
		})
	})

	t.Run("APressIsAReplyToTheButtonsMessage", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			synctest.Wait()
			body := text("")
			body["type"] = "interactive"
			body["interactive"] = json.RawMessage(`{"type":"list","body":{"text":"Elige"},"action":{"button":"Ver","sections":` +
				`[{"title":"Temas","rows":[{"id":"r1","title":"Envíos","description":"Plazos"}]}]}}`)
			require.Zero(t, code(t, b.post(t, body)))
			shown := b.store.Messages(chatOfCustomer(), 1)[0]
			require.Equal(t, "Ver", shown.Menu)
			_, err := b.api.Press(simulator.Press{Chat: shown.Chat, Message: shown.ID, Data: "r1"})
			require.NoError(t, err)
			synctest.Wait()
			value := b.hooks.values(t)[1]
			message := value["messages"].([]any)[0].(map[string]any)
			require.Equal(t, map[string]any{"from": "576012242922", "id": shown.ID}, message["context"])
			require.Equal(t, map[string]any{
				"type": "list_reply", "list_reply": map[string]any{"id": "r1", "title": "Envíos", "description": "Plazos"},
			}, message["interactive"])
			_, err = b.api.Press(simulator.Press{Chat: shown.Chat, Message: shown.ID, Data: "r2"})
			require.Error(t, err)
		})
	})

	t.Run("SendsEveryKind", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			file := b.shelf.Put([]byte("voice"), "audio/ogg; codecs=opus", "")
			_, err := b.api.Say(simulator.Utterance{From: customer, Kind: "voice", Media: file.ID})
			require.NoError(t, err)
			synctest.Wait()
			message := b.hooks.values(t)[0]["messages"].([]any)[0].(map[string]any)
			require.Equal(t, "audio", message["type"])
			require.Equal(t, true, message["audio"].(map[string]any)["voice"])
			_, err = b.api.Say(simulator.Utterance{From: customer, Kind: "location", Body: json.RawMessage(`{"latitude":4.6,"longitude":-74}`)})
			require.NoError(t, err)
			synctest.Wait()
			message = b.hooks.values(t)[1]["messages"].([]any)[0].(map[string]any)
			require.Equal(t, map[string]any{"latitude": 4.6, "longitude": -74.0}, message["location"])
			for _, wrong := range []simulator.Utterance{
				{From: customer}, {From: customer, Kind: "image", Media: "1"}, {From: customer, Kind: "order"}, {From: "ana", Text: "x"},
			} {
				_, err = b.api.Say(wrong)
				require.Error(t, err)
			}
		})
	})

	t.Run("ABatchIsOneBody", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			said, err := b.api.SayTogether([]simulator.Utterance{
				{From: customer, Text: "uno"}, {From: "573000000000", Text: "dos"}, {From: customer, Text: "tres"},
			})
			require.NoError(t, err)
			require.Len(t, said, 3)
			synctest.Wait()
			require.Len(t, b.hooks.bodies, 1)
			require.Len(t, b.hooks.values(t), 3)
			require.Equal(t, simulator.StateDelivered, b.store.Messages(said[1].Chat, 0)[0].State)
		})
	})

	t.Run("WebhookFaultsDuplicateDelayAndLose", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			for _, f := range []simulator.Fault{
				{Kind: simulator.FaultWebhookDuplicate, Copies: 3},
				{Kind: simulator.FaultWebhookLate, Delay: simulator.Duration(time.Minute)},
				{Kind: simulator.FaultWebhookNever},
			} {
				_, err := b.faults.Add(f)
				require.NoError(t, err)
			}
			for range 4 {
				b.greet(t)
			}
			synctest.Wait()
			require.Len(t, b.hooks.values(t), 4, "three copies and the last")
			<-time.After(2 * time.Minute)
			require.Len(t, b.hooks.values(t), 5)
		})
	})
}

func TestRaw(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		b.hooks.answer = "gracias"
		body := []byte("{\"caf\xe9\": 1}")
		for _, c := range []struct {
			signature simulator.Signature
			header    string
		}{{simulator.SignatureValid, signature(body)}, {simulator.SignatureMissing, ""}} {
			answer, err := b.api.Raw(t.Context(), simulator.Raw{Signature: c.signature}, body)
			require.NoError(t, err)
			require.Equal(t, simulator.Answer{Status: 200, Body: "gracias", Accepted: true}, answer)
			last := len(b.hooks.requests) - 1
			require.Equal(t, c.header, b.hooks.requests[last].Header.Get("X-Hub-Signature-256"))
			require.Equal(t, body, b.hooks.bodies[last], "byte for byte")
		}
		_, err := b.api.Raw(t.Context(), simulator.Raw{Signature: simulator.SignatureWrong}, body)
		require.NoError(t, err)
		wrong := b.hooks.requests[2].Header.Get("X-Hub-Signature-256")
		require.Len(t, wrong, len(signature(body)))
		require.NotEqual(t, signature(body), wrong)
	})
}

func TestVerifyWantsItsChallengeBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		b.hooks.answer = "an error page"
		answer, err := b.api.Verify(t.Context(), numberID)
		require.NoError(t, err)
		require.False(t, answer.Accepted)
		query := b.hooks.requests[0].URL.Query()
		require.Equal(t, "subscribe", query.Get("hub.mode"))
		require.Equal(t, "verify", query.Get("hub.verify_token"))
		require.Regexp(t, `^\d+$`, query.Get("hub.challenge"))
	})
}
