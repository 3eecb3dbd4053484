package service

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/platform/rpc"
)

// noAddress as a listener's address opens none.
const noAddress = "off"

// Config is the part of the configuration that all services have. Embed it by
// value in the service's own.
type Config struct {
	GRPCAddr   string        `env:"KNOBOT_GRPC_ADDR"`
	DebugAddr  string        `env:"KNOBOT_DEBUG_ADDR"`
	HealthAddr string        `env:"KNOBOT_HEALTH_ADDR"`
	TLSCert    string        `env:"KNOBOT_TLS_CERT_FILE"`
	TLSKey     string        `env:"KNOBOT_TLS_KEY_FILE"`
	TLSCA      string        `env:"KNOBOT_TLS_CA_FILE"`
	LogLevel   string        `env:"KNOBOT_LOG_LEVEL" envDefault:"info"`
	Drain      time.Duration `env:"KNOBOT_DRAIN" envDefault:"3s"`

	// level is the logger's own, which starts as LogLevel.
	level zap.AtomicLevel
}

// Defaults of one service, used where the environment says nothing.
type Defaults struct {
	GRPCAddr string
	// DebugAddr is empty for no debug listener.
	DebugAddr string
	// GarbagePercent is how much a heap may grow before it is collected, in percent of what lives; 0 for 400. Most services live on
	// a few megabytes, so that Go's own 100 collects many times a second under load: 400 takes a fifth off the processor time of
	// a webhook (docs/architecture/performance.md).
	GarbagePercent int
}

const garbagePercent = 400

// Validate checks what types cannot say.
func (c *Config) Validate() error {
	var faults []error
	if _, err := logging.Level(c.LogLevel); err != nil {
		faults = append(faults, fmt.Errorf("KNOBOT_LOG_LEVEL: %w", err))
	}
	if c.Drain < 0 || c.Drain > time.Minute {
		faults = append(faults, fmt.Errorf("KNOBOT_DRAIN: %s is not between 0s and 1m", c.Drain))
	}
	if c.GRPCAddr == "" {
		faults = append(faults, errors.New("KNOBOT_GRPC_ADDR is required and not set"))
	}
	if _, err := c.tls(); err != nil {
		faults = append(faults, fmt.Errorf("KNOBOT_TLS_CERT_FILE, KNOBOT_TLS_KEY_FILE, KNOBOT_TLS_CA_FILE: %w", err))
	}
	return errors.Join(faults...)
}

// common finds the embedded Config through the promoted method.
func (c *Config) common() *Config { return c }

func (c *Config) tls() (*rpc.TLS, error) { return rpc.LoadTLS(c.TLSCert, c.TLSKey, c.TLSCA) }
