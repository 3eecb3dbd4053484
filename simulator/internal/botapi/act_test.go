package botapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

const groupID = "-1001234567890"

// act lets the customer do something and returns the update that tells of it.
func act(t *testing.T, b bundle, u simulator.Utterance) (simulator.Message, object) {
	t.Helper()
	before := len(b.hooks.updates(t))
	if u.From == "" {
		u.From = user
	}
	m, err := b.api.Say(u)
	require.NoError(t, err)
	updates := b.hooks.updates(t)
	require.Greater(t, len(updates), before)
	return m, updates[len(updates)-1]
}

func inGroup(text string) simulator.Utterance {
	return simulator.Utterance{
		Text: text, Person: simulator.Person{Name: "Ana Ñúñez"}, Group: &simulator.Group{ID: groupID, Title: "Clientes"},
	}
}

func ok(t *testing.T, b bundle, method string, args object) object {
	t.Helper()
	w := b.call(t, method, args)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	result, _ := decoded(t, w)["result"].(object)
	return result
}

func refusal(t *testing.T, b bundle, method string, args object) any {
	t.Helper()
	return decoded(t, b.call(t, method, args))["description"]
}

func TestCustomersActs(t *testing.T) {
	t.Parallel()

	t.Run("EditsCarryTheSameNumber", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			_, update := act(t, b, simulator.Utterance{Kind: "edit", Target: m.ID, Text: "Buenas"})
			edited := update["edited_message"].(object)
			require.Equal(t, "Buenas", edited["text"])
			require.Equal(t, b.hooks.updates(t)[0]["message"].(object)["message_id"], edited["message_id"])
			require.Contains(t, edited, "edit_date")
		})
	})

	t.Run("ReactionsReachBotsThatAskForThem", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			react := simulator.Utterance{From: user, Kind: "reaction", Target: m.ID, Emoji: "👍"}
			_, err := b.api.Say(react)
			require.NoError(t, err)
			require.Len(t, b.hooks.updates(t), 1)
			b.call(t, "setWebhook", object{"url": "http://127.0.0.1:9000/", "allowed_updates": []string{"message_reaction"}})
			react.Emoji = ""
			_, update := act(t, b, react)
			reaction := update["message_reaction"].(object)
			require.Equal(t, []any{object{"type": "emoji", "emoji": "👍"}}, reaction["old_reaction"])
			require.Equal(t, []any{}, reaction["new_reaction"])
		})
	})

	t.Run("AlbumsQuotesAndForwards", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.say(t, "¿👍 y el envío?")
			file := b.shelf.Put([]byte("x"), "image/png", "")
			for range 2 {
				_, update := act(t, b, simulator.Utterance{Kind: "photo", Media: file.ID, Album: "77"})
				require.Equal(t, "77", update["message"].(object)["media_group_id"])
			}
			_, update := act(t, b, simulator.Utterance{Text: "eso", ReplyTo: m.ID, Quote: "el envío", Forwarded: true})
			message := update["message"].(object)
			require.Equal(t, object{"text": "el envío", "position": 6.0, "is_manual": true}, message["quote"])
			require.Equal(t, "hidden_user", message["forward_origin"].(object)["type"])
		})
	})

	t.Run("WhatCannotBeIsRefused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			for _, wrong := range []simulator.Utterance{
				{Kind: "edit", Target: m.ID},
				{Kind: "edit", Target: "1", Text: "a"},
				{Kind: "revoke", Target: "1"},
				{Kind: "stop"},
				{Kind: "migrate"},
				{Text: "a", Staff: true},
				{Text: "a", Group: &simulator.Group{ID: "7"}},
				{Text: "a", Business: "a:b"},
				{Kind: "reaction", Target: "1", Emoji: "👍"},
				{Text: "a", Extra: json.RawMessage(`[]`)},
			} {
				wrong.From = user
				_, err := b.api.Say(wrong)
				require.Error(t, err)
			}
		})
	})
}

func TestDrafts(t *testing.T) {
	t.Parallel()

	t.Run("LiveThirtySecondsOrUntilTheMessage", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			draft := func() *simulator.Draft {
				info, _ := b.store.Info(m.Chat)
				return info.Draft
			}
			require.Equal(t, http.StatusOK, b.call(t, "sendMessageDraft", object{"chat_id": user, "draft_id": 7, "text": "<b>Abri", "parse_mode": ""}).Code)
			require.Equal(t, "<b>Abri", draft().Text)
			require.Equal(t, 30*time.Second, time.Until(draft().Until))
			require.Equal(t, http.StatusOK, b.call(t, "sendMessageDraft", object{"chat_id": user, "draft_id": 7}).Code, "an empty one means thinking")
			ok(t, b, "sendMessage", message("Abrimos a las 9"))
			require.Nil(t, draft())
			act(t, b, inGroup("hola"))
			require.Contains(t, refusal(t, b, "sendMessageDraft", object{"chat_id": groupID, "draft_id": 7}), "private chat")
		})
	})

	t.Run("CanBeStoppedIfTheBotAllowsIt", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			b.call(t, "sendMessageDraft", object{"chat_id": user, "draft_id": 7, "text": "Abri", "can_stop": true})
			_, update := act(t, b, simulator.Utterance{Kind: "stop"})
			require.Equal(t, 7.0, update["stopped_message_generation"].(object)["draft_id"])
			<-time.After(31 * time.Second)
			_, err := b.api.Say(simulator.Utterance{From: user, Kind: "stop"})
			require.Error(t, err, "it is gone")
		})
	})
}

