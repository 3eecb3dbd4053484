package integrations_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

const patience = 10 * time.Second

// follow starts a follower that ends with the test.
func follow(t *testing.T, channels *channelstest.Server) *integrations.Table {
	t.Helper()
	table := integrations.NewTable()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = integrations.NewFollower(table, channels.Conn, zap.NewNop()).Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return table
}

func enabled(id string) *channelsv1.Integration {
	return &channelsv1.Integration{
		Id: id, Platform: typev1.Platform_PLATFORM_WHATSAPP, State: channelsv1.Integration_STATE_ENABLED,
	}
}

func TestFollower(t *testing.T) {
	t.Parallel()

	t.Run("IsSyncedOnlyOnceTheSnapshotIsComplete", func(t *testing.T) {
		t.Parallel()
		channels := channelstest.New(t)
		table := follow(t, channels)
		channels.Publish(channelstest.Integration(enabled("a")))
		require.False(t, table.Synced())
		_, ok := table.Get("a")
		require.False(t, ok)
		channels.Publish(channelstest.Synced())
		require.Eventually(t, table.Synced, patience, time.Millisecond)
		in, ok := table.Get("a")
		require.True(t, ok)
		require.True(t, in.Answers())
		require.True(t, in.RAGEnabled)
		require.EqualValues(t, conversation.DefaultPassages, in.Passages)
		require.Equal(t, "es", in.Language)
		require.Nil(t, in.Debounce)
		require.False(t, in.StreamDrafts)
		require.True(t, in.Suggestions)
		require.Nil(t, in.WindowTemplate)
	})

	t.Run("FollowsChangesAndSettings", func(t *testing.T) {
		t.Parallel()
		channels := channelstest.New(t)
		channels.Publish(channelstest.Integration(enabled("a")), channelstest.Integration(enabled("b")), channelstest.Synced())
		table := follow(t, channels)
		require.Eventually(t, table.Synced, patience, time.Millisecond)
		off, topK := false, int32(9)
		channels.Publish(channelstest.Removed("b"), channelstest.Integration(&channelsv1.Integration{
			Id: "a", Platform: typev1.Platform_PLATFORM_TELEGRAM, State: channelsv1.Integration_STATE_DELETED,
			Settings: &channelsv1.Settings{
				KnowledgeBase: "tienda", Language: "pt", RagEnabled: &off, TopK: &topK, HumanContact: "+57",
				WindowTemplate: &channelsv1.WindowTemplate{Name: "volver", Languages: []string{"es"}},
				Debounce:       durationpb.New(0), StaleAfter: durationpb.New(time.Hour),
				StaffPause: durationpb.New(time.Minute), StreamDrafts: true, Suggestions: proto.Bool(false),
				Retention:      &channelsv1.Retention{Messages: durationpb.New(time.Hour), WebhookPayloads: durationpb.New(time.Minute)},
				CustomerLimits: &channelsv1.CustomerLimits{Hourly: &topK},
			},
		}), channelstest.Synced())
		require.Eventually(t, func() bool { return len(table.Deleted()) == 1 }, patience, time.Millisecond)
		in, _ := table.Get("a")
		zero, hour, minute := time.Duration(0), time.Hour, time.Minute
		require.Equal(t, conversation.Integration{
			ID: "a", Platform: conversation.Telegram, State: conversation.Deleted, KnowledgeBase: "tienda", Language: "pt", Passages: 9,
			HumanContact: "+57", WindowTemplate: &conversation.WindowTemplate{Name: "volver", Languages: []string{"es"}},
			Debounce: &zero, StaleAfter: &hour, StaffPause: &minute, StreamDrafts: true,
			KeepMessages: &hour, KeepPayloads: &minute, HourlyLimit: &topK,
		}, in)
		_, ok := table.Get("b")
		require.False(t, ok)
		require.Empty(t, table.Answering())
	})

	t.Run("ServesOnWhileChannelsIsAwayAndStartsAnewAfterwards", func(t *testing.T) {
		t.Parallel()
		channels := channelstest.New(t)
		channels.Publish(channelstest.Integration(enabled("a")), channelstest.Synced())
		table := follow(t, channels)
		require.Eventually(t, table.Synced, patience, time.Millisecond)
		channels.Break(channelstest.Integration(enabled("b")))
		require.True(t, table.Synced())
		_, ok := table.Get("a")
		require.True(t, ok, "a snapshot that is not complete takes nothing away")
		channels.Publish(channelstest.Synced())
		require.Eventually(t, func() bool { _, ok := table.Get("b"); return ok }, patience, time.Millisecond)
		_, ok = table.Get("a")
		require.False(t, ok)
	})

	t.Run("StatesAreTranslated", func(t *testing.T) {
		t.Parallel()
		channels := channelstest.New(t)
		for id, state := range map[string]channelsv1.Integration_State{
			"e": channelsv1.Integration_STATE_ENABLED, "d": channelsv1.Integration_STATE_DISABLED,
			"i": channelsv1.Integration_STATE_INCOMPLETE, "s": channelsv1.Integration_STATE_STOPPED, "u": channelsv1.Integration_STATE_UNSPECIFIED,
		} {
			channels.Publish(channelstest.Integration(&channelsv1.Integration{Id: id, State: state}))
		}
		channels.Publish(channelstest.Synced())
		table := follow(t, channels)
		require.Eventually(t, table.Synced, patience, time.Millisecond)
		require.Equal(t, []conversation.IntegrationID{"e"}, table.Answering())
		for id, want := range map[conversation.IntegrationID]conversation.IntegrationState{
			"d": conversation.Disabled, "i": conversation.Incomplete, "s": conversation.Stopped, "u": conversation.Incomplete,
		} {
			in, _ := table.Get(id)
			require.Equal(t, want, in.State)
		}
	})
}
