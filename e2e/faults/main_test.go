// Package faults breaks KnoBot in every way that can be thought of while customers write, and then accounts for every message.
// Each case is short here; with -long it is what its name promises (make test-faults).
package faults

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

var (
	// stores are shared by all cases that do not break them; each system has a database of its own.
	stores *system.Stores //nolint:gochecknoglobals // TestMain has no other way to hand it on
	long   = flag.Bool("long", false, "run each case at its full length")
	soak   = flag.Duration("soak", 2*time.Minute, "how long the soak lasts with -long")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(system.RunTests(m, func(shared *system.Stores) { stores = shared }))
}

// scenario is a row of the table: something goes wrong while customers write.
type scenario struct {
	name string
	play func(c *stage)
}

// TestFaults plays every case. What each proves beyond its own assertions is the same for all: see stage.close.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, s := range []scenario{
		{"F1KilledServices", killedServices},
		{"F2RollingRestarts", rollingRestarts},
		{"F3DatabaseCrashes", databaseCrashes},
		{"F3ConnectionsAreTerminated", connectionsTerminated},
		{"F3DatabaseIsHeldUp", databaseHeldUp},
		{"F4IndexFails", indexFails},
		{"F5ModelFails", modelFails},
		{"F6PlatformsFail", platformsFail},
		{"F6PlatformsAreAway", platformsAreAway},
		{"F7WebhooksRepeat", webhooksRepeat},
		{"F8LinksAreHalfOpen", linksFail},
		{"F8TwinsDie", twinsDie},
		{"F9ClocksDiffer", clocksDiffer},
		{"F10DiskIsFull", diskFull},
		{"F11PoisonedMessage", poisonedMessage},
		{"L1FullNumber", fullNumber},
		{"L2Burst", burst},
		{"L3LongLoad", longLoad},
		{"B1B2HostileEdge", hostileEdge},
		{"B6HostileRPC", hostileRPC},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(newStage(t, s.name))
		})
	}
}
