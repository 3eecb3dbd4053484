package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// weaviate is its name among the programs.
const weaviate = "weaviate"

// question is one that the document answers.
const (
	question = "¿Cuánto tarda el envío a domicilio?"
	document = "# Envíos\n\nEl envío a domicilio tarda dos días laborables y cuesta cuatro euros.\n"
)

const (
	// customers who ask in turn: a WhatsApp customer gets 45 messages at once and then one in 6 s, which no bench should meet.
	customers = 2000
	// benchLibraries of 50 sections make 10,000 passages.
	benchLibraries = 200
	// turnInterval is that of the light load.
	turnInterval = 100 * time.Millisecond
)

// benchAnswers compares answered questions with the floor bot's, without a model: webhook, ingest, retrieval from a real Weaviate
// that holds 10,000 passages, extraction, sending. Then it measures how soon under a light load.
func benchAnswers(ctx context.Context, o options, stores *system.Stores, dir string) error {
	p, err := startPlatform(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	floor, err := startFloor(ctx, stores, dir, p.url)
	if err != nil {
		return err
	}
	defer floor.stop()
	s, questions, err := startAnswering(ctx, stores, p)
	if err != nil {
		return err
	}
	defer s.Stop()
	c := s.Credentials
	ours := &receiver{url: s.HTTP + system.WhatsAppPath, secret: c.AppSecret, phoneNumberID: c.PhoneNumberID, platform: p, questions: questions}
	bare := &receiver{url: floor.url, secret: floor.secret, phoneNumberID: c.PhoneNumberID, platform: p, questions: questions}

	err = errors.Join(printMemory("idle, after 10,000 passages came in", s.Services(), func(m system.Memory) float64 { return m.Now }),
		printMemory("of that which is no page of the program", s.Services(), func(m system.Memory) float64 { return m.Own }))
	if err != nil {
		return err
	}
	fmt.Printf("\nAnswered questions (10,000 passages, no model, debounce 0), %d rounds of %s each; floor: the smallest correct bot\n", o.rounds, o.length)
	fmt.Printf("%-12s %32s %32s %8s %s\n", "at a time", "floor bot /s   p50    p99", "KnoBot /s   p50    p99", "ratio", "CPU/answer: own, PostgreSQL, Weaviate")
	var steady float64
	for _, connections := range []int{1, 16, 64} {
		var ratios, rates []float64
		for range o.rounds {
			f := bare.loop(ctx, connections, customers, o.length)
			var k answers
			programs := pids(s.Services())
			programs[weaviate] = stores.Weaviate.PID()
			before := cpuOf(programs, stores)
			err := profile(ctx, o.profile, fmt.Sprintf("answer-%d", connections), o.length, s.Services(), func() error {
				k = ours.loop(ctx, connections, customers, o.length)
				return nil
			})
			if err != nil {
				return err
			}
			spent := cpuOf(programs, stores).since(before)
			ratios = append(ratios, k.rate/f.rate)
			rates = append(rates, k.rate)
			n := len(k.answered)
			fmt.Printf("%-12d %32s %32s %8.2f %s %s %s\n", connections, f, k, k.rate/f.rate,
				perMessage(spent.total()-spent.pg-spent.own[weaviate], n), perMessage(spent.pg, n), perMessage(spent.own[weaviate], n))
		}
		fmt.Printf("%-12s %74s %.2f\n", "", "median ratio", median(ratios))
		steady = median(rates)
	}
	if err := printMemory("under this load, at most", s.Services(), func(m system.Memory) float64 { return m.Most }); err != nil {
		return err
	}
	k := ours.steadily(ctx, turnInterval, o.turns, customers)
	fmt.Printf("Light load, a question each %s: answered after p50 %s p99 %s; receipt after the acknowledgement p50 %s p99 %s (%d of %d answered, %d receipts)\n",
		turnInterval, milliseconds(percentile(k.answered, 50)), milliseconds(percentile(k.answered, 99)),
		milliseconds(percentile(k.read, 50)), milliseconds(percentile(k.read, 99)), len(k.answered), o.turns, len(k.read))
	return benchDrain(ctx, s, ours, steady)
}

// String is a row's cell.
func (a answers) String() string {
	cell := fmt.Sprintf("%.0f %s %s", a.rate, milliseconds(percentile(a.answered, 50)), milliseconds(percentile(a.answered, 99)))
	if a.missed > 0 {
		cell += fmt.Sprintf(" (%d missed)", a.missed)
	}
	return cell
}

// startAnswering starts a system whose number may send as much as it can, with 10,000 passages to answer from, and returns
// questions that they answer.
func startAnswering(ctx context.Context, stores *system.Stores, p *platform) (*system.System, []string, error) {
	s, err := system.Start(ctx, stores, system.Options{Env: map[string]string{
		"KNOBOT_DEBOUNCE": "0s", "KNOBOT_CUSTOMER_HOURLY_LIMIT": "0", "KNOBOT_CUSTOMER_DAILY_LIMIT": "0", "WHATSAPP_API_URL": p.url, "KNOBOT_WHATSAPP_RATE": "10000",
	}})
	if err != nil {
		return nil, nil, err
	}
	corpus, questions := texts(vocabulary(), benchLibraries, 100)
	for n := 0; n < len(corpus) && err == nil; n++ {
		err = s.Store(ctx, fmt.Sprintf("documento-%d.md", n), corpus[n])
	}
	if err != nil {
		s.Stop()
		return nil, nil, err
	}
	for n, q := range questions {
		questions[n] = strings.TrimSpace(q)
	}
	return s, questions, nil
}
