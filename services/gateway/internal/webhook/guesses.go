package webhook

import (
	"sync"
	"time"
)

const (
	// guessWindow and guessesAllowed bound how fast an address may guess a verify token. Meta never guesses.
	guessWindow    = time.Minute
	guessesAllowed = 20
	// guessersKnown bounds the addresses that are told apart; all further ones count as one.
	guessersKnown = 10_000
)

// guesses counts wrong verify tokens by address, within the current minute.
type guesses struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	wrong map[string]int
}

// blocked says that an address has guessed too often to be listened to.
func (g *guesses) blocked(remote string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn()
	return g.wrong[g.key(remote)] >= guessesAllowed
}

// miss counts a wrong guess.
func (g *guesses) miss(remote string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn()
	g.wrong[g.key(remote)]++
}

// turn begins a new window when the last one is over.
func (g *guesses) turn() {
	if now := g.now(); g.wrong == nil || now.Sub(g.since) >= guessWindow {
		g.since, g.wrong = now, map[string]int{}
	}
}

func (g *guesses) key(remote string) string {
	if _, known := g.wrong[remote]; !known && len(g.wrong) >= guessersKnown {
		return "others"
	}
	return remote
}
