// Package logging makes the logger of a program: JSON lines with a time in
// RFC 3339, the service's name and, below the level, nothing.
package logging

import (
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// New returns a logger that writes JSON to w, and its level, which may be
// changed while it is used. The level is debug, info, warn or error.
func New(w io.Writer, service, level string) (*zap.Logger, zap.AtomicLevel, error) {
	named, err := Level(level)
	l := zap.NewAtomicLevelAt(named)
	if err != nil {
		return nil, l, err
	}
	enc := zap.NewProductionEncoderConfig()
	enc.TimeKey, enc.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	enc.EncodeDuration = zapcore.StringDurationEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(enc), zapcore.Lock(zapcore.AddSync(w)), l)
	return zap.New(core).With(zap.String("service", service)), l, nil
}

// Level reads the name of a level.
func Level(name string) (zapcore.Level, error) {
	switch name {
	case "debug":
		return zapcore.DebugLevel, nil
	case "info", "":
		return zapcore.InfoLevel, nil
	case "warn":
		return zapcore.WarnLevel, nil
	case "error":
		return zapcore.ErrorLevel, nil
	default:
		return 0, fmt.Errorf("level %q is none of debug, info, warn, error", name)
	}
}
