package postgres_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// users returns all users by username.
func (b *bundle) users() map[string]conversation.User {
	b.t.Helper()
	all, err := b.store.Users(b.t.Context(), conversation.UserFilter{Limit: 1000})
	require.NoError(b.t, err)
	out := map[string]conversation.User{}
	for _, u := range all {
		out[u.Username] = u
	}
	return out
}

// usernames returns the labels of all users.
func (b *bundle) usernames() []string {
	var out []string
	for name := range b.users() {
		out = append(out, name)
	}
	return out
}

func TestUsers(t *testing.T) {
	t.Parallel()

	t.Run("AreMadeAsTheMissionNamesThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(
			b.says("hola", from("CO.ana", "573001234567"), named("Ana")),
			b.says("hola", from("CO.sin-numero", "")),
			b.says("hola", telegram("7", "eva", conversation.Chat{ID: 7}, false)),
			b.says("hola", telegram("8", "", conversation.Chat{ID: 8}, false)),
		)
		users := b.users()
		require.ElementsMatch(t, []string{"whatsapp_573001234567", "whatsapp_CO.sin-numero", "telegram_eva", "telegram_8"}, b.usernames())
		ana := users["whatsapp_573001234567"]
		require.Equal(t, "Ana", ana.DisplayName)
		require.Equal(t, conversation.RoleCustomer, ana.Role)
		require.Equal(t, "CO.ana", ana.ExternalID)
		require.Equal(t, "573001234567", ana.Phone)
		require.Equal(t, "whatsapp_573001234567@knowbot.local", conversation.Email(ana.Username))
	})

	t.Run("TakenUsernameGetsASuffix", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"), b.says("hola", of("wa-2")))
		b.receive(b.says("hola", of("wa-3")))
		require.ElementsMatch(t, []string{"whatsapp_573001234567", "whatsapp_573001234567_2", "whatsapp_573001234567_3"}, b.usernames())
	})

	t.Run("TwoWebhooksOfTheSameNewUserAtOnceMakeOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var posts sync.WaitGroup
		failed := make(chan error, 16)
		for range 16 {
			d := b.webhook(b.says("hola"))
			posts.Go(func() {
				if _, err := b.store.Ingest(t.Context(), []conversation.Delivery{d}); err != nil {
					failed <- err
				}
			})
		}
		posts.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("conversations"))
		require.Equal(t, 16, b.count("messages"))
	})

	t.Run("PhoneAndBSUIDInOnePayloadAreJoined", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("", "573001234567")))
		b.receive(b.says("hola", from("CO.ana", "573001234567")))
		b.receive(b.says("hola", from("CO.ana", "")))
		require.Equal(t, []string{"whatsapp_573001234567"}, b.usernames())
		require.Equal(t, "CO.ana", b.users()["whatsapp_573001234567"].ExternalID)
		require.Equal(t, 1, b.count("conversations"))
	})

	t.Run("JoiningWorksWithinOneGroupToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno", from("", "573001234567")), b.says("dos", from("CO.ana", "573001234567")), b.says("tres", from("CO.ana", "")))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("conversations where last_position = 3"))
	})

	t.Run("UserNotSeenForThirtyDaysIsNotJoined", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("", "573001234567")))
		b.exec(`update users set last_seen_time = now() - interval '31 days', phone_seen_time = now() - interval '31 days'`)
		b.receive(b.says("hola", from("CO.otra", "573001234567")))
		require.Equal(t, 2, b.count("users"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.otra' and phone = '573001234567'"))
		require.Equal(t, 1, b.count("users where external_id is null and phone is null"))
	})

	t.Run("KnownPhoneMovesToTheBSUIDsUser", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.ana", "573001111111")))
		b.receive(b.says("hola", from("CO.eva", "573002222222")))
		b.receive(b.says("hola", from("CO.eva", "573001111111")))
		require.Equal(t, 2, b.count("users"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.eva' and phone = '573001111111'"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.ana' and phone is null"))
	})

	t.Run("SwappedPhonesInOneBodySettle", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.ana", "573001111111")), b.says("hola", from("CO.eva", "573002222222")))
		b.receive(b.says("hola", from("CO.ana", "573002222222")), b.says("hola", from("CO.eva", "573001111111")))
		require.Equal(t, 1, b.count("users where external_id = 'CO.eva' and phone = '573001111111'"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.ana' and phone = '573002222222'"))
	})

	t.Run("NamesNeverJoin", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", telegram("7", "eva", conversation.Chat{ID: 7}, false)))
		b.receive(b.says("hola", telegram("8", "eva", conversation.Chat{ID: 8}, false)))
		require.ElementsMatch(t, []string{"telegram_eva", "telegram_eva_2"}, b.usernames())
	})

	t.Run("NewNumberFollowsTheProvidersNotice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("", "573001111111")))
		b.receive(b.event("system", &conversation.IdentityChange{
			Kind: conversation.PhoneNumberChanged, OldID: "573001111111", NewID: "573002222222",
		}), b.says("nuevo número", from("", "573002222222")))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("users where phone = '573002222222'"))
		require.Equal(t, "573002222222", b.claimOne().Address.PhoneNumber, "answers go to the new number")
	})

	t.Run("NewBSUIDFollowsTheProvidersNotice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.ana", "")))
		b.receive(b.event("user_id_update", &conversation.IdentityChange{Kind: conversation.UserIDChanged, OldID: "CO.ana", NewID: "CO.ana2"}))
		b.receive(b.says("hola", from("CO.ana2", "")))
		require.Equal(t, 1, b.count("users"))
		require.Equal(t, 1, b.count("conversations"))
	})

	t.Run("BSUIDThatWroteAlreadyIsNotMerged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola", from("CO.ana", "")), b.says("hola", from("CO.ana2", "")))
		b.receive(b.event("user_id_update", &conversation.IdentityChange{Kind: conversation.UserIDChanged, OldID: "CO.ana", NewID: "CO.ana2"}))
		require.Equal(t, 1, b.count("users where external_id = 'CO.ana'"))
		require.Equal(t, 1, b.count("users where external_id = 'CO.ana2'"))
	})

	t.Run("BlockingAndWritingAgainAreNoted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		eva := telegram("7", "eva", conversation.Chat{ID: 7}, false)
		b.receive(b.says("hola", eva))
		block := b.event("my_chat_member", &conversation.IdentityChange{Kind: conversation.Blocked, OldID: "7"})
		block.Event.Integration, block.Integration.ID = bot, bot
		b.receive(block)
		require.True(t, b.users()["telegram_eva"].Blocked)
		b.receive(b.says("hola", eva))
		require.False(t, b.users()["telegram_eva"].Blocked)
	})

	t.Run("KnownUserCostsNoWritePerMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno", named("Ana")))
		version := func() (v uint32) {
			require.NoError(t, b.pool.QueryRow(t.Context(), `select xmin::text::bigint from users`).Scan(&v))
			return v
		}
		before := version()
		b.receive(b.says("dos", named("Ana")))
		require.Equal(t, before, version())
		b.receive(b.says("tres", named("Ana María")))
		require.NotEqual(t, before, version())
		require.Equal(t, "Ana María", b.users()["whatsapp_573001234567"].DisplayName)
	})

	t.Run("EchoBelongsToWhomItWasWrittenTo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		echo := b.says("le escribe una persona", recorded)
		echo.Message.Echo, echo.Message.Sender = true, conversation.Sender{PhoneNumber: "15550001111"}
		r := b.receive(echo)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, r.Outcomes)
		require.Equal(t, 1, b.count("users"))
		b.receive(b.says("¿y los domingos?"))
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{
			{Role: conversation.Customer, Text: "hola"}, {Role: conversation.Staff, Text: "le escribe una persona"},
		}, d.History)
	})
}
