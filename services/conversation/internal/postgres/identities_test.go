package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// notice is the provider's news about ids.
func (b *bundle) notice(kind conversation.IdentityChangeKind, old, current string) conversation.Arrival {
	return b.event("notice", &conversation.IdentityChange{Kind: kind, OldID: old, NewID: current})
}

// ofBot makes an event one of the Telegram bot's.
func ofBot(a conversation.Arrival) conversation.Arrival {
	a.Event.Integration, a.Integration = bot, conversation.DefaultIntegration(bot, conversation.Telegram)
	return a
}

// user returns the one user that a condition holds for.
func (b *bundle) user(where string) (id string) {
	b.t.Helper()
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), "select id from users where "+where).Scan(&id))
	return id
}

func TestNumbersWrittenInTwoWays(t *testing.T) {
	t.Parallel()

	t.Run("AreOneUserAndAnsweredAsGivenLast", func(t *testing.T) {
		t.Parallel()
		for _, forms := range [][2]string{
			{"5491112345678", "541112345678"}, {"5215512345678", "525512345678"}, {"5511987654321", "551187654321"},
		} {
			b := setup(t)
			for _, phone := range []string{forms[0], forms[1], forms[0], forms[1]} {
				b.receive(b.says("hola", from("", phone)))
				turn := b.claimOne()
				require.Equal(t, phone, turn.Address.PhoneNumber)
				b.finish(turn, b.checkpoint(turn, "respuesta"))
			}
			require.Equal(t, 1, b.count("users"))
			require.Equal(t, 1, b.count("conversations"))
		}
	})

	t.Run("AreOneUserWithinOneBodyAndAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno", from("", "5491112345678")), b.says("dos", from("AR.ana", "541112345678")), b.says("tres", from("", "5491112345678")))
		require.Equal(t, 1, b.count("users where external_id = 'AR.ana' and phone = '5491112345678'"))
		require.Equal(t, 1, b.count("users"))
	})

	t.Run("LookAlikesStayApart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, phone := range []string{"5511934567890", "551134567890", "573001234567", "57301234567", "54911123456789", "549111234567"} {
			b.receive(b.says("hola", from("", phone)))
		}
		require.Equal(t, 6, b.count("users"))
	})

	t.Run("TheDatabaseHasTheSameRule", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, phone := range []string{
			"5491112345678", "541112345678", "5215512345678", "525512345678", "5511987654321", "551187654321", "5511934567890",
			"5501987654321", "5510987654321", "573001234567", "15550001111", "CO.549", "549111234567", "54911123456789", "5219", "55119",
		} {
			b.exec(`delete from users`)
			b.exec(`insert into users (integration_id, platform, username, phone) values ('wa-1', 'whatsapp', $1, $1)`, phone)
			var key string
			require.NoError(t, b.pool.QueryRow(t.Context(), `select phone_key from users`).Scan(&key))
			require.Equal(t, conversation.PhoneKey(phone), key, phone)
		}
	})

	t.Run("NoticeOfANewFormIsNoNewNumber", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("AR.ana", "541112345678")))
		b.receive(b.notice(conversation.PhoneNumberChanged, "541112345678", "5491112345678"))
		require.Equal(t, 1, b.count("users where phone = '5491112345678'"))
		require.Equal(t, "5491112345678", b.claimOne().Address.PhoneNumber)
	})
}

func TestAnswersGoToTheIDGivenLast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ bsuid, phone, wantPhone string }{
		{"CO.ana", "573001234567", "573001234567"},
		{"CO.ana", "", ""}, // the number is hidden now, and may be somebody else's one day
		{"CO.ana", "", ""},
		{"CO.ana", "573001234567", "573001234567"},
		{"CO.ana", "573009999999", "573009999999"},
		{"", "573009999999", "573009999999"},
	} {
		b.receive(b.says("hola", from(c.bsuid, c.phone)))
		turn := b.claimOne()
		require.Equal(t, conversation.Address{UserID: "CO.ana", PhoneNumber: c.wantPhone}, turn.Address)
		b.finish(turn, b.checkpoint(turn, "respuesta"))
	}
	require.Equal(t, 1, b.count("users"))
}

