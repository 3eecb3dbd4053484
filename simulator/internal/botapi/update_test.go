package botapi_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

func TestUpdates(t *testing.T) {
	t.Parallel()

	t.Run("CarryTheSecretAndRisingNumbersInOrder", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.hooks.answer(http.StatusServiceUnavailable)
			for i := range 5 {
				b.say(t, strconv.Itoa(i))
			}
			synctest.Wait()
			b.hooks.answer(http.StatusOK)
			<-time.After(time.Minute)
			updates := b.hooks.updates(t)
			updates = updates[len(updates)-5:]
			for i, u := range updates {
				require.Equal(t, strconv.Itoa(i), u["message"].(object)["text"])
				require.Equal(t, updates[0]["update_id"].(float64)+float64(i), u["update_id"])
			}
			require.Equal(t, "s3cret", b.hooks.headers[0].Get("X-Telegram-Bot-Api-Secret-Token"))
			require.Equal(t, simulator.StateDelivered, b.shown()[4].State)
		})
	})

	t.Run("HaveTheShapeOfThePlatform", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.say(t, "/start promo")
			id, err := strconv.ParseFloat(m.ID, 64)
			require.NoError(t, err)
			require.Equal(t, object{
				"message_id": id, "date": float64(m.Time.Unix()), "text": "/start promo",
				"entities": []any{object{"type": "bot_command", "offset": 0.0, "length": 6.0}},
				"from": object{
					"id": 8123456789.0, "is_bot": false, "first_name": "Ana", "last_name": "Ñúñez", "username": "ana_prueba", "language_code": "es",
				},
				"chat": object{"id": 8123456789.0, "type": "private", "first_name": "Ana", "last_name": "Ñúñez", "username": "ana_prueba"},
			}, b.hooks.updates(t)[0]["message"])
		})
	})

	t.Run("APressIsAnsweredOnceAndInTime", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			args := message("Elige")
			args["reply_markup"] = object{"inline_keyboard": []any{[]any{object{"text": "Opción 1", "callback_data": "opt1"}}}}
			require.Equal(t, http.StatusOK, b.call(t, "sendMessage", args).Code)
			menu := b.shown()[1]
			press := func() any {
				before := len(b.hooks.updates(t))
				_, err := b.api.Press(simulator.Press{Chat: menu.Chat, Message: menu.ID, Data: "opt1"})
				require.NoError(t, err)
				query := b.hooks.updates(t)[before]["callback_query"].(object)
				require.Equal(t, "opt1", query["data"])
				require.Equal(t, "Elige", query["message"].(object)["text"])
				return query["id"]
			}
			answer := object{"callback_query_id": press(), "text": "Recibido"}
			require.Equal(t, http.StatusOK, b.call(t, "answerCallbackQuery", answer).Code)
			require.Equal(t, http.StatusBadRequest, b.call(t, "answerCallbackQuery", answer).Code)
			events, _ := b.store.Events().Since(0)
			require.Equal(t, "Recibido", events[len(events)-1].Text)
			answer["callback_query_id"] = press()
			<-time.After(6 * time.Minute)
			require.Equal(t, http.StatusBadRequest, b.call(t, "answerCallbackQuery", answer).Code)
			_, err := b.api.Press(simulator.Press{Chat: menu.Chat, Message: menu.ID, Data: "opt2"})
			require.Error(t, err, "there is no such button")
		})
	})

	t.Run("BlockingIsToldAndEndsTheTalk", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			synctest.Wait()
			blocked := true
			_, err := b.api.OpenPhone(m.Chat, simulator.Phone{Blocked: &blocked})
			require.NoError(t, err)
			member := b.hooks.updates(t)[1]["my_chat_member"].(object)
			require.Equal(t, "kicked", member["new_chat_member"].(object)["status"])
			w := b.call(t, "sendMessage", message("hola"))
			require.Equal(t, "Forbidden: bot was blocked by the user", decoded(t, w)["description"])
		})
	})

	t.Run("SendsEveryKind", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			synctest.Wait()
			file := b.shelf.Put([]byte("sound"), "audio/ogg", "nota.ogg")
			for _, u := range []simulator.Utterance{
				{From: user, Kind: "voice", Media: file.ID},
				{From: user, Kind: "photo", Media: file.ID, Text: "mira"},
				{From: user, Kind: "location", Body: []byte(`{"latitude":4.7,"longitude":-74}`)},
				{From: user, Text: "por qué", ReplyTo: m.ID},
			} {
				_, err := b.api.Say(u)
				require.NoError(t, err)
			}
			updates := b.hooks.updates(t)[1:]
			part := func(i int, name string) any { return updates[i]["message"].(object)[name] }
			require.Equal(t, file.ID, part(0, "voice").(object)["file_id"])
			require.Equal(t, "mira", part(1, "caption"))
			require.Equal(t, file.ID, part(1, "photo").([]any)[0].(object)["file_id"])
			require.Equal(t, object{"latitude": 4.7, "longitude": -74.0}, part(2, "location"))
			require.Equal(t, "Hola", part(3, "reply_to_message").(object)["text"])
			for _, wrong := range []simulator.Utterance{{From: user}, {From: "ana", Text: "a"}, {From: user, Kind: "voice"}, {From: user, Kind: "poll"}} {
				_, err := b.api.Say(wrong)
				require.Error(t, err)
			}
		})
	})
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	info := func(t *testing.T, b bundle) object {
		t.Helper()
		return decoded(t, b.call(t, "getWebhookInfo", nil))["result"].(object)
	}

	t.Run("UpdatesWaitForItAndComeAtOnceWhenItIsSet", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			require.Equal(t, "Webhook was deleted", decoded(t, b.call(t, "deleteWebhook", nil))["description"])
			b.greet(t)
			synctest.Wait()
			require.Equal(t, object{"url": "", "has_custom_certificate": false, "pending_update_count": 1.0}, info(t, b))
			require.Empty(t, b.hooks.updates(t))
			<-time.After(10 * time.Second)
			b.call(t, "setWebhook", object{"url": "http://127.0.0.1:9000/x", "secret_token": "new"})
			require.Len(t, b.hooks.updates(t), 1)
			require.Equal(t, "new", b.hooks.headers[0].Get("X-Telegram-Bot-Api-Secret-Token"))
		})
	})

	t.Run("OnceASecondAndNoOftener", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			args := object{"url": "https://bot.example.com/"}
			require.Equal(t, http.StatusOK, b.call(t, "setWebhook", args).Code)
			require.Equal(t, http.StatusTooManyRequests, b.call(t, "setWebhook", args).Code)
			<-time.After(time.Second)
			require.Equal(t, "Webhook is already set", decoded(t, b.call(t, "setWebhook", args))["description"])
		})
	})

	t.Run("OnlyAllowedKindsAreDelivered", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.call(t, "setWebhook", object{"url": "http://127.0.0.1:9000/", "allowed_updates": []string{"callback_query", "nonsense"}})
			require.Equal(t, []any{"callback_query"}, info(t, b)["allowed_updates"])
			b.greet(t)
			require.Empty(t, b.hooks.updates(t))
			<-time.After(time.Second)
			b.call(t, "setWebhook", object{"url": "http://127.0.0.1:9000/"})
			require.Equal(t, []any{"callback_query"}, info(t, b)["allowed_updates"], "an absent list keeps the old one")
			<-time.After(time.Second)
			b.call(t, "setWebhook", object{"url": "http://127.0.0.1:9000/", "allowed_updates": []string{}})
			require.NotContains(t, info(t, b), "allowed_updates")
		})
	})

	t.Run("PendingUpdatesCanBeDropped", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.hooks.answer(http.StatusServiceUnavailable)
			b.greet(t)
			synctest.Wait()
			for range 3 {
				b.greet(t)
			}
			require.EqualValues(t, 4, info(t, b)["pending_update_count"])
			b.call(t, "deleteWebhook", object{"drop_pending_updates": true})
			require.EqualValues(t, 1, info(t, b)["pending_update_count"], "the one that is being tried is not undone")
		})
	})

	t.Run("RawBodiesGoAsTheyAre", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			for _, c := range []struct {
				signature simulator.Signature
				want      string
			}{{"", "s3cret"}, {simulator.SignatureMissing, ""}, {simulator.SignatureWrong, "s3cret-wrong"}} {
				answer, err := b.api.Raw(t.Context(), simulator.Raw{Signature: c.signature}, []byte("{"))
				require.NoError(t, err)
				require.True(t, answer.Accepted)
				last := len(b.hooks.bodies) - 1
				require.Equal(t, "{", b.hooks.bodies[last])
				require.Equal(t, c.want, b.hooks.headers[last].Get("X-Telegram-Bot-Api-Secret-Token"))
			}
		})
	})
}

