package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// ErrFailed says that an expectation was not met; the transcript says which.
var ErrFailed = errors.New("the scenario failed")

// Options of a run.
type Options struct {
	// Dir holds the files that a scenario names by their path; none when nil.
	Dir fs.FS
	// Out takes the transcript.
	Out io.Writer
}

// defaultWithin is how long an expectation waits when nothing says otherwise.
const defaultWithin = 30 * time.Second

// player is a scenario that is being played.
type player struct {
	Scenario
	Options
	sim    *client.Client
	watch  *watch
	chats  map[string]simulator.Chat // of the customers
	labels map[string]string         // ids of messages
	files  map[string]string         // ids of uploaded files
	from   map[string]int            // the place up to which a customer's events were used
	failed int
	met    int

	mu    sync.Mutex // of the transcript and of names
	names map[simulator.Chat]string
}

// Run plays a scenario. It returns ErrFailed when an expectation was not met,
// after the last step, and other errors at once.
func Run(ctx context.Context, sim *client.Client, s Scenario, o Options) error {
	p := &player{
		Scenario: s, Options: o, sim: sim, watch: newWatch(), chats: map[string]simulator.Chat{},
		labels: map[string]string{}, files: map[string]string{}, from: map[string]int{}, names: map[simulator.Chat]string{},
	}
	p.Customers = maps.Clone(s.Customers)
	if p.Within <= 0 {
		p.Within = simulator.Duration(defaultWithin)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := p.prepare(ctx); err != nil {
		return err
	}
	if err := p.follow(ctx); err != nil {
		return err
	}
	for i, step := range s.Steps {
		if err := p.play(ctx, step); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	p.say("%d steps, %d expectations met, %d failed", len(s.Steps), p.met, p.failed)
	if p.failed > 0 {
		return ErrFailed
	}
	return nil
}

// prepare finds the customers' chats and uploads the files.
func (p *player) prepare(ctx context.Context) error {
	accounts, err := p.sim.Accounts(ctx)
	if err != nil {
		return err
	}
	for name, u := range p.Customers {
		if u.Account == "" {
			u.Account = first(accounts, u.Platform)
		}
		if u.Account == "" {
			return fmt.Errorf("customer %q: the simulator has no account of platform %q", name, u.Platform)
		}
		p.Customers[name] = u
		p.here(name, u.Chat())
	}
	for name, file := range p.Files {
		content, err := p.content(file)
		if err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
		kept, err := p.sim.Upload(ctx, content, file.Type, file.Name)
		if err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
		p.files[name] = kept.ID
	}
	return nil
}

// here says in which chat a customer is.
func (p *player) here(as string, chat simulator.Chat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chats[as], p.names[chat] = chat, as
}

func first(a simulator.Accounts, platform simulator.Platform) string {
	switch {
	case platform == simulator.WhatsApp && len(a.Numbers) > 0:
		return a.Numbers[0].ID
	case platform == simulator.Telegram && len(a.Bots) > 0:
		return a.Bots[0].ID
	default:
		return ""
	}
}

func (p *player) content(f File) ([]byte, error) {
	switch {
	case f.Path == "":
		return append(f.Base64, f.Text...), nil
	case p.Dir == nil:
		return nil, errors.New("no folder to read it from")
	default:
		return fs.ReadFile(p.Dir, f.Path)
	}
}

// follow begins to watch the phones.
func (p *player) follow(ctx context.Context) error {
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		err := p.sim.Events(ctx, client.Filter{}, func() { close(ready) }, func(e simulator.Event) error {
			p.show(e)
			return p.watch.add(e)
		})
		p.watch.end(err)
		ended <- err
	}()
	select {
	case <-ready:
		return nil
	case err := <-ended:
		return err
	}
}

// play does one step.
func (p *player) play(ctx context.Context, s Step) error {
	before := p.watch.now()
	for range max(s.Repeat, 1) {
		if err := p.act(ctx, s); err != nil {
			return err
		}
	}
	if s.acts() > 0 {
		p.from[s.As] = before
	}
	if s.Wait > 0 {
		s.Expect = append([]Expectation{{Within: s.Wait}}, s.Expect...)
	}
	for _, e := range s.Expect {
		if err := p.expect(ctx, s.As, e); err != nil {
			return err
		}
	}
	if s.Quiet > 0 {
		return p.expectQuiet(ctx, s.As, time.Duration(s.Quiet))
	}
	return nil
}

func (p *player) say(format string, a ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.Out, format+"\n", a...)
}
