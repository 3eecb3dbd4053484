package service

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()

	t.Run("VersionIsPrinted", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, serve)
		require.Equal(t, 0, r.main("version"))
		require.Contains(t, r.stdout.String(), "tested ")
	})

	t.Run("AnythingElseIsExplained", func(t *testing.T) {
		t.Parallel()
		for _, args := range [][]string{{"serve"}, {"--help"}, {"version", "x"}, {"migrate"}} {
			r := newProgram(t, serve)
			require.Equal(t, 2, r.main(args...), "%v", args)
			require.Contains(t, r.stderr.String(), "usage: tested")
		}
		r := newProgram(t, serve)
		WithMigrate(func(context.Context, testConfig, *zap.Logger) error { return nil })(r.program)
		require.Equal(t, 2, r.main("migrate", "--now"))
		require.Contains(t, r.stderr.String(), "tested migrate")
	})

	t.Run("EveryFaultOfTheEnvironmentIsPrinted", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, serve, "KNOBOT_WORKERS=many", "KNOBOT_LOG_LEVEL=loud", "KNOBOT_UNKNOWN=1", "KNOBOT_DATABASE_URL=hunter2")
		require.Equal(t, 1, r.main())
		for _, part := range []string{"KNOBOT_WORKERS", "KNOBOT_UNKNOWN is not a setting"} {
			require.Contains(t, r.stderr.String(), part)
		}
		require.NotContains(t, r.stderr.String(), "hunter2")
	})

	t.Run("RulesOfTheCommonPartAreChecked", func(t *testing.T) {
		t.Parallel()
		r := newProgram(t, serve, "KNOBOT_LOG_LEVEL=loud", "KNOBOT_DRAIN=1h", "KNOBOT_TLS_CERT_FILE=x.pem")
		r.program.defaults.GRPCAddr = ""
		require.Equal(t, 1, r.main())
		require.Equal(t, "tested: the environment has faults:\n"+
			"  KNOBOT_DRAIN: 1h0m0s is not between 0s and 1m\n"+
			"  KNOBOT_GRPC_ADDR is required and not set\n"+
			"  KNOBOT_LOG_LEVEL: level \"loud\" is none of debug, info, warn, error\n"+
			"  KNOBOT_TLS_CERT_FILE, KNOBOT_TLS_KEY_FILE, KNOBOT_TLS_CA_FILE: certificate, key and CA come together: some of the three are not set\n",
			r.stderr.String())
	})

	t.Run("AConfigWithoutTheCommonPartIsRefused", func(t *testing.T) {
		t.Parallel()
		stderr := &output{}
		p := &program[struct{}]{name: "tested", stderr: stderr}
		require.Equal(t, 1, p.main(t.Context()))
		require.Contains(t, stderr.String(), "does not embed service.Config")
	})
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")
	migrating := func(t *testing.T, results ...error) *running {
		t.Helper()
		r := newProgram(t, serve)
		WithMigrate(func(context.Context, testConfig, *zap.Logger) error {
			err := results[0]
			results = results[1:]
			return err
		})(r.program)
		return r
	}

	t.Run("RunsOnce", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 0, migrating(t, nil).main("migrate"))
	})

	t.Run("FailsAtOnceWithoutWait", func(t *testing.T) {
		t.Parallel()
		r := migrating(t, down)
		require.Equal(t, 1, r.main("migrate"))
		require.Len(t, r.stderr.lines("failed"), 1)
	})

	t.Run("WaitsForTheDatabase", func(t *testing.T) {
		t.Parallel()
		r := migrating(t, down, nil)
		require.Equal(t, 0, r.main("migrate", "--wait"))
		require.Len(t, r.stderr.lines("waiting for the database"), 1)
	})

	t.Run("DoesNotWaitOutOtherErrors", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 1, migrating(t, errors.New("syntax error")).main("migrate", "--wait"))
	})

	t.Run("ASignalEndsTheWait", func(t *testing.T) {
		t.Parallel()
		r := migrating(t, down, down, down)
		r.signals <- os.Signal(syscall.SIGINT)
		require.Equal(t, 1, r.main("migrate", "--wait"))
	})
}

func TestVersionIsNeverEmpty(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, Version())
}
