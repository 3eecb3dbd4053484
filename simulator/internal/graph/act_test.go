package graph_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

// last returns the value of the latest webhook.
func last(t *testing.T, b bundle) map[string]any {
	t.Helper()
	synctest.Wait()
	values := b.hooks.values(t)
	return values[len(values)-1]
}

// posts counts the webhooks so far.
func posts(b bundle) int {
	b.hooks.mu.Lock()
	defer b.hooks.mu.Unlock()
	return len(b.hooks.bodies)
}

func lastMessage(t *testing.T, b bundle) map[string]any {
	t.Helper()
	message, ok := last(t, b)["messages"].([]any)
	require.True(t, ok)
	return message[0].(map[string]any)
}

func say(t *testing.T, b bundle, u simulator.Utterance) simulator.Message {
	t.Helper()
	if u.From == "" {
		u.From = customer
	}
	synctest.Wait() // webhooks go concurrently, so what came before goes first
	m, err := b.api.Say(u)
	require.NoError(t, err)
	synctest.Wait()
	return m
}

func TestActs(t *testing.T) {
	t.Parallel()

	t.Run("ReactionsComeAndGo", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			require.Zero(t, code(t, b.post(t, text("hola"))))
			answer := b.store.Messages(chatOfCustomer(), 1)[0]
			for _, emoji := range []string{"👍", ""} {
				m := say(t, b, simulator.Utterance{Kind: "reaction", Target: answer.ID, Emoji: emoji})
				require.Equal(t, emoji, m.Reaction)
				require.Equal(t, map[string]any{"message_id": answer.ID, "emoji": emoji}, lastMessage(t, b)["reaction"])
				require.NotEqual(t, answer.ID, lastMessage(t, b)["id"])
			}
			require.Equal(t, simulator.StateAccepted, b.store.Messages(chatOfCustomer(), 1)[0].State, "a reaction delivers nothing")
		})
	})

	t.Run("EditsAndDeletionsNameTheMessage", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			say(t, b, simulator.Utterance{Kind: "edit", Target: m.ID, Text: "Buenas"})
			require.Equal(t, map[string]any{
				"original_message_id": m.ID, "message": map[string]any{"type": "text", "text": map[string]any{"body": "Buenas"}},
			}, lastMessage(t, b)["edit"])
			file := b.shelf.Put([]byte("x"), "image/png", "")
			photo := say(t, b, simulator.Utterance{Kind: "image", Media: file.ID})
			say(t, b, simulator.Utterance{Kind: "edit", Target: photo.ID, Text: "pie nuevo"})
			image := lastMessage(t, b)["edit"].(map[string]any)["message"].(map[string]any)["image"].(map[string]any)
			require.Equal(t, "pie nuevo", image["caption"])
			say(t, b, simulator.Utterance{Kind: "revoke", Target: m.ID})
			require.Equal(t, map[string]any{"original_message_id": m.ID}, lastMessage(t, b)["revoke"])
			shown := b.store.Messages(chatOfCustomer(), 0)[0]
			require.Equal(t, "Buenas", shown.Text)
			require.True(t, shown.Deleted)
			require.Zero(t, code(t, b.post(t, text("hola"))))
			for _, wrong := range []simulator.Utterance{
				{Kind: "edit", Target: m.ID},
				{Kind: "revoke", Target: "nothing"},
				{Kind: "edit", Target: b.store.Messages(chatOfCustomer(), 2)[0].ID, Text: "no es mío"},
			} {
				wrong.From = customer
				_, err := b.api.Say(wrong)
				require.Error(t, err)
			}
		})
	})

	t.Run("StaffAreEchoed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			m := say(t, b, simulator.Utterance{Staff: true, Text: "Le respondo yo"})
			require.Equal(t, simulator.Outbound, m.Direction)
			require.True(t, m.Author.Staff)
			echo := last(t, b)["message_echoes"].([]any)[0].(map[string]any)
			require.Equal(t, "576012242922", echo["from"])
			require.Equal(t, customer, echo["to"])
			require.Equal(t, userID, echo["to_user_id"])
			require.NotContains(t, echo, "from_user_id")
			require.Contains(t, string(b.hooks.bodies[1]), `"field":"smb_message_echoes"`)
		})
	})

	t.Run("ACustomerWithoutANumberIsAnsweredByUserID", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := say(t, b, simulator.Utterance{From: userID, Text: "Hola"})
			require.NotContains(t, lastMessage(t, b), "from")
			require.Equal(t, userID, lastMessage(t, b)["from_user_id"])
			body := text("hola")
			delete(body, "to")
			body["recipient"] = userID
			require.Zero(t, code(t, b.post(t, body)))
			require.Len(t, b.store.Messages(m.Chat, 0), 2)
		})
	})

	t.Run("ANewNumberIsToldThreeWays", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			synctest.Wait()
			info, err := b.api.Move(simulator.Move{Chat: chatOfCustomer(), Phone: "573009999999", UserID: "CO.9"})
			require.NoError(t, err)
			require.Equal(t, "573009999999", info.User)
			synctest.Wait()
			var kinds []any
			for _, value := range b.hooks.values(t)[1:] {
				if updates, ok := value["user_id_update"].([]any); ok {
					require.Equal(t, map[string]any{"previous": userID, "current": "CO.9"}, updates[0].(map[string]any)["user_id"])
					kinds = append(kinds, "field")
					continue
				}
				require.NotContains(t, value, "contacts")
				message := value["messages"].([]any)[0].(map[string]any)
				system := message["system"].(map[string]any)
				require.Equal(t, "CO.9", system["user_id"])
				if system["type"] == "user_changed_user_id" {
					require.NotContains(t, message, "from")
				}
				kinds = append(kinds, system["type"])
			}
			require.ElementsMatch(t, []any{"user_changed_number", "user_changed_user_id", "field"}, kinds)
			body := text("hola")
			body["to"] = "+573009999999"
			require.Zero(t, code(t, b.post(t, body)), "the window goes with the person")
			_, err = b.api.Move(simulator.Move{Chat: chatOfCustomer(), Phone: "ana"})
			require.Error(t, err)
		})
	})

	t.Run("ContactAndTemplateButtonsArePressed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			for _, part := range []map[string]any{
				contactRequest("request_contact_info"),
				{"type": "template", "template": json.RawMessage(`{"name":"aviso","language":{"code":"es"},"components":[` +
					`{"type":"header","parameters":[{"type":"image","image":{"link":"https://x.example/a.jpg"}}]},` +
					`{"type":"body","parameters":[{"type":"text","text":"Ana"}]},` +
					`{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"SEGUIR"}]}]}`)},
			} {
				body := text("")
				for key, value := range part {
					body[key] = value
				}
				require.Zero(t, code(t, b.post(t, body)))
				messages := b.store.Messages(chatOfCustomer(), 0)
				shown := messages[len(messages)-1]
				synctest.Wait()
				_, err := b.api.Press(simulator.Press{Chat: shown.Chat, Message: shown.ID, Data: shown.Buttons[0][0].Data})
				require.NoError(t, err)
				message := lastMessage(t, b)
				require.Equal(t, shown.ID, message["context"].(map[string]any)["id"])
				if contacts, ok := message["contacts"].([]any); ok {
					require.Equal(t, "contact_request", contacts[0].(map[string]any)["origin"])
					continue
				}
				require.Equal(t, map[string]any{"payload": "SEGUIR", "text": "SEGUIR"}, message["button"])
				require.Equal(t, "aviso (es) · Ana", shown.Text)
				require.Equal(t, "https://x.example/a.jpg", shown.Media.Link)
			}
		})
	})
}

