// Package crowd is customers who write through the simulator, and the evidence of what became of their questions.
package crowd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// Plan says who writes what, and how fast.
type Plan struct {
	// First is the number of the first customer, which stands in the codes of the questions: crowds of one system differ in it.
	// The first is 1 when zero: 0 is the probes'.
	First     int
	Customers int
	// Questions is how many each asks, each once the one before was acknowledged. 0 goes on until the context ends.
	Questions int
	// Every is how far two questions are apart, over all customers; 0 is as fast as they are acknowledged.
	Every time.Duration
	// Platform of a customer; nil for one of each in turn.
	Platform func(customer int) simulator.Platform
	// Say makes the utterance of a question; nil for a plain text.
	Say func(u simulator.Utterance, customer, question int) simulator.Utterance
}

// Crowd is a number of customers of one system.
type Crowd struct {
	simulator    *client.Client
	conversation grpc.ClientConnInterface

	mu           sync.Mutex
	asked        map[string]asked         // by code
	acknowledged map[string]chan struct{} // by message
	answered     map[string]time.Time     // by code, when it first came
	grown        chan struct{}            // closed whenever answered grows
}

// asked is a question as the phone shows it.
type asked struct {
	simulator.Message
	at time.Time
}

// Gather watches all phones of a system until ctx ends; the conversation service tells what became of their questions.
func Gather(ctx context.Context, phones *client.Client, conversation grpc.ClientConnInterface) (*Crowd, error) {
	c := &Crowd{
		simulator: phones, conversation: conversation, asked: map[string]asked{}, acknowledged: map[string]chan struct{}{}, answered: map[string]time.Time{},
		grown: make(chan struct{}),
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- phones.Events(ctx, client.Filter{}, func() { close(ready) }, c.see) }()
	select {
	case <-ready:
		return c, nil
	case err := <-ended:
		return nil, err
	}
}

// Write has customers write as planned. It returns when all is said, or when ctx ends for a plan without end.
func (c *Crowd) Write(ctx context.Context, p Plan) error {
	p.First = max(p.First, 1)
	always := make(chan time.Time)
	close(always)
	var turn <-chan time.Time = always
	if p.Every > 0 {
		tick := time.NewTicker(p.Every)
		defer tick.Stop()
		turn = tick.C
	}
	customers, writing := errgroup.WithContext(ctx)
	for n := range p.Customers {
		customers.Go(func() error {
			for q := 0; p.Questions == 0 || q < p.Questions; q++ {
				select {
				case <-turn:
				case <-writing.Done():
					return nil
				}
				if err := c.ask(writing, p, p.First+n, q); err != nil && writing.Err() == nil {
					return fmt.Errorf("customer %d, question %d: %w", p.First+n, q, err)
				}
			}
			return nil
		})
	}
	if err := customers.Wait(); err != nil {
		return err
	}
	if p.Questions > 0 {
		return ctx.Err()
	}
	return nil
}

func (c *Crowd) ask(ctx context.Context, p Plan, customer, question int) error {
	u := Utterance(p.platform(customer), customer, question)
	if p.Say != nil {
		u = p.Say(u, customer, question)
	}
	said, err := c.Say(ctx, model.Code(customer, question), u)
	if err != nil {
		return err
	}
	c.mu.Lock()
	signal := c.signal(said)
	c.mu.Unlock()
	select {
	case <-signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p Plan) platform(customer int) simulator.Platform {
	switch {
	case p.Platform != nil:
		return p.Platform(customer)
	case customer%2 == 0:
		return simulator.WhatsApp
	default:
		return simulator.Telegram
	}
}

// Utterance is a customer's nth question.
func Utterance(platform simulator.Platform, customer, question int) simulator.Utterance {
	u := simulator.Utterance{Platform: platform, From: strconv.Itoa(700_000 + customer), Text: "¿Y esto? " + model.Code(customer, question)}
	if platform == simulator.WhatsApp {
		u.From = fmt.Sprintf("57320%07d", customer)
	}
	return u
}

// AskAboutBranch makes a question about a branch of its own, which the document that Branch returns answers.
func AskAboutBranch(u simulator.Utterance, customer, question int) simulator.Utterance {
	u.Text = "¿A qué hora abre la sucursal " + model.Code(customer, question) + "?"
	return u
}

// Branch is a document, in Markdown, about the branch of a code.
func Branch(code string) string {
	return "# Sucursal " + code + "\n\nLa sucursal " + code + " abre de 10:00 a 14:00.\n"
}

// Say says something that holds a code, and remembers it as a question. It does not wait for the acknowledgement.
func (c *Crowd) Say(ctx context.Context, code string, u simulator.Utterance) (simulator.Message, error) {
	at := time.Now()
	said, err := c.simulator.Say(context.WithoutCancel(ctx), u) // what is said is said: it must be remembered
	if err != nil {
		return said, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[code] = asked{said, at}
	return said, nil
}

// see keeps what the phones show.
func (c *Crowd) see(e simulator.Event) error {
	if e.Message == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case e.Message.Direction == simulator.Inbound && e.Message.State != simulator.StateSent:
		select {
		case <-c.signal(*e.Message):
		default:
			close(c.signal(*e.Message))
		}
	case e.Message.Direction == simulator.Outbound && e.Type == simulator.EventMessage:
		for _, code := range model.Codes(e.Message.Text) {
			if _, again := c.answered[code]; !again {
				c.answered[code] = e.Message.Time
			}
		}
		close(c.grown)
		c.grown = make(chan struct{})
	}
	return nil
}

// signal returns the channel that is closed when a message's webhook was acknowledged. The lock is held.
func (c *Crowd) signal(m simulator.Message) chan struct{} {
	key := string(m.Platform) + "/" + m.User + "/" + m.ID
	if c.acknowledged[key] == nil {
		c.acknowledged[key] = make(chan struct{})
	}
	return c.acknowledged[key]
}

// Answered returns how many questions were answered so far.
func (c *Crowd) Answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answered)
}

// Asked returns how many questions were asked so far.
func (c *Crowd) Asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// AwaitAnswered waits until so many questions were answered.
func (c *Crowd) AwaitAnswered(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		have, grown := len(c.answered), c.grown
		c.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d questions were answered: %w", have, n, ctx.Err())
		}
	}
}

// Waits returns how long the questions of some customers waited from being asked to their answer, sorted.
func (c *Crowd) Waits(of func(customer int) bool) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for code, q := range c.asked {
		var customer, n int
		_, _ = fmt.Sscanf(code, "Q%dx%d", &customer, &n)
		if at, ok := c.answered[code]; ok && of(customer) {
			all = append(all, at.Sub(q.at))
		}
	}
	slices.Sort(all)
	return all
}
