package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestLimited(t *testing.T) {
	t.Parallel()
	message := func(id, user string) conversation.OpenMessage {
		return conversation.OpenMessage{ID: conversation.MessageID(id), User: conversation.UserID(user)}
	}
	limits := conversation.Limits{Hourly: 3, Daily: 10}
	told := message("1", "ana")
	told.Sentence = conversation.SentenceLimit
	for name, c := range map[string]struct {
		limits       conversation.Limits
		open         []conversation.OpenMessage
		asked        conversation.Asked
		rest         int
		tell, silent []conversation.MessageID
	}{
		"within":           {limits, []conversation.OpenMessage{message("1", "ana"), message("2", "ana")}, conversation.Asked{LastHour: 1, LastDay: 5}, 2, nil, nil},
		"one too many":     {limits, []conversation.OpenMessage{message("1", "ana")}, conversation.Asked{LastHour: 3, LastDay: 3}, 1, []conversation.MessageID{"1"}, nil},
		"told before":      {limits, []conversation.OpenMessage{message("1", "ana")}, conversation.Asked{LastHour: 3, LastDay: 3, Told: true}, 0, nil, []conversation.MessageID{"1"}},
		"told once":        {limits, []conversation.OpenMessage{message("1", "ana"), message("2", "ana"), message("3", "ana")}, conversation.Asked{LastHour: 2, LastDay: 2}, 2, []conversation.MessageID{"2"}, []conversation.MessageID{"3"}},
		"in a day":         {limits, []conversation.OpenMessage{message("1", "ana")}, conversation.Asked{LastHour: 0, LastDay: 10}, 1, []conversation.MessageID{"1"}, nil},
		"told, not sent":   {limits, []conversation.OpenMessage{told, message("2", "ana")}, conversation.Asked{LastHour: 3, LastDay: 3}, 1, nil, []conversation.MessageID{"2"}},
		"others in a room": {limits, []conversation.OpenMessage{message("1", "ana"), message("2", "eva")}, conversation.Asked{LastHour: 3, LastDay: 3, Told: true}, 1, nil, []conversation.MessageID{"1"}},
		"nobody known":     {limits, []conversation.OpenMessage{message("1", "")}, conversation.Asked{}, 1, nil, nil},
		"any number":       {conversation.Limits{}, []conversation.OpenMessage{message("1", "ana")}, conversation.Asked{LastHour: 5000, LastDay: 5000}, 1, nil, nil},
	} {
		rest, tell, silent := c.limits.Limited(c.open, map[conversation.UserID]conversation.Asked{"ana": c.asked})
		require.Len(t, rest, c.rest, name)
		require.Equal(t, c.tell, tell, name)
		require.Equal(t, c.silent, silent, name)
	}
}

func TestIntegrationsOwnLimitsWin(t *testing.T) {
	t.Parallel()
	service, none, ten := conversation.Limits{Hourly: 100, Daily: 500}, int32(0), int32(10)
	require.Equal(t, service, conversation.Integration{}.Limits(service))
	require.Equal(t, conversation.Limits{Hourly: 10, Daily: 0}, conversation.Integration{HourlyLimit: &ten, DailyLimit: &none}.Limits(service))
}
