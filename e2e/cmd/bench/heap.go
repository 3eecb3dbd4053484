package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
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
	address := p.Listener("debug")
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
