package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// benchStart measures how long each service takes from its start to serving, its database being there, and how large it is.
func benchStart(ctx context.Context, o options, stores *system.Stores) error {
	s, err := system.Start(ctx, stores, system.Options{})
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Printf("\nStart to serving, median of %d, and the stripped program\n", o.rounds)
	for _, p := range s.Services() {
		var took []time.Duration
		for range o.rounds {
			p.Stop()
			begin := time.Now()
			if err := p.Start(); err != nil {
				return err
			}
			if err := p.WaitServing(ctx); err != nil {
				return err
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		info, err := os.Stat(system.Bin(p.Name))
		if err != nil {
			return err
		}
		fmt.Printf("%-14s %10s %8.1f MB\n", p.Name, milliseconds(took[len(took)/2]), float64(info.Size())/1e6)
	}
	return nil
}
