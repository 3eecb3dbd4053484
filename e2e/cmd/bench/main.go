// Command bench measures KnoBot beside the floor, a bare net/http handler, in one run on one machine: read the ratios. It
// builds nothing of KnoBot itself; `make bench` does that first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// options of a run.
type options struct {
	rounds int
	length time.Duration
	turns  int
	// searches of a round.
	searches int
	only     string
	// grown is how many stored webhooks a used database has.
	grown int
	// profile is the folder for CPU profiles, empty for none.
	profile string
}

func main() {
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median of their ratios is printed")
	flag.DurationVar(&o.length, "length", 5*time.Second, "length of one load")
	flag.IntVar(&o.turns, "turns", 200, "questions of the latency measurement, 10 a second")
	flag.IntVar(&o.searches, "searches", 4000, "searches of a round")
	flag.StringVar(&o.only, "only", "", "one part alone: webhooks, answers, ingest, growth, start or search")
	flag.IntVar(&o.grown, "grown", 1_000_000, "stored webhooks of a used database")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the services")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "kb-") // short: a socket lies below it
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as another user and must pass
		return err
	}
	// fsync stays on: an acknowledgement that a crash loses is none.
	stores, err := system.StartStores(ctx, dir, true)
	if err != nil {
		return err
	}
	defer stores.Stop()
	fmt.Printf("%s · load average before: %s\n", machine(), loadAverage())
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"webhooks", func() error { return benchAcknowledgements(ctx, o, stores, dir) }},
		{"answers", func() error { return benchAnswers(ctx, o, stores, dir) }},
		{"ingest", func() error { return benchIngest(ctx, stores) }},
		{"growth", func() error { return benchGrowth(ctx, o, stores) }},
		{"start", func() error { return benchStart(ctx, o, stores) }},
		{"search", func() error { return benchSearches(ctx, o, stores) }},
	} {
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.run(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Printf("load average after: %s\n", loadAverage())
	return nil
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	model, count := "unknown processor", 0
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(name, "model name") {
			model = strings.TrimSpace(value)
			count++
		}
	}
	return fmt.Sprintf("%d × %s", count, model)
}
