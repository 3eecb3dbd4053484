package e2e

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// stores are shared by all tests; each system has a database and knowledge bases of its own.
var stores *system.Stores //nolint:gochecknoglobals // TestMain has no other way to hand it on

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the expectations of recorded payloads anew")
	os.Exit(system.RunTests(m, func(shared *system.Stores) { stores = shared }))
}

// start runs a system for one test and prints its logs if the test fails.
func start(t *testing.T, env map[string]string) *system.System {
	t.Helper()
	s, err := system.Start(t.Context(), stores, system.Options{Env: env})
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Log(s.Logs())
		}
	})
	return s
}

// customer is somebody who writes through the simulator.
type customer struct {
	t   *testing.T
	s   *system.System
	say simulator.Utterance
}

func telegramCustomer(t *testing.T, s *system.System, id, username string) *customer {
	t.Helper()
	return &customer{t: t, s: s, say: simulator.Utterance{
		Platform: simulator.Telegram, From: id, Person: simulator.Person{Name: "Ana", Username: username, Language: "es"},
	}}
}

func whatsAppCustomer(t *testing.T, s *system.System, phone string) *customer {
	t.Helper()
	return &customer{t: t, s: s, say: simulator.Utterance{
		Platform: simulator.WhatsApp, From: phone, Person: simulator.Person{Name: "Ana"},
	}}
}

// write sends a text and returns it as the phone shows it.
func (c *customer) write(text string) simulator.Message {
	c.t.Helper()
	u := c.say
	u.Text = text
	said, err := c.s.Simulator.Say(c.t.Context(), u)
	require.NoError(c.t, err)
	return said
}

// ask sends a text and returns the first message that comes back.
func (c *customer) ask(text string) simulator.Message {
	c.t.Helper()
	said := c.write(text)
	return c.awaitAnswer(said)
}

// awaitAnswer waits for the first message of the business after the one given.
func (c *customer) awaitAnswer(said simulator.Message) simulator.Message {
	c.t.Helper()
	var answer simulator.Message
	require.Eventually(c.t, func() bool {
		messages, err := c.s.Simulator.Messages(c.t.Context(), said.Chat, said.Seq)
		for _, m := range messages {
			if err == nil && m.Direction == simulator.Outbound {
				answer = m
				return true
			}
		}
		return false
	}, 30*time.Second, 20*time.Millisecond, "no answer to %q", said.Text)
	return answer
}
