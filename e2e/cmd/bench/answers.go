package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// question is one that the document below answers.
const (
	question = "¿Cuánto tarda el envío a domicilio?"
	document = "# Envíos\n\nEl envío a domicilio tarda dos días laborables y cuesta cuatro euros.\n"
)

// benchAnswers measures from a customer's message to the answer on the phone, without a model: webhook, ingest, retrieval
// from a real Weaviate, extraction, sending. The simulator is both ends.
func benchAnswers(ctx context.Context, o options, stores *system.Stores) error {
	s, err := system.Start(ctx, stores, system.Options{Env: map[string]string{"KNOBOT_DEBOUNCE": "0s"}})
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := s.Store(ctx, "envios.md", document); err != nil {
		return err
	}
	latencies, err := askSteadily(ctx, s, o.turns)
	if err != nil {
		return err
	}
	slices.Sort(latencies)
	fmt.Printf("\nQuestion to answer on Telegram, 10 a second, no model, debounce 0: p50 %s  p99 %s  (%d of %d answered)\n",
		milliseconds(percentile(latencies, 50)), milliseconds(percentile(latencies, 99)), len(latencies), o.turns)
	return nil
}

// askSteadily lets a new customer ask every 100 ms and times each answer.
func askSteadily(ctx context.Context, s *system.System, turns int) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(turns)*100*time.Millisecond+30*time.Second)
	defer cancel()
	answered := make(chan simulator.Event, turns)
	ready := make(chan struct{})
	go func() {
		_ = s.Simulator.Events(ctx, client.Filter{}, func() { close(ready) }, func(e simulator.Event) error {
			if e.Type == simulator.EventMessage && e.Message.Direction == simulator.Outbound {
				answered <- e
			}
			return nil
		})
	}()
	<-ready
	asked := map[string]time.Time{}
	var latencies []time.Duration
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for len(latencies) < turns {
		select {
		case <-tick.C:
			if len(asked) == turns {
				continue
			}
			user := strconv.Itoa(900_000 + len(asked))
			asked[user] = time.Now()
			if _, err := s.Simulator.Say(ctx, simulator.Utterance{Platform: simulator.Telegram, From: user, Text: question}); err != nil {
				return nil, err
			}
		case e := <-answered:
			latencies = append(latencies, e.Time.Sub(asked[e.User]))
		case <-ctx.Done():
			return latencies, nil
		}
	}
	return latencies, nil
}
