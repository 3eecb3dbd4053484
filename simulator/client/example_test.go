package client_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// A test lets a customer ask and waits for the answer.
func Example() {
	ctx := context.Background()
	c := client.New("http://127.0.0.1:9800", nil)
	answered := errors.New("answered")
	chat := simulator.Chat{Platform: simulator.WhatsApp, User: "573001234567"}
	ask := func() {
		question := simulator.Utterance{Platform: chat.Platform, From: chat.User, Text: "¿A qué hora abren?"}
		if _, err := c.Say(ctx, question); err != nil {
			fmt.Println(err)
		}
	}
	err := c.Events(ctx, client.Filter{Chat: chat}, ask, func(e simulator.Event) error {
		if e.Type == simulator.EventMessage && e.Message.Direction == simulator.Outbound {
			fmt.Println(e.Message.Text)
			return answered
		}
		return nil
	})
	if !errors.Is(err, answered) {
		fmt.Println(err)
	}
}
