package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

const (
	// bigSections is how many passages the document has that is taken in.
	bigSections = 10_000
	// askPause parts two questions that are asked beside it.
	askPause = 20 * time.Millisecond
	// asksBefore are timed before there is any ingestion.
	asksBefore = 200
	// piece is how much of a file one message carries, in bytes.
	piece = 256 << 10
)

// benchIngest takes a document of 10,000 passages in, into the knowledge base that customers are answered from meanwhile.
func benchIngest(ctx context.Context, stores *system.Stores) error {
	s, err := system.Start(ctx, stores, system.Options{})
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := s.Store(ctx, "envios.md", document); err != nil {
		return err
	}
	before, err := ask(ctx, s, asksBefore)
	if err != nil {
		return err
	}
	heap, err := watchHeap(ctx, s.RAG)
	if err != nil {
		return err
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	during := make(chan asked, 1)
	go func() {
		latencies, err := ask(asking, s, 0)
		during <- asked{latencies, err}
	}()
	content := bigDocument(vocabulary())
	fmt.Printf("\nIngestion of %d passages (%.1f MiB) into the knowledge base that answers meanwhile\n", bigSections, float64(len(content))/(1<<20))
	begin := time.Now()
	done, err := takeIn(ctx, s, content)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	stop()
	beside := <-during
	if beside.err != nil {
		return fmt.Errorf("an answer beside the ingestion: %w", beside.err)
	}
	base, peak := heap()
	resident, err := s.RAG.Memory()
	if err != nil {
		return err
	}
	fmt.Printf("%d passages in %.1f s, %.0f a second. Heap of rag: %.0f MiB before, %.0f MiB at most; resident at most %.0f MiB\n",
		done, took.Seconds(), float64(done)/took.Seconds(), base/(1<<20), peak/(1<<20), resident.Most)
	slices.Sort(before)
	fmt.Printf("Answers (no model, one at a time): before p50 %s  p99 %s; during p50 %s  p99 %s (%d, none failed)\n",
		milliseconds(percentile(before, 50)), milliseconds(percentile(before, 99)),
		milliseconds(percentile(beside.latencies, 50)), milliseconds(percentile(beside.latencies, 99)), len(beside.latencies))
	return nil
}

// asked is what asking came to.
type asked struct {
	latencies []time.Duration
	err       error
}

// ask asks n times, or with 0 until the context ends, and returns how long each answer took, sorted. It fails where one does not
// come or is not the document's.
func ask(ctx context.Context, s *system.System, n int) ([]time.Duration, error) {
	answers := ragv1.NewAnswerServiceClient(s.Conn(s.RAG))
	request := &ragv1.GenerateAnswerRequest{Turns: []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: question}}}
	var latencies []time.Duration
	tick := time.NewTicker(askPause)
	defer tick.Stop()
	for n == 0 || len(latencies) < n {
		begin := time.Now()
		answer, err := answers.GenerateAnswer(ctx, request)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		if !strings.Contains(answer.GetText(), "dos días") {
			return nil, fmt.Errorf("wrong answer: %q", answer.GetText())
		}
		latencies = append(latencies, time.Since(begin))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	slices.Sort(latencies)
	return latencies, nil
}

// takeIn uploads a document, prints how far it is and returns how many passages it has once it answers.
func takeIn(ctx context.Context, s *system.System, content string) (passages int, err error) {
	id, err := upload(ctx, s, content)
	if err != nil {
		return 0, err
	}
	begin, shown := time.Now(), int32(0)
	progress, err := ragv1.NewIngestionServiceClient(s.Conn(s.RAG)).WatchIngestion(ctx, &ragv1.WatchIngestionRequest{Id: id})
	if err != nil {
		return 0, err
	}
	for {
		r, err := progress.Recv()
		if err != nil {
			return 0, err
		}
		at := r.GetIngestion()
		if at.GetPassagesDone() >= shown+bigSections/5 {
			shown = at.GetPassagesDone()
			fmt.Printf("  %d of %d after %.1f s\n", shown, at.GetPassagesTotal(), time.Since(begin).Seconds())
		}
		switch at.GetState() {
		case ragv1.Ingestion_STATE_DONE:
			if at.GetPassagesDone() < bigSections {
				return 0, fmt.Errorf("only %d passages were made", at.GetPassagesDone())
			}
			return int(at.GetPassagesDone()), nil
		case ragv1.Ingestion_STATE_FAILED, ragv1.Ingestion_STATE_SUPERSEDED:
			return 0, fmt.Errorf("the ingestion ended: %s %s", at.GetReason(), at.GetMessage())
		}
	}
}

// upload queues a document and returns the ingestion's id.
func upload(ctx context.Context, s *system.System, content string) (string, error) {
	stream, err := ragv1.NewDocumentServiceClient(s.Conn(s.RAG)).UploadDocument(ctx)
	if err != nil {
		return "", err
	}
	err = stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Metadata_{
		Metadata: &ragv1.UploadDocumentRequest_Metadata{Name: "manual.md"},
	}})
	for part := range slices.Chunk([]byte(content), piece) {
		if err != nil {
			break
		}
		err = stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: part}})
	}
	if err != nil && !errors.Is(err, io.EOF) { // with EOF the reply says what is wrong
		return "", err
	}
	r, err := stream.CloseAndRecv()
	return r.GetIngestion().GetId(), err
}

// bigDocument is a manual of many short sections.
func bigDocument(words []string) string {
	random := rand.New(rand.NewPCG(5, 6)) // the same in every run
	zipf := rand.NewZipf(random, 1.1, 8, uint64(len(words)-1))
	var text strings.Builder
	text.WriteString("# Manual\n")
	section := make([]string, 90)
	for range bigSections {
		for i := range section {
			section[i] = words[zipf.Uint64()]
		}
		fmt.Fprintf(&text, "\n## %s\n\n%s.\n", section[0], strings.Join(section, " "))
	}
	return text.String()
}
