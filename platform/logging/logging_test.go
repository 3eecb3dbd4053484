package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/platform/requestid"
)

func TestLinesAreJSONFromTheLevelUp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, level, err := logging.New(&out, "rag", "warn")
	require.NoError(t, err)
	log.Info("quiet")
	log.Warn("loud", zap.Int("n", 3))

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line only: %s", out.String())
	require.Equal(t, "loud", line["msg"])
	require.Equal(t, "rag", line["service"])
	require.Equal(t, "warn", line["level"])
	require.Contains(t, line, "time")

	level.SetLevel(zap.InfoLevel)
	log.Info("no longer quiet")
	require.Contains(t, out.String(), "no longer quiet", "the level may change while the logger is used")
}

func TestLinesNameTheirRequestAndTrace(t *testing.T) {
	t.Parallel()
	line := func(ctx context.Context) string {
		var out bytes.Buffer
		log, _, err := logging.New(&out, "rag", "info")
		require.NoError(t, err)
		log.Info("said", logging.Request(ctx))
		return out.String()
	}
	require.NotContains(t, line(t.Context()), "_id", "nothing is better than an empty id")

	ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(requestid.With(t.Context(), "R1"), "work")
	defer span.End()
	require.Contains(t, line(ctx), `"request_id":"R1","trace_id":"`+span.SpanContext().TraceID().String()+`"`)

	never, unrecorded := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("test").Start(t.Context(), "work")
	defer unrecorded.End()
	require.NotContains(t, line(never), "trace_id", "nobody could find that trace")
}

func TestUnknownLevelIsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := logging.New(&bytes.Buffer{}, "rag", "loud")
	require.EqualError(t, err, `level "loud" is none of debug, info, warn, error`)
}
