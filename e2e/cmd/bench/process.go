package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// heapPause parts two looks at a heap.
const heapPause = 50 * time.Millisecond

// watchHeap follows the heap of a service, live objects and garbage, from now on. The function that it returns stops that and
// says how many bytes the heap had at the beginning and at most.
func watchHeap(ctx context.Context, p *system.Program) (stop func() (base, peak float64), err error) {
	address, err := debugAddress(p)
	if err != nil {
		return nil, err
	}
	base, err := heapOf(ctx, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	most := make(chan float64, 1)
	go func() {
		peak, tick := base, time.NewTicker(heapPause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if now, err := heapOf(ctx, address); err == nil {
					peak = max(peak, now)
				}
			case <-ctx.Done():
				most <- peak
				return
			}
		}
	}()
	return func() (float64, float64) {
		cancel()
		return base, <-most
	}, nil
}

var debugListener = regexp.MustCompile(`"listener":"debug"[^\n]*"addr":"([^"]+)"`)

// debugAddress is where a service shows its metrics, which it chose itself.
func debugAddress(p *system.Program) (string, error) {
	m := debugListener.FindStringSubmatch(p.Log().String())
	if m == nil {
		return "", fmt.Errorf("%s does not say where its metrics are", p.Name)
	}
	return m[1], nil
}

// heapOf reads the size of a heap in bytes.
func heapOf(ctx context.Context, address string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "go_memstats_heap_alloc_bytes "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.New("the metrics have no size of the heap")
}

// peakResident is the most memory that a process ever had, as Linux says it.
func peakResident(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// clockTick is the unit in which Linux counts the time of processes (USER_HZ, 100 a second on all that Go runs on).
const clockTick = 10 * time.Millisecond

// processorTime is how long a process has had a processor, which other processes hardly change.
func processorTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold spaces; utime and stime are the 12th and 13th field behind it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}
