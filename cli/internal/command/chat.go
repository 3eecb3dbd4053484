package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/knobot/knobot/cli/internal/terminal"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// chatCommand is a customer with a terminal for a phone.
type chatCommand struct {
	Platform  string        `enum:"whatsapp,telegram" default:"telegram" help:"whatsapp or telegram."`
	From      string        `help:"The customer: phone digits on WhatsApp, a number on Telegram." placeholder:"ID"`
	Name      string        `default:"Ana" help:"The customer's name."`
	Account   string        `help:"The phone number id or bot id to write to; the first one if left out." placeholder:"ID"`
	Simulator string        `env:"KNOBOT_SIMULATOR_ADDR" default:"127.0.0.1:9800" help:"Address of the simulator."`
	Wait      time.Duration `default:"60s" help:"How long to wait for an answer when the questions are piped in."`
	Scenario  string        `type:"existingfile" placeholder:"FILE" help:"Play the steps of a file and compare the answers (docs/simulator.md); exits with 1 if one is not as expected."`
}

// Run chats until the input ends. Piped questions are asked one after the other, each when the one before was answered.
func (c chatCommand) Run(ctx context.Context, s session) error {
	if c.Scenario != "" {
		return c.play(ctx, s)
	}
	chat, sim, err := c.open(ctx)
	if err != nil {
		return err
	}
	return terminal.Chat(ctx, sim, terminal.Options{
		Chat: chat, Person: simulator.Person{Name: c.Name}, Wait: c.Wait,
		In: s.in, Out: s.out, Interactive: terminal.Interactive(s.in),
	})
}

// open finds the account and chooses a customer.
func (c chatCommand) open(ctx context.Context) (simulator.Chat, *client.Client, error) {
	sim := client.New("http://"+c.Simulator, nil)
	chat := simulator.Chat{Platform: simulator.Platform(c.Platform), Account: c.Account, User: c.From}
	accounts, err := sim.Accounts(ctx)
	if err != nil {
		return chat, nil, fmt.Errorf("the simulator does not answer at %s (is make up running?): %w", c.Simulator, err)
	}
	if chat.Account == "" {
		chat.Account = firstAccount(accounts, chat.Platform)
	}
	if chat.Account == "" {
		return chat, nil, errors.New("the simulator has no " + c.Platform + " account")
	}
	if chat.User == "" {
		chat.User = map[string]string{"whatsapp": "573001234567", "telegram": "700001"}[c.Platform]
	}
	return chat, sim, nil
}

func firstAccount(a simulator.Accounts, p simulator.Platform) string {
	if p == simulator.WhatsApp && len(a.Numbers) > 0 {
		return a.Numbers[0].ID
	}
	if p == simulator.Telegram && len(a.Bots) > 0 {
		return a.Bots[0].ID
	}
	return ""
}
