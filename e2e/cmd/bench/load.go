package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// padding brings a body to about 1.5 KB, the size of real ones with a profile and a context.
var padding = strings.Repeat("¿Me puede decir si el pedido llega antes del viernes? ", 18)

// result is what one load saw.
type result struct {
	acknowledged int
	rate         float64 // acknowledged per second
	p50, p99     time.Duration
	refused      int64 // anything but 200
}

// load posts fresh signed webhooks over a number of connections for a time and waits for each acknowledgement.
func load(ctx context.Context, url, secret, phoneNumberID string, connections int, length time.Duration) result {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var (
		wg        sync.WaitGroup
		refused   atomic.Int64
		sequence  atomic.Int64
		latencies = make([][]time.Duration, connections)
	)
	run := time.Now().UnixNano()
	start := time.Now()
	for c := range connections {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(start) < length {
				n := sequence.Add(1)
				from := fmt.Sprintf("57300%07d", n%100) // 100 customers
				body := system.WhatsAppText(phoneNumberID, from, fmt.Sprintf("wamid.%d.%d", run, n), padding, time.Now())
				header := http.Header{"X-Hub-Signature-256": {system.Sign(secret, body)}}
				sent := time.Now()
				status, _, err := system.Post(ctx, client, url, body, header)
				if err != nil || status != http.StatusOK {
					refused.Add(1)
					continue
				}
				latencies[c] = append(latencies[c], time.Since(sent))
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return result{
		acknowledged: len(all), rate: float64(len(all)) / took.Seconds(),
		p50: percentile(all, 50), p99: percentile(all, 99), refused: refused.Load(),
	}
}

// percentile of a sorted list.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// median of a list, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}
