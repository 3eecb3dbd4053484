package conversation_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	set := func(ids ...string) map[string]bool {
		out := map[string]bool{}
		for _, id := range ids {
			out[id] = true
		}
		return out
	}
	whatsApp := conversation.Subject{IDs: set("CO.ana"), Phones: set("573001234567"), Messages: set("wamid.1")}
	telegram := conversation.Subject{IDs: set("71234567"), Mention: "@ana_x"}
	for name, c := range map[string]struct {
		subject      conversation.Subject
		payload      string
		found, alone bool
		gone, stays  []string
	}{
		"a message of theirs alone": {
			whatsApp, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"9"},
			"contacts":[{"profile":{"name":"Ana"},"wa_id":"573001234567"}],"messages":[{"from":"573001234567","id":"wamid.1","text":{"body":"secreto"}}]}}]}]}`,
			true, true,
			[]string{"Ana", "573001234567", "secreto", "wamid.1"},
			nil,
		},
		"two customers in one body": {
			whatsApp, `{"entry":[{"id":"1","changes":[{"value":{"contacts":[{"profile":{"name":"Ana"},"wa_id":"573001234567"},{"profile":{"name":"Eva"},"wa_id":"57311"}],
			"messages":[{"from":"573001234567","id":"wamid.1","image":{"caption":"secreto","id":"m1"}},{"from":"57311","id":"wamid.2","text":{"body":"hola"}}]}}]}]}`,
			true, false,
			[]string{"Ana", "573001234567", "secreto", "wamid.1", "m1"},
			[]string{"Eva", "57311", "wamid.2", "hola"},
		},
		"a status of a message to them": {
			whatsApp, `{"entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.9","status":"failed","recipient_id":"573001234567","errors":[{"title":"to +573001234567"}]}]}}]}]}`,
			true, true,
			[]string{"573001234567", "wamid.9"},
			nil,
		},
		"a message to them from the company's phone": {
			whatsApp, `{"entry":[{"changes":[{"value":{"message_echoes":[{"from":"57999","to":"573001234567","text":{"body":"secreto"}}]}}]}]}`,
			true, true,
			[]string{"573001234567", "secreto"},
			nil,
		},
		"somebody else's": {
			whatsApp, `{"entry":[{"changes":[{"value":{"messages":[{"from":"57311","id":"wamid.2","text":{"body":"hola"}}]}}]}]}`,
			false, false, nil,
			[]string{"57311", "wamid.2", "hola"},
		},
		"their number in somebody else's words": {
			whatsApp, `{"entry":[{"changes":[{"value":{"messages":[{"from":"57311","id":"wamid.2","text":{"body":"llamen al 573001234567"}}]}}]}]}`,
			true, false,
			[]string{"573001234567"},
			[]string{"57311", "llamen al"},
		},
		"escaped letters are letters": {
			whatsApp, `{"entry":[{"changes":[{"value":{"messages":[{"from":"573001234567","text":{"body":"\u00f1and\u00fa"}},{"from":"57311","text":{"body":"\u00f1u"}}]}}]}]}`,
			true, false,
			[]string{"ñandú", "f1and"},
			[]string{"ñu"},
		},
		"a private chat": {
			telegram, `{"update_id":71234567,"message":{"message_id":3,"from":{"id":71234567,"first_name":"Ana"},"chat":{"id":71234567,"type":"private"},"text":"secreto"}}`,
			true, true,
			[]string{"Ana", "secreto"},
			[]string{"71234567"},
		},
		"a press": {
			telegram, `{"update_id":1,"callback_query":{"id":"44","from":{"id":71234567,"first_name":"Ana"},"data":"secreto","message":{"message_id":1,"from":{"id":9},"chat":{"id":71234567}}}}`,
			true, true,
			[]string{"71234567", "Ana", "secreto"},
			nil,
		},
		"their message in a group": {
			telegram, `{"update_id":1,"message":{"message_id":3,"from":{"id":71234567,"first_name":"Ana"},"chat":{"id":-100,"title":"Vecinos"},"text":"secreto"}}`,
			true, true,
			[]string{"71234567", "Ana", "secreto"},
			nil,
		},
		"somebody answers them in a group": {
			telegram, `{"update_id":1,"message":{"message_id":71234567,"from":{"id":5,"first_name":"Eva"},"chat":{"id":-100,"title":"Vecinos"},"text":"hola @ana_x, sí",
			"reply_to_message":{"message_id":3,"from":{"id":71234567,"first_name":"Ana"},"chat":{"id":-100},"text":"secreto"}}}`,
			true, false,
			[]string{"Ana", "secreto", "@ana_x"},
			[]string{"Eva", "Vecinos", "hola erased, sí", "71234567"},
		},
		"somebody adds them to a group": {
			telegram, `{"update_id":1,"message":{"message_id":3,"from":{"id":5,"first_name":"Eva"},"chat":{"id":-100},"new_chat_members":[{"id":71234567,"first_name":"Ana"}]}}`,
			true, false,
			[]string{"71234567", "Ana"},
			[]string{"Eva"},
		},
		"no JSON": {whatsApp, `573001234567`, false, false, nil, []string{"573001234567"}},
	} {
		got := conversation.Scrub([]byte(c.payload), c.subject)
		require.Equal(t, c.found, got.Found, name)
		require.Equal(t, c.alone, got.Alone, name)
		for _, word := range c.gone {
			require.NotContains(t, string(got.Body), word, name)
		}
		for _, word := range c.stays {
			require.Contains(t, string(got.Body), word, name)
		}
		if c.found {
			require.True(t, json.Valid(got.Body), name)
		}
	}
}

func TestScrubLearnsNumbersOfBefore(t *testing.T) {
	t.Parallel()
	s := conversation.Subject{Messages: map[string]bool{"wamid.1": true}, Phones: map[string]bool{"573009": true}}
	got := conversation.Scrub([]byte(`{"messages":[{"from":"573001234567","id":"wamid.1"}]}`), s)
	require.Equal(t, []string{"573001234567"}, got.Phones)
	require.True(t, got.Alone)
}
