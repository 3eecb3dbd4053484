package conversation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestButtonIDNamesMessageAndPlace(t *testing.T) {
	t.Parallel()
	const message conversation.MessageID = "0193a1f0-7c3e-7abc-8def-0123456789ab"
	for n := range 3 {
		id := conversation.ButtonID(message, n)
		require.LessOrEqual(t, len(id), 32)
		m, at, ours := conversation.ParseButtonID(id)
		require.True(t, ours)
		require.Equal(t, message, m)
		require.Equal(t, n, at)
	}
	require.Empty(t, conversation.ButtonID("no id", 0))
	for _, id := range []string{"", "q", "q0", "opt1", "q3AAAAAAAAAAAAAAAAAAAAAA", "q0AAAAAAAAAAAAAAAAAAAAAAAA", "q0%%%%%%%%%%%%%%%%%%%%%%"} {
		_, _, ours := conversation.ParseButtonID(id)
		require.False(t, ours, id)
	}
}

func TestButtonsAreNotWorthASecondMessage(t *testing.T) {
	t.Parallel()
	c := conversation.Composed{Text: strings.Repeat("x", 1000), Suggestions: []conversation.Suggestion{
		{Title: "a", Question: "A"}, {Title: "", Question: "B"}, {Title: "c"}, {Title: "d", Question: "D"}, {Title: "e", Question: "E"}, {Title: "f", Question: "F"},
	}}
	require.Equal(t, []conversation.Button{{"a", "A"}, {"d", "D"}, {"e", "E"}}, conversation.ButtonsFor(c, conversation.WhatsApp))
	c.Text += "x"
	require.Empty(t, conversation.ButtonsFor(c, conversation.WhatsApp))
	require.Len(t, conversation.ButtonsFor(c, conversation.Telegram), 3)
}