func TestFiles(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		b.greet(t)
		var form bytes.Buffer
		writer := multipart.NewWriter(&form)
		require.NoError(t, writer.WriteField("chat_id", user))
		require.NoError(t, writer.WriteField("caption", "<i>el</i> menú"))
		require.NoError(t, writer.WriteField("parse_mode", "HTML"))
		part, err := writer.CreateFormFile("document", "menú.pdf")
		require.NoError(t, err)
		_, err = part.Write([]byte("%PDF"))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		r := httptest.NewRequest(http.MethodPost, "/bot"+token+"/sendDocument", &form)
		r.Header.Set("Content-Type", writer.FormDataContentType())
		sent := decoded(t, b.serve(r))["result"].(object)
		require.Equal(t, "el menú", sent["caption"])
		document := sent["document"].(object)
		require.Equal(t, "menú.pdf", document["file_name"])

		got := decoded(t, b.call(t, "getFile", object{"file_id": document["file_id"]}))["result"].(object)
		path, _ := got["file_path"].(string)
		w := b.serve(httptest.NewRequest(http.MethodGet, "/file/bot"+token+"/"+path, nil))
		require.Equal(t, "%PDF", w.Body.String())
		require.Equal(t, http.StatusNotFound, b.serve(httptest.NewRequest(http.MethodGet, "/file/bot1:a/"+path, nil)).Code)
		big := b.shelf.Put(make([]byte, 20<<20+1), "video/mp4", "big.mp4")
		require.Equal(t, "Bad Request: file is too big", decoded(t, b.call(t, "getFile", object{"file_id": big.ID}))["description"])
	})
}