func TestTemplateRefusals(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		b.greet(t)
		for components, want := range map[string]int{
			`[{"type":"footer"}]`:                                                                       100,
			`[{"type":"button","parameters":[]}]`:                                                       100,
			`[{"type":"body","parameters":[{"type":"text"}]}]`:                                          100,
			`[{"type":"body","parameters":[{"type":"pigeon"}]}]`:                                        100,
			`[{"type":"body","parameters":[{"type":"image","image":{"link":"https://x.co"}}]}]`:         100,
			`[{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]}]`:                    131009,
			`[{"type":"HEADER","parameters":[{"type":"document","document":{"link":"https://x.co"}}]}]`: 0,
			`[{"type":"button","sub_type":"url","index":0,"parameters":[{"type":"text","text":"a"}]}]`:  0,
		} {
			body := text("")
			body["type"] = "template"
			body["template"] = json.RawMessage(`{"name":"a","language":{"code":"es"},"components":` + components + `}`)
			require.Equal(t, want, code(t, b.post(t, body)), components)
		}
	})
}

func TestOrderAndBatches(t *testing.T) {
	t.Parallel()
	order := func(t *testing.T, b bundle, f simulator.Fault) {
		t.Helper()
		_, err := b.faults.Add(f)
		require.NoError(t, err)
	}
	texts := func(t *testing.T, b bundle) []string {
		t.Helper()
		synctest.Wait()
		var all []string
		for _, value := range b.hooks.values(t) {
			message := value["messages"].([]any)[0].(map[string]any)
			all = append(all, message["text"].(map[string]any)["body"].(string))
		}
		return all
	}

	t.Run("TheNextOvertakesTheReordered", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			order(t, b, simulator.Fault{Kind: simulator.FaultWebhookReorder})
			say(t, b, simulator.Utterance{Text: "uno"})
			say(t, b, simulator.Utterance{Text: "dos"})
			require.Equal(t, []string{"dos", "uno"}, texts(t, b))
		})
	})

	t.Run("TheReorderedComesAloneWhenNothingFollows", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			order(t, b, simulator.Fault{Kind: simulator.FaultWebhookReorder})
			say(t, b, simulator.Utterance{Text: "uno"})
			require.Empty(t, texts(t, b))
			<-time.After(6 * time.Second)
			require.Equal(t, []string{"uno"}, texts(t, b))
		})
	})

	t.Run("ABatchGoesOutWhenFullOrOld", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			order(t, b, simulator.Fault{Kind: simulator.FaultWebhookBatch, Copies: 3, Count: 5})
			for _, word := range []string{"a", "b", "c", "d", "e"} {
				say(t, b, simulator.Utterance{Text: word})
			}
			require.Equal(t, []string{"a", "b", "c"}, texts(t, b))
			require.Equal(t, 1, posts(b))
			<-time.After(2 * time.Second)
			require.Len(t, texts(t, b), 5)
			require.Equal(t, 2, posts(b))
			for _, m := range b.store.Messages(chatOfCustomer(), 0) {
				require.Equal(t, simulator.StateDelivered, m.State)
			}
		})
	})

	t.Run("ThePhoneIsMissingOnce", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			order(t, b, simulator.Fault{Kind: simulator.FaultPhoneMissing})
			b.greet(t)
			require.NotContains(t, lastMessage(t, b), "from")
			synctest.Wait()
			b.greet(t)
			require.Equal(t, customer, lastMessage(t, b)["from"])
		})
	})

	t.Run("StatusesComeBackwards", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			synctest.Wait()
			order(t, b, simulator.Fault{Kind: simulator.FaultStatusReorder})
			require.Zero(t, code(t, b.post(t, text("hola"))))
			<-time.After(time.Minute)
			synctest.Wait()
			var names []any
			for _, value := range b.hooks.values(t)[1:] {
				names = append(names, value["statuses"].([]any)[0].(map[string]any)["status"])
			}
			require.Equal(t, []any{"read", "delivered", "sent"}, names)
		})
	})
}
