package main

import (
	"fmt"

	"github.com/knobot/knobot/e2e/internal/system"
)

// printMemory prints a line for all services.
func printMemory(when string, services []*system.Program, of func(m system.Memory) float64) error {
	fmt.Printf("Memory %s:", when)
	for _, p := range services {
		m, err := p.Memory()
		if err != nil {
			return err
		}
		fmt.Printf(" %s %.0f MiB", p.Name, of(m))
	}
	fmt.Println()
	return nil
}
