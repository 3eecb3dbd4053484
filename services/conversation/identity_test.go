package conversation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	recently, long := now.Add(-conversation.JoinWithin), now.Add(-conversation.JoinWithin-time.Second)
	both := conversation.Identity{ExternalID: "CO.ana", Phone: "57300"}
	user := func(id, external, phone string, seen time.Time) *conversation.Candidate {
		return &conversation.Candidate{ID: conversation.UserID(id), ExternalID: external, Phone: phone, PhoneSeen: seen}
	}
	for name, c := range map[string]struct {
		identity            conversation.Identity
		byExternal, byPhone *conversation.Candidate
		want                conversation.Resolution
	}{
		"nobody is known": {both, nil, nil, conversation.Resolution{Identity: both}},
		"known by both": {
			both, user("a", "CO.ana", "57300", now), user("a", "CO.ana", "57300", now),
			conversation.Resolution{User: "a", Identity: both},
		},
		"known by BSUID, number hidden": {
			conversation.Identity{ExternalID: "CO.ana"},
			user("a", "CO.ana", "57300", now), nil,
			conversation.Resolution{User: "a", Identity: both},
		},
		"known by number only": {
			conversation.Identity{Phone: "57300"},
			nil, user("a", "", "57300", recently),
			conversation.Resolution{User: "a", Identity: conversation.Identity{Phone: "57300"}},
		},
		"number that was not seen for 30 days may be another's": {
			conversation.Identity{Phone: "57300"},
			nil, user("a", "CO.ana", "57300", long),
			conversation.Resolution{Identity: conversation.Identity{Phone: "57300"}, PhoneFrom: "a"},
		},
		"the form given last is kept": {
			conversation.Identity{Phone: "5491112345678"},
			nil, user("a", "AR.ana", "541112345678", now),
			conversation.Resolution{User: "a", Identity: conversation.Identity{ExternalID: "AR.ana", Phone: "5491112345678"}, Changed: true},
		},
		"number of a user with BSUID": {
			conversation.Identity{Phone: "57300"},
			nil, user("a", "CO.ana", "57300", now),
			conversation.Resolution{User: "a", Identity: both},
		},
		"joined: seen within 30 days": {
			both, nil, user("a", "", "57300", recently), conversation.Resolution{User: "a", Identity: both, Changed: true},
		},
		"not joined: not seen for 30 days": {
			both, nil, user("a", "", "57300", long), conversation.Resolution{Identity: both, PhoneFrom: "a"},
		},
		"not joined: has a BSUID of its own": {
			both, nil, user("a", "CO.eva", "57300", now), conversation.Resolution{Identity: both, PhoneFrom: "a"},
		},
		"number moves to the BSUID's user": {
			both, user("a", "CO.ana", "57111", now), user("b", "CO.eva", "57300", now),
			conversation.Resolution{User: "a", Identity: both, Changed: true, PhoneFrom: "b"},
		},
		"number moves even from a user without BSUID: no merge": {
			both, user("a", "CO.ana", "", now), user("b", "", "57300", now),
			conversation.Resolution{User: "a", Identity: both, Changed: true, PhoneFrom: "b"},
		},
		"first number of the BSUID's user": {
			both, user("a", "CO.ana", "", now), nil, conversation.Resolution{User: "a", Identity: both, Changed: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, conversation.Resolve(c.identity, c.byExternal, c.byPhone, now))
		})
	}
}

func TestUsername(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		platform conversation.Platform
		sender   conversation.Sender
	}{
		"whatsapp_573001234567": {conversation.WhatsApp, conversation.Sender{PhoneNumber: "573001234567", UserID: "CO.1", Username: "ana"}},
		"whatsapp_CO.1":         {conversation.WhatsApp, conversation.Sender{UserID: "CO.1", Username: "ana"}},
		"telegram_ana":          {conversation.Telegram, conversation.Sender{UserID: "7", Username: "ana"}},
		"telegram_7":            {conversation.Telegram, conversation.Sender{UserID: "7"}},
		"telegram_8":            {conversation.Telegram, conversation.Sender{UserID: "8", Username: "no es un nombre"}},
	} {
		require.Equal(t, want, conversation.Username(c.platform, c.sender))
	}
	require.Equal(t, "whatsapp_1@knowbot.local", conversation.Email("whatsapp_1"))
	require.Equal(t, "a", conversation.SuffixedUsername("a", 1))
	require.Equal(t, "a_3", conversation.SuffixedUsername("a", 3))
}

func TestScopeKeepsPrivateChatsApartFromEverythingElse(t *testing.T) {
	t.Parallel()
	private := conversation.Address{Chat: &conversation.Chat{ID: 7}}
	scopes := map[string]bool{}
	for _, s := range []string{
		conversation.Scope("u", private, false),
		conversation.Scope("u", private, true),
		conversation.Scope("u", conversation.Address{Chat: &conversation.Chat{ID: 7, ThreadID: 1}}, false),
		conversation.Scope("u", conversation.Address{Chat: &conversation.Chat{ID: 7, BusinessConnectionID: "b"}}, false),
		conversation.Scope("v", private, false),
	} {
		require.NotEmpty(t, s)
		require.False(t, scopes[s], s)
		scopes[s] = true
	}
	require.Equal(t, conversation.Scope("u", conversation.Address{PhoneNumber: "57"}, false), conversation.Scope("u", private, false))
	require.Empty(t, conversation.Scope("", conversation.Address{PhoneNumber: "57"}, false))
}

func TestIdentityOfTelegramIsTheUserNeverTheNumber(t *testing.T) {
	t.Parallel()
	s := conversation.Sender{UserID: "7", PhoneNumber: "57300"}
	require.Equal(t, conversation.Identity{ExternalID: "7"}, s.Identity(conversation.Telegram))
	require.Equal(t, conversation.Identity{ExternalID: "7", Phone: "57300"}, s.Identity(conversation.WhatsApp))
	require.False(t, conversation.Identity{}.Known())
}

func TestPhoneKeyJoinsTheTwoFormsOfANumberAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"5491112345678", "541112345678"},
		{"5215512345678", "525512345678"},
		{"5511987654321", "551187654321"},
		{"5547961234567", "554761234567"},
	} {
		require.Equal(t, conversation.PhoneKey(same[0]), conversation.PhoneKey(same[1]))
	}
	for _, alone := range []string{
		"", "573001234567", "15550001111", "AR.5491112345678", "CO.70000000000000000001", "+5491112345678",
		"5511934567890", // 34567890 would be a landline: not the same number
		"55119876543210", "54911123456789", "551187654321", "5501987654321", "541112345678", "525512345678", "52155123456",
	} {
		require.Equal(t, alone, conversation.PhoneKey(alone))
	}
}
