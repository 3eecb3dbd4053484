package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/knobot/knobot/e2e/internal/system"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

const (
	// libraries and sections make the passages that are searched.
	libraries, sections = 50, 50
	// searchers is how many ask at the same time.
	searchers = 8
)

// benchSearches compares searching through rag with the very same requests to Weaviate alone: what rag adds is its own call,
// analysis, PostgreSQL's check and the ranking.
func benchSearches(ctx context.Context, o options, stores *system.Stores) error {
	words := vocabulary()
	corpus, questions := texts(words, libraries, 8)
	database := "bench_search"
	recorded, err := prepareSearches(ctx, stores, database, corpus, questions)
	if err != nil {
		return err
	}
	s, err := system.Start(ctx, stores, system.Options{Database: database})
	if err != nil {
		return err
	}
	defer s.Stop()
	raw, err := dialRaw(stores.Weaviate.GRPCAddr)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	bases := ragv1.NewKnowledgeBaseServiceClient(s.Conn(s.RAG))
	keyed := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+stores.Weaviate.APIKey.Reveal())
	alone := func(i int) error {
		for _, request := range recorded[i%len(recorded)] {
			var out frame
			if err := raw.Invoke(keyed, searchMethod, &request, &out); err != nil {
				return err
			}
		}
		return nil
	}
	through := func(i int) error {
		_, err := bases.SearchPassages(ctx, &ragv1.SearchPassagesRequest{Query: questions[i%len(questions)]})
		return err
	}
	return compareSearches(o, len(corpus)*sections, s.RAG.PID(), alone, through)
}

// compareSearches lets both take turns and prints the median ratio, and what rag itself took of a processor.
func compareSearches(o options, passages, rag int, alone, through func(i int) error) error {
	fmt.Printf("\nSearch of %d passages, %d at a time, %d searches a round; Weaviate: the same requests to it alone\n", passages, searchers, o.searches)
	fmt.Printf("%-12s %28s %28s %8s %8s\n", "round", "Weaviate  p50    p99", "KnoBot  p50    p99", "p50", "p99")
	if _, err := timed(o.searches/4, alone); err != nil { // warm
		return err
	}
	if _, err := timed(o.searches/4, through); err != nil {
		return err
	}
	var p50s, p99s []float64
	busy := readProcesses().tree(rag)
	for round := range o.rounds {
		w, err := timed(o.searches, alone)
		if err != nil {
			return err
		}
		k, err := timed(o.searches, through)
		if err != nil {
			return err
		}
		p50s = append(p50s, float64(percentile(k, 50))/float64(percentile(w, 50)))
		p99s = append(p99s, float64(percentile(k, 99))/float64(percentile(w, 99)))
		fmt.Printf("%-12d %20s %7s %20s %7s %8.2f %8.2f\n", round+1, milliseconds(percentile(w, 50)), milliseconds(percentile(w, 99)),
			milliseconds(percentile(k, 50)), milliseconds(percentile(k, 99)), p50s[round], p99s[round])
	}
	fmt.Printf("%-12s %66.2f %8.2f\n", "median ratio", median(p50s), median(p99s))
	fmt.Printf("rag has a processor for %s of a search\n", milliseconds((readProcesses().tree(rag)-busy)/time.Duration(o.rounds*o.searches)))
	return nil
}

// timed makes n calls, searchers at a time, and returns how long each took, sorted.
func timed(n int, call func(i int) error) ([]time.Duration, error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	var failed atomic.Pointer[error]
	took := make([][]time.Duration, searchers)
	for c := range searchers {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= n && failed.Load() == nil; i = int(next.Add(1)) {
				begin := time.Now()
				if err := call(i); err != nil {
					failed.Store(&err)
					return
				}
				took[c] = append(took[c], time.Since(begin))
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return all, nil
}

// prepareSearches stores the corpus and returns what each question makes rag ask Weaviate, which may be more than one search.
func prepareSearches(ctx context.Context, stores *system.Stores, database string, corpus, questions []string) ([][]frame, error) {
	r, err := record(ctx, stores.Weaviate.GRPCAddr)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	s, err := system.Start(ctx, stores, system.Options{Database: database, Env: map[string]string{"KNOBOT_WEAVIATE_GRPC_ADDR": r.addr}})
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	for i, text := range corpus {
		if err := s.Store(ctx, fmt.Sprintf("documento-%d.md", i), text); err != nil {
			return nil, err
		}
	}
	bases := ragv1.NewKnowledgeBaseServiceClient(s.Conn(s.RAG))
	requests := make([][]frame, len(questions))
	for i, q := range questions {
		before := len(r.recorded())
		if _, err := bases.SearchPassages(ctx, &ragv1.SearchPassagesRequest{Query: q}); err != nil {
			return nil, err
		}
		requests[i] = r.recorded()[before:]
	}
	return requests, nil
}

// vocabulary is made of syllables, as many words as a company's documents have.
func vocabulary() []string {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every run
	syllables := strings.Fields("ba be bi bo bre ca can cen ce cho ci cion co com con cu cue da de den des di do dos dra es en fa fe fi flo fre ga gen glo go gra gui ha his " +
		"im in ja je ju la las le ler li llo lo los ma man me men mi mo mue na nal ne ni nia no nue pa par pe pen per pi pla po por pre pro pue que qui " +
		"ra ran re res ri rio ro sa se sen si sion so sos su ta tad tan te tem ti tiem to tor tra tre tri tu tua u ua va van ve ven ver vi vie vo ya zo zar")
	words := make([]string, 4000)
	for i := range words {
		for range 2 + random.IntN(3) {
			words[i] += syllables[random.IntN(len(syllables))]
		}
	}
	return words
}

// texts are documents of sections of some 90 words, common words often and rare ones rarely, and questions of six words of one
// section each. The larger head is, the less do the most common words stand out: with 8 the first is in nearly every section, with
// 100 in a quarter of them, as in a text without its stop words.
func texts(words []string, libraries int, head float64) (corpus, questions []string) {
	random := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(random, 1.1, head, uint64(len(words)-1))
	for range libraries {
		var text strings.Builder
		text.WriteString("# " + words[zipf.Uint64()] + "\n")
		for range sections {
			section := make([]string, 90)
			for i := range section {
				section[i] = words[zipf.Uint64()]
			}
			fmt.Fprintf(&text, "\n## %s\n\n%s.\n", section[0], strings.Join(section, " "))
			if random.IntN(5) == 0 {
				from := random.IntN(len(section) - 6)
				questions = append(questions, "¿"+strings.Join(section[from:from+6], " ")+"?")
			}
		}
		corpus = append(corpus, text.String())
	}
	return corpus, questions
}
