package conversation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestFeedbackOfWhatIsSure(t *testing.T) {
	t.Parallel()
	for emoji, want := range map[string]conversation.Feedback{
		"👍": conversation.Liked, "👍🏽": conversation.Liked, "❤️": conversation.Liked, "❤": conversation.Liked, "🙏🏿": conversation.Liked,
		"👎": conversation.Disliked, "👎🏻": conversation.Disliked, "😡": conversation.Disliked,
		"": conversation.Unrated, "😂": conversation.Unrated, "😮": conversation.Unrated, "👍👎": conversation.Unrated, "ok": conversation.Unrated,
	} {
		require.Equal(t, want, conversation.FeedbackOf(emoji), emoji)
	}
}
