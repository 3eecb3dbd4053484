package main

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// plan is what is simulated.
type plan struct {
	numbers                   int
	rate, webhooksPerQuestion float64
	cores                     int
	commit, length            time.Duration
	costs                     costs
}

// result is what came of it. Loads are shares of what a database server can do; above 1 its queue grows without end.
type result struct {
	mean, fullest float64
	// numbers are those on the fullest database, p50 and p99 how long an acknowledgement waits there.
	numbers  int
	p50, p99 time.Duration
}

// simulate spreads the numbers over databases by a hash of their integration, as the seam in docs/architecture/scale.md does, and
// plays the fullest one.
func (p plan) simulate(databases int) result {
	counts := make([]int, databases)
	for n := range p.numbers {
		h := fnv.New64a()
		_, _ = h.Write([]byte("integration " + strconv.Itoa(n)))
		counts[h.Sum64()%uint64(databases)]++
	}
	most := slices.Max(counts)
	r := result{numbers: most, mean: p.load(float64(p.numbers) / float64(databases)), fullest: p.load(float64(most))}
	if r.fullest < 1 {
		r.p50, r.p99 = p.play(most)
	}
	return r
}

// load is what share of a database server so many numbers take at their full rate.
func (p plan) load(numbers float64) float64 {
	questions := numbers * p.rate / 2
	busy := questions * (p.webhooksPerQuestion*p.costs.intakeDatabase.Seconds() + p.costs.answerDatabase.Seconds())
	return busy / float64(p.cores)
}

const (
	// flushers of a conversation process, of which there is one for each 2,000 webhooks a second, and what one takes at most.
	flushers    = 2
	perProcess  = 2000
	largestTake = 64
)

// play is the group commit of the intake on one database: webhooks come at random, a free flusher takes what waits, and the
// answers' share of the cores is gone already.
func (p plan) play(numbers int) (p50, p99 time.Duration) {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every run
	perSecond := float64(numbers) * p.rate / 2 * p.webhooksPerQuestion
	answering := float64(numbers) * p.rate / 2 * p.costs.answerDatabase.Seconds()
	row := p.costs.intakeDatabase.Seconds() / (1 - answering/float64(p.cores)) // the cores that are left take longer
	workers := make([]float64, flushers*max(1, int(perSecond/perProcess)))     // when each is free
	parallel := max(1, float64(len(workers))/float64(p.cores))
	var waits []time.Duration
	var queue []float64 // when each came
	next := random.ExpFloat64() / perSecond
	for now := 0.0; now < p.length.Seconds(); {
		slices.Sort(workers)
		if now = workers[0]; len(queue) == 0 {
			now = max(now, next)
		}
		for ; next <= now; next += random.ExpFloat64() / perSecond {
			queue = append(queue, next)
		}
		take := min(len(queue), largestTake)
		done := now + p.commit.Seconds() + float64(take)*row*parallel
		for _, came := range queue[:take] {
			waits = append(waits, time.Duration((done-came)*float64(time.Second)))
		}
		queue, workers[0] = queue[take:], done
	}
	slices.Sort(waits)
	if len(waits) == 0 {
		return 0, 0
	}
	return waits[len(waits)/2], waits[len(waits)*99/100]
}
