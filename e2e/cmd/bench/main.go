// Command bench measures KnoBot beside the floor, a bare net/http handler, in one run on one machine: read the ratios. It
// builds nothing of KnoBot itself; `make bench` does that first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
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
}

func main() {
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median of their ratios is printed")
	flag.DurationVar(&o.length, "length", 5*time.Second, "length of one load")
	flag.IntVar(&o.turns, "turns", 200, "questions of the latency measurement, 10 a second")
	flag.IntVar(&o.searches, "searches", 2000, "searches of a round")
	flag.StringVar(&o.only, "only", "", "one part alone: webhooks, answers, ingest or search")
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
		{"answers", func() error { return benchAnswers(ctx, o, stores) }},
		{"ingest", func() error { return benchIngest(ctx, stores) }},
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

// benchAcknowledgements compares acknowledged webhooks per second, floor and KnoBot in turn.
func benchAcknowledgements(ctx context.Context, o options, stores *system.Stores, dir string) error {
	floor, err := startFloor(ctx, stores, dir)
	if err != nil {
		return err
	}
	defer floor.stop()
	// Role api: acknowledging alone is measured, in the real topology of two processes.
	s, err := system.Start(ctx, stores, system.Options{Env: map[string]string{"KNOBOT_ROLE": "api"}})
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Printf("\nAcknowledged webhooks (1.5 KB, HMAC, committed with fsync), %d rounds of %s each; KnoBot: gateway and conversation as processes, role api\n", o.rounds, o.length)
	fmt.Printf("%-12s %28s %28s %8s\n", "connections", "floor  /s   p50    p99", "KnoBot /s   p50    p99", "ratio")
	for _, connections := range []int{1, 16, 64} {
		var ratios []float64
		for range o.rounds {
			f := load(ctx, floor.url, floor.secret, s.Credentials.PhoneNumberID, connections, o.length)
			k := load(ctx, s.HTTP+system.WhatsAppPath, s.Credentials.AppSecret, s.Credentials.PhoneNumberID, connections, o.length)
			ratios = append(ratios, k.rate/f.rate)
			fmt.Printf("%-12d %28s %28s %8.2f\n", connections, f, k, k.rate/f.rate)
		}
		fmt.Printf("%-12d %66s %.2f\n", connections, "median ratio", median(ratios))
	}
	return nil
}

// String is a row's cell.
func (r result) String() string {
	cell := fmt.Sprintf("%.0f %s %s", r.rate, milliseconds(r.p50), milliseconds(r.p99))
	if r.refused > 0 {
		cell += fmt.Sprintf(" (%d refused)", r.refused)
	}
	return cell
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}

// floorProcess is the bare handler, a process like ours.
type floorProcess struct {
	cmd         *exec.Cmd
	url, secret string
}

func startFloor(ctx context.Context, stores *system.Stores, dir string) (*floorProcess, error) {
	binary := filepath.Join(dir, "floor")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./e2e/cmd/floor")
	build.Dir = system.Root()
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the floor: %w\n%s", err, out)
	}
	if err := stores.Postgres.EnsureDatabase(ctx, "floor"); err != nil {
		return nil, err
	}
	address, err := system.FreeAddress()
	if err != nil {
		return nil, err
	}
	f := &floorProcess{url: "http://" + address, secret: "floor"}
	f.cmd = exec.CommandContext(ctx, binary)
	f.cmd.Env = []string{"FLOOR_ADDR=" + address, "FLOOR_SECRET=" + f.secret, "FLOOR_DATABASE_URL=" + stores.Postgres.URL("floor").Reveal() + "&pool_max_conns=16"}
	f.cmd.Stderr = os.Stderr
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	return f, system.AwaitListening(ctx, address)
}

func (f *floorProcess) stop() {
	_ = f.cmd.Process.Signal(syscall.SIGTERM)
	_ = f.cmd.Wait()
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
