package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/knobot/knobot/e2e/internal/system"
)

// signedAhead is how many webhooks are made and signed before the load begins, for each of its seconds: more than are taken.
const signedAhead = 8000

// foreignLoad is load by somebody else's tool, as fast as it can over the same number of connections.
func foreignLoad(url, secret, phoneNumberID string, connections int, length time.Duration) result {
	bodies := make([][]byte, signedAhead*max(1, int(length.Seconds())))
	run := time.Now().UnixNano()
	for n := range bodies {
		bodies[n] = system.WhatsAppText(phoneNumberID, fmt.Sprintf("57300%07d", n%100), fmt.Sprintf("wamid.vegeta.%d.%d", run, n), padding, time.Now())
	}
	signatures := make([]string, len(bodies))
	for n, body := range bodies {
		signatures[n] = system.Sign(secret, body)
	}
	var next atomic.Int64
	targets := func(t *vegeta.Target) error {
		n := next.Add(1) - 1
		if n >= int64(len(bodies)) {
			return vegeta.ErrNoTargets
		}
		t.Method, t.URL, t.Body = http.MethodPost, url, bodies[n]
		t.Header = http.Header{"X-Hub-Signature-256": {signatures[n]}, "Content-Type": {"application/json"}}
		return nil
	}
	workers := uint64(connections)
	attacker := vegeta.NewAttacker(vegeta.Workers(workers), vegeta.MaxWorkers(workers), vegeta.Connections(connections))
	var m vegeta.Metrics
	var r result
	for hit := range attacker.Attack(targets, vegeta.ConstantPacer{}, length, "webhooks") {
		m.Add(hit)
		if hit.Code == http.StatusOK {
			r.acknowledged++
		} else {
			r.refused++
		}
	}
	m.Close()
	r.rate, r.p50, r.p99 = float64(r.acknowledged)/m.Duration.Seconds(), m.Latencies.P50, m.Latencies.P99
	return r
}