func TestEditing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		asked := b.greet(t)
		b.call(t, "sendMessage", message("uno"))
		m := b.shown()[1]
		edit := func(id, text string) *httptest.ResponseRecorder {
			args := message(text)
			args["message_id"] = id
			return b.call(t, "editMessageText", args)
		}
		require.Equal(t, http.StatusOK, edit(m.ID, "dos").Code)
		changed := b.shown()[1]
		require.Equal(t, "dos", changed.Text)
		require.False(t, changed.EditTime.IsZero())
		require.Equal(t, http.StatusBadRequest, edit(m.ID, "dos").Code, "nothing changes")
		require.Equal(t, "Bad Request: message can't be edited", decoded(t, edit(asked.ID, "tres"))["description"])
		keyboard := object{"inline_keyboard": []any{[]any{object{"text": "web", "url": "https://laceiba.example/"}}}}
		withButton := object{"chat_id": user, "message_id": m.ID, "reply_markup": keyboard}
		require.Equal(t, http.StatusOK, b.call(t, "editMessageReplyMarkup", withButton).Code)
		require.Equal(t, "https://laceiba.example/", b.shown()[1].Buttons[0][0].URL)
		require.Equal(t, http.StatusOK, b.call(t, "editMessageReplyMarkup", object{"chat_id": user, "message_id": m.ID}).Code)
		require.Empty(t, b.shown()[1].Buttons)
		require.Equal(t, http.StatusOK, b.call(t, "setMyCommands", object{"commands": []any{}}).Code)
		reaction := object{"chat_id": user, "message_id": asked.ID, "reaction": []any{object{"type": "emoji", "emoji": "👍"}}}
		require.Equal(t, http.StatusOK, b.call(t, "setMessageReaction", reaction).Code)
		require.Equal(t, []string{"👍"}, b.shown()[0].Reactions)
	})
}
