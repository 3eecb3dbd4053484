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

// atOnce is how many cases run at the same time: they mostly wait.
const atOnce = "6"

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", atOnce) // who says otherwise on the command line is right
	flag.Parse()
	os.Exit(system.RunTests(m, func(shared *system.Stores) { stores = shared }))
}

// scenario is a row of the table: something goes wrong while customers write.
type scenario struct {
	name string
	play func(c *stage)
	// alone keeps other cases away, because how fast it goes is what it is about.
	alone bool
}

// TestFaults plays every case. What each proves beyond its own assertions is the same for all: see stage.close.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, s := range []scenario{
		{"L1FullNumber", fullNumber, true},
		{"L2Burst", burst, true},
		{"L3LongLoad", longLoad, true},
		{"F11PoisonedMessage", poisonedMessage, !*long}, // at full length it waits for its tries
		{"F1KilledServices", killedServices, false},
		{"F2RollingRestarts", rollingRestarts, true}, // beside others its balancer notices a drain too late
		{"F3DatabaseCrashes", databaseCrashes, false},
		{"F3ConnectionsAreTerminated", connectionsTerminated, false},
		{"F3DatabaseIsHeldUp", databaseHeldUp, false},
		{"F4IndexFails", indexFails, false},
		{"F5ModelFails", modelFails, false},
		{"F6PlatformsFail", platformsFail, false},
		{"F6PlatformsAreAway", platformsAreAway, false},
		{"F6PlatformsSayNothing", platformsSayNothing, false},
		{"F7WebhooksRepeat", webhooksRepeat, false},
		{"F8LinksAreHalfOpen", linksFail, false},
		{"F8TwinsDie", twinsDie, false},
		{"F9ClocksDiffer", clocksDiffer, false},
		{"F10DiskIsFull", diskFull, false},
		{"B1B2HostileEdge", hostileEdge, false},
		{"B6HostileRPC", hostileRPC, false},
	} {
		t.Run(s.name, func(t *testing.T) {
			if !s.alone {
				t.Parallel()
			}
			s.play(newStage(t, s.name))
		})
	}
}
