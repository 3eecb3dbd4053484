package edge

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Sampled bounds what strangers can make us log: each forged webhook is a line. Beyond the first ones of a second every
// thousandth is written; counters have them all.
func Sampled(log *zap.Logger) *zap.Logger {
	const first, thereafter = 50, 1000
	return log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, first, thereafter)
	}))
}
