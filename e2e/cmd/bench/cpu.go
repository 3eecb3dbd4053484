package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// clockTick is the unit of processor times in /proc, USER_HZ, which Linux has fixed at 100 a second for all architectures of
// ours (proc(5), sysconf(3)).
const clockTick = 10 * time.Millisecond

// cpu is the processor time of processes and of those that they have started, as far as these are still there.
type cpu struct {
	own map[string]time.Duration // by program
	pg  time.Duration
}

// total is everything but the client's.
func (c cpu) total() time.Duration {
	sum := c.pg
	for _, d := range c.own {
		sum += d
	}
	return sum
}

func (c cpu) since(before cpu) cpu {
	out := cpu{own: map[string]time.Duration{}, pg: c.pg - before.pg}
	for name, d := range c.own {
		out.own[name] = d - before.own[name]
	}
	return out
}

// cpuOf reads the processor time of programs and of PostgreSQL.
func cpuOf(programs map[string]int, stores *system.Stores) cpu {
	processes := readProcesses()
	c := cpu{own: map[string]time.Duration{}, pg: processes.tree(stores.Postgres.PID())}
	for name, pid := range programs {
		c.own[name] = processes.tree(pid)
	}
	return c
}

// processes are all of the machine's, by id.
type processes map[int]process

type process struct {
	parent int
	cpu    time.Duration
}

func readProcesses() processes {
	out := processes{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path) //nolint:gosec // the kernel's
		if err != nil {
			continue // it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		// The name may hold anything and stands in brackets; the fields are counted behind it (proc(5)).
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		const parent, user, kernel = 1, 11, 12
		if len(fields) <= kernel {
			continue
		}
		out[pid] = process{parent: number(fields[parent]), cpu: time.Duration(number(fields[user])+number(fields[kernel])) * clockTick}
	}
	return out
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// tree is the processor time of a process and its descendants.
func (p processes) tree(pid int) time.Duration {
	sum := p[pid].cpu
	for child, c := range p {
		if c.parent == pid {
			sum += p.tree(child)
		}
	}
	return sum
}

// perMessage prints processor time for one of n.
func perMessage(d time.Duration, n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3fms", float64(d.Microseconds())/1000/float64(n))
}