func TestNotices(t *testing.T) {
	t.Parallel()

	t.Run("OneRotationIsToldTwiceInEitherOrder", func(t *testing.T) {
		t.Parallel()
		for _, first := range []string{"system", "user_id_update"} {
			b := setup(t)
			b.receive(b.says("hola", from("CO.a", "573001111111")))
			who := b.user("external_id = 'CO.a'")
			system := []conversation.Arrival{
				b.notice(conversation.PhoneNumberChanged, "573001111111", "573002222222"), b.notice(conversation.UserIDChanged, "CO.a", "CO.b"),
			}
			update := []conversation.Arrival{b.notice(conversation.UserIDChanged, "CO.a", "CO.b")}
			if first == "user_id_update" {
				system, update = update, system
			}
			for range 2 {
				b.receive(system...)
				b.receive(b.says("sigo aquí", from("CO.b", "573002222222")))
				b.receive(update...)
			}
			require.Equal(t, who, b.user("external_id = 'CO.b' and phone = '573002222222'"))
			require.Equal(t, 1, b.count("users"))
			require.Equal(t, 1, b.count("conversations"))
		}
	})

	t.Run("WhatWasWrittenBeforeARotationAndComesAfterItIsTheSameUsers", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.a", "573001111111")))
		b.receive(b.notice(conversation.PhoneNumberChanged, "573001111111", "573002222222"), b.notice(conversation.UserIDChanged, "CO.a", "CO.b"))
		b.receive(b.notice(conversation.UserIDChanged, "CO.b", "CO.c"))
		b.receive(b.says("uno", from("CO.a", "573001111111")), b.says("dos", from("CO.b", "")), b.says("tres", from("CO.c", "573002222222")))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("conversations"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.c' and phone = '573002222222'"))
	})

	t.Run("NumberOfSomebodyElseIsTakenFromThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.a", "573001111111")), b.says("hola", from("CO.c", "573002222222")))
		b.receive(b.notice(conversation.PhoneNumberChanged, "573001111111", "573002222222"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.a' and phone = '573002222222'"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.c' and phone is null"))
	})

	t.Run("RecycledNumberIsANewUser", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.a", "573001111111")))
		b.exec(`update users set phone_seen_time = now() - interval '31 days'`)
		b.receive(b.says("hola, soy otra persona", from("", "573001111111")))
		require.Equal(t, 1, b.count("users where external_id is null and phone = '573001111111'"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.a' and phone is null"))
		b.receive(b.says("hola, soy Ana", from("CO.a", "")))
		require.Equal(t, 2, b.count("users"))
	})

	t.Run("StaffFindACustomerHoweverLongAgoThatWas", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.a", "573001111111")))
		b.exec(`update users set phone_seen_time = now() - interval '90 days'`)
		b.receive(b.staff("¿todo bien?", func(a *conversation.Arrival) { a.Message.Address = conversation.Address{PhoneNumber: "573001111111"} }))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("conversations"))
	})

	t.Run("TelegramIDThatLooksLikeANumberIsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", telegram("5491112345678", "eva", conversation.Chat{ID: 5491112345678}, false)))
		b.receive(ofBot(b.notice(conversation.Blocked, "5491112345678", "")))
		require.Equal(t, 1, b.count("users where blocked and external_id = '5491112345678'"))
	})
}

func TestBlockedBot(t *testing.T) {
	t.Parallel()
	eva := telegram("7", "eva", conversation.Chat{ID: 7}, false)

	t.Run("OpenTurnEndsAndNothingIsSent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("¿abren?", eva), b.says("otro chat", telegram("8", "leo", conversation.Chat{ID: 8}, false)),
			b.says("negocio", telegram("7", "eva", conversation.Chat{ID: 7, BusinessConnectionID: "bc"}, false)))
		turns := b.claim(10)
		require.Len(t, turns, 3)
		b.receive(ofBot(b.notice(conversation.Blocked, "7", "")))
		require.Equal(t, 2, b.count("turns"), "the others are still answered")
		for _, turn := range turns {
			_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "sí"))
			if turn.Address.Chat.ID == 7 && turn.Address.Chat.BusinessConnectionID == "" {
				require.ErrorIs(t, err, conversation.ErrLeaseLost)
				continue
			}
			require.NoError(t, err)
		}
		require.Equal(t, conversation.OutcomeDead, b.outcomes(r.Log)[0])
		require.Equal(t, 1, b.count("messages where state = 'dead' and error = 'BOT_BLOCKED'"))
		require.True(t, b.users()["telegram_eva"].Blocked)
	})

	t.Run("DecidedAnswerFailsAndAReplaySendsItOnceTheBotIsBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("¿abren?", eva))
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		b.receive(ofBot(b.notice(conversation.Blocked, "7", "")))
		require.ErrorIs(t, b.store.Finish(t.Context(), turn, a, conversation.Sent{}), conversation.ErrLeaseLost)
		require.Equal(t, 1, b.count("messages where state = 'failed' and error = 'BOT_BLOCKED'"))
		b.receive(ofBot(b.notice(conversation.Unblocked, "7", "")))
		require.False(t, b.users()["telegram_eva"].Blocked)
		require.Empty(t, b.claim(10), "nothing goes out by itself")
		_, err := b.store.Replay(t.Context(), r.Log)
		require.NoError(t, err)
		require.Equal(t, a.Request, b.claimOne().Answer.Request)
	})

	t.Run("UnblockedCustomerIsAnswered", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno", eva))
		b.receive(ofBot(b.notice(conversation.Blocked, "7", "")))
		b.receive(ofBot(b.notice(conversation.Unblocked, "7", "")))
		b.receive(b.says("dos", eva))
		require.Equal(t, []string{"dos"}, b.open(b.claimOne()))
	})

	t.Run("GroupThatPutTheBotOutIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("grupo", telegram("7", "eva", conversation.Chat{ID: -100}, true)),
			b.says("tema", telegram("7", "eva", conversation.Chat{ID: -100, ThreadID: 4}, true)))
		b.receive(ofBot(b.notice(conversation.Blocked, "-100", "")))
		require.Zero(t, b.count("turns"))
		require.False(t, b.users()["telegram_eva"].Blocked)
	})
}

func TestMigratedGroupToldByBothNoticesKeepsItsHistory(t *testing.T) {
	t.Parallel()
	for _, second := range []time.Duration{0, time.Hour} {
		b := setup(t)
		group := telegram("7", "eva", conversation.Chat{ID: -5}, true)
		b.receive(b.says("antes", group))
		b.answer("respuesta")
		b.receive(b.says("en cola", group))
		b.receive(ofBot(b.notice(conversation.ChatMigrated, "-5", "-1005")))
		if second > 0 { // somebody writes between the two
			b.receive(b.says("después", telegram("7", "eva", conversation.Chat{ID: -1005}, true)))
		}
		b.receive(ofBot(b.notice(conversation.ChatMigrated, "-5", "-1005")))
		require.Equal(t, 1, b.count("conversations"))
		turn := b.claimOne()
		require.EqualValues(t, -1005, turn.Address.Chat.ID)
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{
			{Role: conversation.Customer, Text: "antes"}, {Role: conversation.Assistant, Text: "respuesta"},
		}, d.History)
	}
}