func TestReplyKeyboards(t *testing.T) {
	t.Parallel()
	keyboard := object{"keyboard": []any{[]any{"Sí", object{"text": "Mi número", "request_contact": true}}}}

	t.Run("ButtonsSayTheirTextOrShareTheNumber", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			args := message("Elija")
			args["reply_markup"] = keyboard
			require.NotContains(t, ok(t, b, "sendMessage", args), "reply_markup")
			shown := b.shown()[1]
			for _, caption := range []string{"Sí", "Mi número"} {
				_, err := b.api.Press(simulator.Press{Chat: shown.Chat, Message: shown.ID, Data: caption})
				require.NoError(t, err)
			}
			updates := b.hooks.updates(t)
			require.Equal(t, "Sí", updates[1]["message"].(object)["text"])
			require.Equal(t, object{
				"phone_number": "+573123456789", "first_name": "Ana", "last_name": "Ñúñez", "user_id": 8123456789.0,
			}, updates[2]["message"].(object)["contact"])
			info, _ := b.store.Info(shown.Chat)
			require.Len(t, info.Keyboard, 1)
			args["reply_markup"] = object{"remove_keyboard": true}
			ok(t, b, "sendMessage", args)
			info, _ = b.store.Info(shown.Chat)
			require.Empty(t, info.Keyboard)
		})
	})

	t.Run("WrongOnesAreRefused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			act(t, b, inGroup("hola"))
			args := object{"chat_id": groupID, "text": "Elija", "reply_markup": keyboard}
			require.Equal(t, "Bad Request: phone number can be requested in private chats only", refusal(t, b, "sendMessage", args))
			for _, wrong := range []any{"a", []any{"a"}, []any{[]any{object{"text": ""}}}} {
				args["chat_id"], args["reply_markup"] = user, object{"keyboard": wrong}
				require.Contains(t, refusal(t, b, "sendMessage", args), "can't parse keyboard")
			}
			ok(t, b, "sendMessage", message("uno"))
			shown := b.shown()
			args["message_id"], args["reply_markup"] = shown[len(shown)-1].ID, keyboard
			require.Equal(t, "Bad Request: inline keyboard expected", refusal(t, b, "editMessageText", args))
		})
	})
}

func TestReactionsOfTheBot(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		m := b.greet(t)
		emoji := func(e string) object { return object{"type": "emoji", "emoji": e} }
		args := object{"chat_id": user, "message_id": m.ID}
		for _, e := range []string{"👍", "❤‍🔥", "🤷‍♀"} {
			args["reaction"] = []any{emoji(e)}
			require.Equal(t, http.StatusOK, b.call(t, "setMessageReaction", args).Code, e)
		}
		args["reaction"] = []any{emoji("🦖")}
		require.Equal(t, "Bad Request: REACTION_INVALID", refusal(t, b, "setMessageReaction", args))
		args["reaction"] = []any{emoji("👍"), emoji("❤")}
		require.Equal(t, "Bad Request: REACTIONS_TOO_MANY", refusal(t, b, "setMessageReaction", args))
	})
}

func TestKindsOfFiles(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		b.greet(t)
		file := b.shelf.Put([]byte("x"), "video/mp4", "a.mp4")
		for method, kind := range map[string]string{
			"sendPhoto": "photo", "sendVideo": "video", "sendAudio": "audio", "sendVoice": "voice", "sendDocument": "document",
			"sendSticker": "sticker", "sendAnimation": "animation", "sendVideoNote": "video_note",
		} {
			for _, source := range []string{file.ID, "https://x.example/a.mp4"} {
				sent := ok(t, b, method, object{"chat_id": user, kind: source, "caption": "mire"})
				part, isObject := sent[kind].(object)
				if list, isList := sent[kind].([]any); isList {
					part, isObject = list[0].(object), true
				}
				require.True(t, isObject, method)
				require.NotEmpty(t, part["file_id"], method)
			}
			require.Contains(t, refusal(t, b, method, object{"chat_id": user, kind: "1"}), "wrong file identifier")
			require.Equal(t, http.StatusBadRequest, b.call(t, method, object{"chat_id": user}).Code)
		}
	})
}

func TestFileFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault       simulator.Fault
		known       bool
		status      int
		description any
	}{
		"Gone":            {simulator.Fault{Kind: simulator.FaultMediaGone}, false, 0, "Bad Request: wrong file_id or the file is temporarily unavailable"},
		"GoneAtDownload":  {simulator.Fault{Kind: simulator.FaultMediaGone, Method: "download"}, true, 404, nil},
		"LinkDeadAtOnce":  {simulator.Fault{Kind: simulator.FaultMediaExpired}, true, 404, nil},
		"OtherBytes":      {simulator.Fault{Kind: simulator.FaultMediaCorrupt, Method: "download"}, true, 200, nil},
		"ServerErrorOfIt": {simulator.Fault{Kind: simulator.FaultBadGateway, Method: "download"}, true, 502, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, b bundle) {
				file := b.shelf.Put([]byte("sound"), "audio/ogg", "a.ogg")
				_, err := b.faults.Add(c.fault)
				require.NoError(t, err)
				w := b.call(t, "getFile", object{"file_id": file.ID})
				require.Equal(t, c.description, decoded(t, w)["description"])
				if !c.known {
					return
				}
				path, _ := decoded(t, w)["result"].(object)["file_path"].(string)
				w = b.serve(httptest.NewRequest(http.MethodGet, "/file/bot"+token+"/"+path, nil))
				require.Equal(t, c.status, w.Code)
				require.NotEqual(t, "sound", w.Body.String())
			})
		})
	}
}
