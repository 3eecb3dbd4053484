package env_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/knobot/knobot/platform/env"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	s := env.Secret(value)
	holder := struct {
		S env.Secret
		P *env.Secret
	}{s, &s}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t"} {
		fmt.Fprintf(&out, verb+verb+"\n", s, holder)
	}
	fmt.Fprintln(&out, s, []env.Secret{s}, map[string]env.Secret{"k": s})
	raw, err := json.Marshal(holder)
	require.NoError(t, err)
	out.Write(raw)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", s, "h", holder)
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.DebugLevel))
	log.Info("m", zap.Any("s", s), zap.Any("h", holder), zap.Stringer("t", s), zap.Reflect("r", s), zap.Any("all", []env.Secret{s}))

	require.NotContains(t, out.String(), value)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", value))
	require.Contains(t, out.String(), "[secret]")
	require.Equal(t, value, s.Reveal())
	require.True(t, s.IsSet())
}
