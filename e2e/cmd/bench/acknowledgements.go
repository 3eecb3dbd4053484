package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// benchAcknowledgements compares acknowledged webhooks, floor and KnoBot in turn: how many a second, how soon, and at what
// processor time.
func benchAcknowledgements(ctx context.Context, o options, stores *system.Stores, dir string) error {
	floor, err := startFloor(ctx, stores, dir, "")
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
	a := acknowledgements{options: o, stores: stores, floor: floor, system: s}
	fmt.Printf("\nAcknowledged webhooks (1.5 KB, HMAC, committed with fsync), %d rounds of %s each; KnoBot: gateway and conversation as processes, role api\n", o.rounds, o.length)
	fmt.Printf("%-12s %36s %36s %8s\n", "connections", "floor  /s   p50    p99    CPU/ack", "KnoBot /s   p50    p99    CPU/ack", "ratio")
	for _, connections := range []int{1, 16, 64} {
		if err := a.compare(ctx, connections); err != nil {
			return err
		}
	}
	const connections = 64
	url, c := s.HTTP+system.WhatsAppPath, s.Credentials
	for range o.rounds {
		own := load(ctx, url, c.AppSecret, c.PhoneNumberID, connections, o.length)
		foreign := foreignLoad(url, c.AppSecret, c.PhoneNumberID, connections, o.length)
		fmt.Printf("The same load by vegeta at %d connections: %s, by our own: %s\n", connections, foreign, own)
	}
	return nil
}

// acknowledgements compares two receivers.
type acknowledgements struct {
	options
	stores *system.Stores
	floor  *floorProcess
	system *system.System
}

// side is what one receiver did.
type side struct {
	result
	cpu cpu
}

// String is a row's cell.
func (s side) String() string {
	return s.result.String() + " " + perMessage(s.cpu.total(), s.acknowledged)
}

func (a *acknowledgements) compare(ctx context.Context, connections int) error {
	var ratios, costs []float64
	var last side
	for range a.rounds {
		f := a.measure(map[string]int{"floor": a.floor.cmd.Process.Pid}, func() result {
			return load(ctx, a.floor.url, a.floor.secret, a.system.Credentials.PhoneNumberID, connections, a.length)
		})
		var k side
		services := []*system.Program{a.system.Gateway, a.system.Conversation, a.system.Channels}
		err := profile(ctx, a.profile, fmt.Sprintf("acknowledge-%d", connections), a.length, services, func() error {
			k = a.measure(pids(services), func() result {
				return load(ctx, a.system.HTTP+system.WhatsAppPath, a.system.Credentials.AppSecret, a.system.Credentials.PhoneNumberID, connections, a.length)
			})
			return nil
		})
		if err != nil {
			return err
		}
		ratios = append(ratios, k.rate/f.rate)
		costs = append(costs, perOne(k)/perOne(f))
		fmt.Printf("%-12d %36s %36s %8.2f\n", connections, f, k, k.rate/f.rate)
		last = k
	}
	fmt.Printf("%-12d %82s %.2f, of CPU per acknowledgement %.1f\n", connections, "median ratio", median(ratios), median(costs))
	fmt.Printf("%-12s %82s", "", "KnoBot's CPU per acknowledgement:")
	for _, name := range []string{"gateway", "conversation", "channels"} {
		fmt.Printf(" %s %s", name, perMessage(last.cpu.own[name], last.acknowledged))
	}
	fmt.Printf(" PostgreSQL %s\n", perMessage(last.cpu.pg, last.acknowledged))
	return nil
}

func (a *acknowledgements) measure(programs map[string]int, do func() result) side {
	before := cpuOf(programs, a.stores)
	r := do()
	return side{result: r, cpu: cpuOf(programs, a.stores).since(before)}
}

func perOne(s side) float64 { return float64(s.cpu.total()) / float64(max(s.acknowledged, 1)) }

func pids(programs []*system.Program) map[string]int {
	out := map[string]int{}
	for _, p := range programs {
		out[p.Name] = p.PID()
	}
	return out
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

// startFloor starts the bare handler, or with a URL for its answers the floor bot.
func startFloor(ctx context.Context, stores *system.Stores, dir, reply string) (*floorProcess, error) {
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
	f.cmd.Env = []string{"FLOOR_ADDR=" + address, "FLOOR_SECRET=" + f.secret, "FLOOR_DATABASE_URL=" + stores.Postgres.URL("floor").Reveal() + "&pool_max_conns=16", "FLOOR_REPLY_URL=" + reply}
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
