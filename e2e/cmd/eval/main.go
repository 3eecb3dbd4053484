// Command eval measures the answers of the built rag service, without a model, on the questions beside the repository: the
// figures of `knobot eval` on each set, and the cases of attack. It builds nothing; `make eval` does that first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// set is what is asked of which documents.
type set struct {
	name      string
	documents []string
	questions string
}

func sets() []set {
	return []set{
		{"a-xquad-es", []string{"xquad-es"}, "xquad-es"},
		{"b-distractors", []string{"xquad-es", "squad2-es"}, "xquad-es"},
		{"c-phone-typed", []string{"xquad-es", "squad2-es"}, "xquad-es.noisy"},
		{"d-squad2-es", []string{"squad2-es"}, "squad2-es"},
		{"e-soporte-es", []string{"soporte-es"}, "soporte-es"},
		{"f-xquad-en", []string{"xquad-en"}, "xquad-en"},
		{"h-es-of-en", []string{"xquad-en"}, "xquad-es"},
	}
}

func main() {
	only := flag.String("only", "", "one set alone, by its first letter; g is the attacks")
	verbose := flag.Bool("v", false, "print every question that was not served")
	again := flag.Duration("again", 0, "ask each set once more after this time: what was just taken in must be found as well as later")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, options{verbose: *verbose, again: *again}); err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

// folder is where the questions are: beside the repository, or where KNOBOT_SHARED_DIR says.
func folder() (string, error) {
	dir := os.Getenv("KNOBOT_SHARED_DIR")
	if dir == "" {
		dir = filepath.Join(filepath.Dir(system.Root()), "shared")
	}
	dir = filepath.Join(dir, "eval")
	if _, err := os.Stat(dir); err != nil { //nolint:gosec // the person who measures names the folder
		return "", errors.New("no questions to ask: they are in the folder eval of the folder shared beside the repository, or of KNOBOT_SHARED_DIR")
	}
	return dir, nil
}

// options say how it is asked.
type options struct {
	verbose bool
	again   time.Duration
}

func run(ctx context.Context, only string, o options) error {
	questions, err := folder()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kv-") // short: a socket lies below it
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as another user and must pass
		return err
	}
	stores, err := system.StartStores(ctx, dir, false)
	if err != nil {
		return err
	}
	defer stores.Stop()
	s, err := system.Start(ctx, stores, system.Options{})
	if err != nil {
		return err
	}
	defer s.Stop()
	e := evaluation{system: s, folder: questions, options: o}
	for _, set := range sets() {
		if only == "" || only == set.name[:1] {
			if err := e.measure(ctx, set); err != nil {
				return fmt.Errorf("%s: %w", set.name, err)
			}
		}
	}
	if only == "" || only == "g" {
		return e.attack(ctx)
	}
	return nil
}

type evaluation struct {
	options
	system *system.System
	folder string
}

// measure fills a knowledge base and has the command line ask it at once.
func (e evaluation) measure(ctx context.Context, s set) error {
	for _, name := range s.documents {
		if err := e.ingest(ctx, s.name, filepath.Join(e.folder, name+".docs.jsonl")); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n", s.name)
	args := []string{"eval", "--server", e.system.RAG.Address, "--knowledge-base", s.name, filepath.Join(e.folder, s.questions+".questions.jsonl")}
	if err := ask(ctx, args); err != nil {
		return err
	}
	if e.again > 0 {
		select {
		case <-time.After(e.again):
		case <-ctx.Done():
			return ctx.Err()
		}
		fmt.Printf("\n%s, %s later\n", s.name, e.again)
		if err := ask(ctx, args); err != nil {
			return err
		}
	}
	if !e.verbose {
		return nil
	}
	return e.printFailures(ctx, append(args, "--output", "json"))
}

// ask has the command line ask, which prints the figures.
func ask(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, system.Bin("knobot"), args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
