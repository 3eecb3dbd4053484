// Package terminal is a phone in a terminal: it writes as a customer through the simulator and shows what comes back.
package terminal

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
	"github.com/knobot/knobot/simulator/scenario"
)

// Options of a chat.
type Options struct {
	Chat        simulator.Chat
	Person      simulator.Person
	Wait        time.Duration // for an answer, when not interactive
	In          io.Reader
	Out         io.Writer
	Interactive bool
}

// ErrNoAnswer says that a piped question was not answered in time.
var ErrNoAnswer = errors.New("no answer came in time")

// phone is the state of one chat.
type phone struct {
	Options
	sim      *client.Client
	answered chan int64 // numbers of the messages that arrived

	mu      sync.Mutex
	message string             // id of the last message with buttons
	buttons []simulator.Button // its buttons, numbered from 1
}

// Interactive says whether a person types.
func Interactive(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Chat sends each line of the input as a message until the input or ctx ends. "#2" presses the second button.
func Chat(ctx context.Context, sim *client.Client, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &phone{Options: o, sim: sim, answered: make(chan int64, 1024)}
	following := make(chan error, 1)
	ready := make(chan struct{})
	go func() { following <- sim.Events(ctx, client.Filter{Chat: o.Chat}, func() { close(ready) }, p.show) }()
	select {
	case <-ready:
	case err := <-following:
		return err
	}
	if o.Interactive {
		p.print("%s · %s. Write and press Enter; #1 presses a button, Ctrl-D ends.\n", o.Chat.Platform, o.Person.Name)
	}
	lines := p.read(ctx)
	for {
		select {
		case err := <-following:
			return err
		case line, more := <-lines:
			if !more {
				return nil
			}
			if err := p.say(ctx, line); err != nil {
				return err
			}
		}
	}
}

// read hands on the lines of the input. Reading a terminal cannot be interrupted, so it has a goroutine of its own.
func (p *phone) read(ctx context.Context) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(p.In)
		scanner.Buffer(nil, 2<<20)
		for scanner.Scan() {
			if text := strings.TrimSpace(scanner.Text()); text != "" {
				select {
				case lines <- text:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return lines
}

// say sends one line and, when questions are piped in, waits for the answer to it.
func (p *phone) say(ctx context.Context, text string) error {
	var said simulator.Message
	var err error
	if press, ok := p.press(text); ok {
		said, err = p.sim.Press(ctx, press)
	} else {
		said, err = p.sim.Say(ctx, simulator.Utterance{
			Platform: p.Chat.Platform, Account: p.Chat.Account, From: p.Chat.User, Person: p.Person, Text: text,
		})
	}
	if err != nil || p.Interactive {
		return err
	}
	p.print("> %s\n", text)
	timeout := time.NewTimer(p.Wait)
	defer timeout.Stop()
	for {
		select {
		case seq := <-p.answered:
			if seq > said.Seq {
				return nil
			}
		case <-timeout.C:
			return ErrNoAnswer
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// press reads "#2" as the second of the buttons shown last.
func (p *phone) press(text string) (simulator.Press, bool) {
	number, found := strings.CutPrefix(text, "#")
	n, err := strconv.Atoi(number)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !found || err != nil || n < 1 || n > len(p.buttons) {
		return simulator.Press{}, false
	}
	button := p.buttons[n-1]
	// A button of Telegram's reply keyboard has no data.
	return simulator.Press{Chat: p.Chat, Message: p.message, Data: cmp.Or(button.Data, button.Text)}, true
}

// show prints what the business sends.
func (p *phone) show(e simulator.Event) error {
	switch {
	case e.Type == simulator.EventTyping && p.Interactive:
		p.print("  …\n")
	case e.Type == simulator.EventNotice && e.Text != "":
		p.print("  (%s)\n", e.Text)
	case e.Type == simulator.EventDraft && p.Interactive:
		p.print("  … %s\n", e.Text)
	case e.Type == simulator.EventMessage && e.Message != nil && e.Message.Direction == simulator.Outbound:
		p.print("%s\n", indent(shown(e.Message)))
		p.number(e.Message)
		select {
		case p.answered <- e.Message.Seq:
		default: // nobody waits
		}
	}
	return nil
}

// shown is a message as text: a file or a place has a line of its own.
func shown(m *simulator.Message) string {
	if m.Media == nil && m.Detail == "" {
		return m.Text
	}
	line := *m
	line.Text, line.Buttons, line.Keyboard = "", nil, nil
	return strings.TrimSpace(scenario.Line(line) + "\n" + m.Text)
}

// number prints the buttons of a message with the numbers that press them.
func (p *phone) number(m *simulator.Message) {
	var buttons []simulator.Button
	for _, row := range slices.Concat(m.Buttons, m.Keyboard) {
		buttons = append(buttons, row...)
	}
	for i, b := range buttons {
		p.print("    [#%d] %s\n", i+1, b.Text)
	}
	if len(buttons) > 0 {
		p.mu.Lock()
		p.message, p.buttons = m.ID, buttons
		p.mu.Unlock()
	}
}

func (p *phone) print(format string, a ...any) { _, _ = fmt.Fprintf(p.Out, format, a...) }

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
