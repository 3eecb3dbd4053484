package logging_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/logging"
)

func TestLinesAreJSONFromTheLevelUp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := logging.New(&out, "rag", "warn")
	require.NoError(t, err)
	log.Info("quiet")
	log.Warn("loud", zap.Int("n", 3))

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line only: %s", out.String())
	require.Equal(t, "loud", line["msg"])
	require.Equal(t, "rag", line["service"])
	require.Equal(t, "warn", line["level"])
	require.Contains(t, line, "time")
}

func TestUnknownLevelIsRefused(t *testing.T) {
	t.Parallel()
	_, err := logging.New(&bytes.Buffer{}, "rag", "loud")
	require.EqualError(t, err, `level "loud" is none of debug, info, warn, error`)
}
