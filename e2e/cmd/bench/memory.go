package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/knobot/knobot/e2e/internal/system"
)

// memory is what a process holds in RAM, in bytes: now, and at most since it started (VmRSS and VmHWM of proc(5)).
type memory struct{ now, most int }

func memoryOf(p *system.Program) memory {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return memory{}
	}
	var m memory
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kibibytes := number(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "VmRSS":
			m.now = kibibytes << 10
		case "VmHWM":
			m.most = kibibytes << 10
		}
	}
	return m
}

// printMemory prints a line for all services.
func printMemory(when string, services []*system.Program, of func(m memory) int) {
	fmt.Printf("Memory %s:", when)
	for _, p := range services {
		fmt.Printf(" %s %.0f MiB", p.Name, float64(of(memoryOf(p)))/(1<<20))
	}
	fmt.Println()
}
