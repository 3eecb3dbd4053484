package present_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

func table() present.Table {
	t := present.Table{Header: []string{"ID", "STATE", "TEXT"}}
	t.Add("1", "dead", "año\x1b[2J")
	t.Add("22", "answered", "")
	return t
}

func write(t *testing.T, format present.Format, colour bool) string {
	t.Helper()
	var out strings.Builder
	log := &conversationv1.WebhookLog{Id: "1", EventType: "messages"}
	require.NoError(t, present.Write(&out, format, log, table, colour))
	return out.String()
}

func TestTableIsAlignedAndHarmless(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ID  STATE     TEXT\n1   dead      año [2J\n22  answered  -\n", write(t, present.AsTable, false))
}

func TestColoursDoNotMoveColumns(t *testing.T) {
	t.Parallel()
	coloured := write(t, present.AsTable, true)
	require.Contains(t, coloured, "\x1b[31mdead\x1b[0m")
	require.Equal(t, write(t, present.AsTable, false), strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[0m", "").Replace(coloured))
}

func TestProgramsGetTheWholeMessage(t *testing.T) {
	t.Parallel()
	var log map[string]any
	require.NoError(t, json.Unmarshal([]byte(write(t, present.AsJSON, false)), &log))
	require.Equal(t, "messages", log["eventType"])
	require.Contains(t, log, "errorMessage", "unset fields too")
	require.Contains(t, write(t, present.AsYAML, false), "eventType: messages\n")
}
