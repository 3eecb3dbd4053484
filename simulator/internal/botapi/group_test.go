package botapi_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

func TestGroups(t *testing.T) {
	t.Parallel()

	t.Run("MembersWriteAndTheBotAnswers", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m, update := act(t, b, inGroup("/ayuda@knobot_test_bot y @knobot_test_bot 👍"))
			message := update["message"].(object)
			require.Equal(t, object{"id": -1001234567890.0, "type": "supergroup", "title": "Clientes"}, message["chat"])
			require.Equal(t, "Ana", message["from"].(object)["first_name"])
			require.Equal(t, []any{
				object{"type": "bot_command", "offset": 0.0, "length": 22.0}, object{"type": "mention", "offset": 25.0, "length": 16.0},
			}, message["entities"])
			answer := ok(t, b, "sendMessage", object{"chat_id": groupID, "text": "hola", "reply_parameters": object{"message_id": json.Number(m.ID)}})
			reply := inGroup("gracias")
			reply.ReplyTo = b.store.Messages(m.Chat, 0)[1].ID
			_, update = act(t, b, reply)
			require.Equal(t, answer["message_id"], update["message"].(object)["reply_to_message"].(object)["message_id"])
			require.Equal(t, true, update["message"].(object)["reply_to_message"].(object)["from"].(object)["is_bot"])
		})
	})

	t.Run("TopicsAreThreads", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			u := inGroup("hola")
			u.Group.Thread = 7
			_, update := act(t, b, u)
			message := update["message"].(object)
			require.Equal(t, 7.0, message["message_thread_id"])
			require.Equal(t, true, message["is_topic_message"])
			require.Equal(t, true, message["chat"].(object)["is_forum"])
			sent := ok(t, b, "sendMessage", object{"chat_id": groupID, "text": "hola", "message_thread_id": 7})
			require.Equal(t, 7.0, sent["message_thread_id"])
			b.greet(t)
			args := object{"chat_id": user, "text": "hola", "message_thread_id": 7}
			require.Equal(t, "Bad Request: message thread not found", refusal(t, b, "sendMessage", args))
		})
	})

	t.Run("MigrationIsToldAndHolds", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			u := inGroup("hola")
			u.Group.ID = "-100200300"
			act(t, b, u)
			u.Kind, u.Target = "migrate", "-1009876543210"
			act(t, b, u)
			var to, from any
			for _, update := range b.hooks.updates(t)[1:] { // two chats, whose order is not promised
				message := update["message"].(object)
				if id, ok := message["migrate_to_chat_id"]; ok {
					to = id
				} else {
					from = message["migrate_from_chat_id"]
				}
			}
			require.Equal(t, []any{-1009876543210.0, -100200300.0}, []any{to, from})
			require.Equal(t, object{
				"ok": false, "error_code": 400.0, "description": "Bad Request: group chat was upgraded to a supergroup chat",
				"parameters": object{"migrate_to_chat_id": -1009876543210.0},
			}, decoded(t, b.call(t, "sendMessage", object{"chat_id": -100200300, "text": "hola"})))
			ok(t, b, "sendMessage", object{"chat_id": -1009876543210, "text": "hola"})
		})
	})

	t.Run("ARemovedBotIsKicked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m, _ := act(t, b, inGroup("hola"))
			blocked := true
			_, err := b.api.OpenPhone(m.Chat, simulator.Phone{Blocked: &blocked})
			require.NoError(t, err)
			require.Equal(t, "Forbidden: bot was kicked from the supergroup chat", refusal(t, b, "sendMessage", object{"chat_id": groupID, "text": "a"}))
			require.Contains(t, b.hooks.updates(t)[1], "my_chat_member")
		})
	})
}

func TestBusinessChats(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		connection := simulator.Connection{ID: "bc_1", Owner: "9000000001", Name: "La Ceiba"}
		_, err := b.api.Connect(connection)
		require.NoError(t, err)
		told := b.hooks.updates(t)[0]["business_connection"].(object)
		require.Equal(t, true, told["is_enabled"])
		require.Equal(t, object{"can_reply": true, "can_read_messages": true}, told["rights"])

		m, update := act(t, b, simulator.Utterance{Text: "hola negocio", Business: "bc_1", Person: simulator.Person{Name: "Ana"}})
		require.Equal(t, "bc_1", update["business_message"].(object)["business_connection_id"])
		args := object{"chat_id": user, "text": "hola", "business_connection_id": "bc_1"}
		sent := ok(t, b, "sendMessage", args)
		require.Equal(t, 9000000001.0, sent["from"].(object)["id"], "in the owner's name")
		require.Equal(t, 7000000001.0, sent["sender_business_bot"].(object)["id"])
		_, update = act(t, b, simulator.Utterance{Text: "le respondo yo", Business: "bc_1", Staff: true})
		require.Equal(t, 9000000001.0, update["business_message"].(object)["from"].(object)["id"])
		require.Equal(t, 8123456789.0, update["business_message"].(object)["chat"].(object)["id"])
		_, update = act(t, b, simulator.Utterance{Kind: "edit", Target: m.ID, Text: "hola", Business: "bc_1"})
		require.Contains(t, update, "edited_business_message")
		_, update = act(t, b, simulator.Utterance{Kind: "revoke", Target: m.ID, Business: "bc_1"})
		require.Len(t, update["deleted_business_messages"].(object)["message_ids"], 1)

		require.Equal(t, "Bad Request: chat not found", refusal(t, b, "sendMessage", message("hola")), "the bot itself knows no such chat")
		connection.ReadOnly = true
		_, err = b.api.Connect(connection)
		require.NoError(t, err)
		require.Contains(t, refusal(t, b, "sendMessage", args), "not enough rights")
		connection.Disabled = true
		_, err = b.api.Connect(connection)
		require.NoError(t, err)
		require.Equal(t, "Bad Request: business connection not found", refusal(t, b, "sendMessage", args))
	})
}

func TestAPressInAGroupIsAMembers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		m, _ := act(t, b, inGroup("hola"))
		args := object{"chat_id": groupID, "text": "Elija", "reply_markup": object{"inline_keyboard": []any{[]any{object{"text": "Sí", "callback_data": "y"}}}}}
		ok(t, b, "sendMessage", args)
		menu := b.store.Messages(m.Chat, 0)[1]
		_, err := b.api.Press(simulator.Press{Chat: m.Chat, Message: menu.ID, Data: "y", From: user})
		require.NoError(t, err)
		synctest.Wait()
		updates := b.hooks.updates(t)
		query := updates[len(updates)-1]["callback_query"].(object)
		require.Equal(t, "Ana", query["from"].(object)["first_name"])
		require.Equal(t, -1001234567890.0, query["message"].(object)["chat"].(object)["id"])
	})
}
