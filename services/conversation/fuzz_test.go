package conversation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzButtonID reads the id of a button that was pressed, which a stranger may send: what is taken for ours is one that we make.
func FuzzButtonID(f *testing.F) {
	f.Add(ButtonID("01a21863-bb5e-71fe-bcde-ecdb0a61ee2c", 2))
	for _, seed := range []string{"", buttonMark, buttonMark + "9", buttonMark + "0AAAAAAAAAAAAAAAAAAAAAA", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		m, n, ours := ParseButtonID(id)
		if !ours {
			require.Empty(t, m)
			return
		}
		again, place, ours := ParseButtonID(ButtonID(m, n))
		require.True(t, ours)
		require.Equal(t, m, again)
		require.Equal(t, n, place)
	})
}

// FuzzReadableForm reads what a customer filled in, or what a web app sends in the place of that.
func FuzzReadableForm(f *testing.F) {
	for _, seed := range []string{`{"nombre":"Ana","flow_token":"x"}`, `{"a":[1,{"b":null}]}`, `{`, `[]`, `{"a":1e999}`, `{"":"x"}`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		text := readableForm(data)
		if !strings.HasPrefix(strings.TrimSpace(data), "{") {
			require.Equal(t, data, text, "what is no object stays as it is")
		}
		require.LessOrEqual(t, len(text), 8*len(data)+16)
	})
}
