package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

const (
	killUsers     = 100
	killQuestions = 10 // per user
	killTimes     = 3
)

// TestEveryQuestionIsAnsweredOnceAndInOrderWhileWorkersAreKilled has 100 users ask 10 questions each, a fifth of the webhooks
// delivered twice, and kills the conversation service with SIGKILL three times on the way.
func TestEveryQuestionIsAnsweredOnceAndInOrderWhileWorkersAreKilled(t *testing.T) {
	t.Parallel()
	m := model.Start(t)
	env := m.Environment()
	env["KNOBOT_LEASE"] = "2s" // what a killed worker held is taken over soon
	s := start(t, env)
	model.UseOnly(t, s, m)
	settings, err := s.Simulator.Settings(t.Context())
	require.NoError(t, err)
	settings.RetryScale = 0.05
	require.NoError(t, s.Simulator.ChangeSettings(t.Context(), settings))

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	phones := follow(ctx, t, s)
	killed := make(chan error, 1)
	go func() { killed <- killRepeatedly(ctx, s, phones) }()
	users, asking := errgroup.WithContext(ctx)
	for u := range killUsers {
		users.Go(func() error { return askAll(asking, s, phones, u) })
	}
	require.NoError(t, users.Wait())
	require.NoError(t, <-killed)

	// Every answer names the questions that it answers: each must be named once, in the order of asking.
	for u := range killUsers {
		chat := phones.chat(u)
		require.Eventually(t, func() bool { return len(phones.answered(chat)) >= killQuestions }, 2*time.Minute, 100*time.Millisecond,
			"user %d: answered %v", u, phones.answered(chat))
	}
	for u := range killUsers {
		var want []string
		for q := range killQuestions {
			want = append(want, model.Code(u, q))
		}
		require.Equal(t, want, phones.answered(phones.chat(u)), "user %d: each question once, in order", u)
	}
	t.Logf("%d questions, %d model calls, %d answers", killUsers*killQuestions, m.Calls.Load(), phones.count())
}

// askAll asks a user's questions, each when the webhook of the one before was acknowledged.
func askAll(ctx context.Context, s *system.System, phones *phones, user int) error {
	for q := range killQuestions {
		u := simulator.Utterance{
			Platform: simulator.Telegram, From: fmt.Sprint(800_000 + user),
			Text: "¿Y esto? " + model.Code(user, q),
		}
		if user%2 == 0 {
			u.Platform, u.From = simulator.WhatsApp, fmt.Sprintf("57310%07d", user)
		}
		if rand.IntN(5) == 0 {
			u.Copies = 2
		}
		said, err := s.Simulator.Say(ctx, u)
		if err != nil {
			return err
		}
		phones.said(user, said)
		if err := phones.awaitAcknowledged(ctx, said); err != nil {
			return fmt.Errorf("user %d, question %d: %w", user, q, err)
		}
	}
	return nil
}

// killRepeatedly kills and restarts the conversation service, each time when a further quarter of the answers came.
func killRepeatedly(ctx context.Context, s *system.System, phones *phones) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 1; n <= killTimes; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if phones.codes() < n*killUsers*killQuestions/(killTimes+2) {
			continue
		}
		s.Conversation.Kill()
		if err := s.Conversation.Start(); err != nil {
			return err
		}
		n++
	}
	return nil
}

// phones watches all chats by one stream of events.
type phones struct {
	mu           sync.Mutex
	chats        map[int]simulator.Chat
	acknowledged map[string]chan struct{} // by message id and chat
	answers      map[simulator.Chat][]string
	messages     int
}

func follow(ctx context.Context, t *testing.T, s *system.System) *phones {
	t.Helper()
	p := &phones{chats: map[int]simulator.Chat{}, acknowledged: map[string]chan struct{}{}, answers: map[simulator.Chat][]string{}}
	ready := make(chan struct{})
	go func() { _ = s.Simulator.Events(ctx, client.Filter{}, func() { close(ready) }, p.see) }()
	select {
	case <-ready:
	case <-ctx.Done():
		require.NoError(t, ctx.Err())
	}
	return p
}

func (p *phones) see(e simulator.Event) error {
	if e.Message == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case e.Message.Direction == simulator.Inbound && e.Message.State != simulator.StateSent:
		c := p.signal(*e.Message)
		select {
		case <-c:
		default:
			close(c)
		}
	case e.Message.Direction == simulator.Outbound && e.Type == simulator.EventMessage:
		p.messages++
		p.answers[e.Chat] = append(p.answers[e.Chat], model.Codes(e.Message.Text)...)
	}
	return nil
}

// signal returns the channel that is closed when a message's webhook was acknowledged. The lock is held.
func (p *phones) signal(m simulator.Message) chan struct{} {
	key := strings.Join([]string{string(m.Platform), m.User, m.ID}, "/")
	if p.acknowledged[key] == nil {
		p.acknowledged[key] = make(chan struct{})
	}
	return p.acknowledged[key]
}

func (p *phones) said(user int, m simulator.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chats[user] = m.Chat
}

func (p *phones) awaitAcknowledged(ctx context.Context, m simulator.Message) error {
	p.mu.Lock()
	c := p.signal(m)
	p.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *phones) chat(user int) simulator.Chat {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chats[user]
}

func (p *phones) answered(c simulator.Chat) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.answers[c])
}

func (p *phones) codes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, a := range p.answers {
		n += len(a)
	}
	return n
}

func (p *phones) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.messages
}
