package postgres_test

import (
	"os"
	"testing"

	"github.com/knobot/knobot/platform/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
