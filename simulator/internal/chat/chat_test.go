package chat_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
)

func TestStore(t *testing.T) {
	t.Parallel()
	ana := simulator.Chat{Platform: simulator.Telegram, Account: "1", User: "7"}
	limits := chat.Limits{Messages: 3, Chats: 2, Events: 100}
	message := func(id string, direction simulator.Direction) simulator.Message {
		return simulator.Message{ID: id, Chat: ana, Direction: direction, State: simulator.StateSent, Time: time.Unix(100, 0)}
	}

	t.Run("KeepsTheLastMessagesOfAChat", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		store.Open(ana, simulator.Person{})
		for i := range 10 {
			_, err := store.Add(message(strconv.Itoa(i), simulator.Inbound))
			require.NoError(t, err)
		}
		kept := store.Messages(ana, 0)
		require.Len(t, kept, 3)
		require.Equal(t, "7", kept[0].ID)
		_, err := store.Message(ana, "6")
		require.ErrorIs(t, err, chat.ErrNoMessage)
	})

	t.Run("TheLongestSilentChatMakesRoom", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := chat.NewStore(limits)
			for i := range 3 {
				store.Open(simulator.Chat{Platform: simulator.Telegram, User: fmt.Sprint(i)}, simulator.Person{})
				<-time.After(time.Second) // of the bubble's clock
			}
			list := store.List()
			require.Len(t, list, 2)
			require.Equal(t, "2", list[0].User)
			require.Equal(t, "1", list[1].User)
		})
	})

	t.Run("StatesNeverGoBack", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		store.Open(ana, simulator.Person{})
		_, err := store.Add(message("1", simulator.Outbound))
		require.NoError(t, err)
		_, changed := store.Advance(ana, "1", simulator.StateRead, "")
		require.True(t, changed)
		for _, late := range []simulator.State{simulator.StateSent, simulator.StateDelivered, simulator.StateFailed} {
			_, changed = store.Advance(ana, "1", late, "")
			require.False(t, changed, late)
		}
	})

	t.Run("ReadingMarksEarlierMessagesOfTheCustomerToo", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		store.Open(ana, simulator.Person{})
		for _, m := range []simulator.Message{
			message("1", simulator.Inbound), message("2", simulator.Inbound), message("3", simulator.Inbound),
		} {
			_, err := store.Add(m)
			require.NoError(t, err)
		}
		store.ReadInbound(ana, "2")
		var states []simulator.State
		for _, m := range store.Messages(ana, 0) {
			states = append(states, m.State)
		}
		require.Equal(t, []simulator.State{simulator.StateRead, simulator.StateRead, simulator.StateSent}, states)
	})

	t.Run("AnAnswerEndsTyping", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		store.Open(ana, simulator.Person{Name: "Ana"})
		store.Typing(ana, time.Now().Add(time.Minute))
		_, err := store.Add(message("1", simulator.Outbound))
		require.NoError(t, err)
		info, ok := store.Info(ana)
		require.True(t, ok)
		require.Zero(t, info.TypingUntil)
		require.Equal(t, "Ana", info.Name)
	})

	t.Run("EventsTellTheStoryInOrder", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		store.Open(ana, simulator.Person{})
		_, err := store.Add(message("1", simulator.Inbound))
		require.NoError(t, err)
		store.Advance(ana, "1", simulator.StateDelivered, "")
		store.Typing(ana, time.Now())
		store.Draft(ana, simulator.Draft{ID: 1, Text: "Hol"})
		store.Notice(ana, "listo", true)
		events, _ := store.Events().Since(0)
		var types []simulator.EventType
		for _, e := range events {
			types = append(types, e.Type)
		}
		require.Equal(t, []simulator.EventType{
			simulator.EventMessage, simulator.EventUpdate, simulator.EventTyping, simulator.EventDraft, simulator.EventNotice,
		}, types)
		require.Equal(t, simulator.StateSent, events[0].Message.State, "an event keeps what it told")
	})

	t.Run("NothingIsAddedToAnUnknownChat", func(t *testing.T) {
		t.Parallel()
		store := chat.NewStore(limits)
		_, err := store.Add(message("1", simulator.Inbound))
		require.ErrorIs(t, err, chat.ErrNoChat)
		require.Empty(t, store.Messages(ana, 0))
	})
}
