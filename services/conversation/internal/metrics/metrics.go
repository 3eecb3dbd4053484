// Package metrics counts what the conversation service does.
package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
)

// Metrics are the service's own, beside those of every gRPC service.
type Metrics struct {
	webhooks     *prometheus.CounterVec
	events       *prometheus.CounterVec
	group        prometheus.Histogram
	rejections   *prometheus.CounterVec
	courtesies   *prometheus.CounterVec
	turns        *prometheus.CounterVec
	phases       *prometheus.HistogramVec
	answers      prometheus.Histogram
	own          prometheus.Histogram
	waiting      prometheus.Gauge
	oldest       prometheus.Gauge
	overdue      prometheus.Gauge
	reports      prometheus.Gauge
	files        prometheus.Gauge
	hearing      prometheus.Histogram
	delivered    *prometheus.CounterVec
	notices      *prometheus.CounterVec
	untold       prometheus.Gauge
	oldestUntold prometheus.Gauge
}

// Phases of a turn, as the metric names them.
const (
	// Waiting is from the first message to a worker's hands: the burst window, and the queue.
	Waiting = "wait"
	// Perceiving is listening to voice notes, and fetching what the answerer looks at.
	Perceiving = "perceive"
	// Composing is the answerer's time.
	Composing = "compose"
	// Sending is channels' time, with the provider's and the pacing.
	Sending = "send"
)

// answerBuckets have a bound at the objective of ten seconds (docs/observability.md).
func answerBuckets() []float64 {
	return []float64{.25, .5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120}
}

// New registers the metrics.
func New(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "knobot_conversation_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "knobot_conversation_" + name, Help: help})
	}
	m := &Metrics{
		webhooks:   counter("webhooks_total", "Deliveries by platform and result: stored, duplicate, failed.", "platform", "result"),
		events:     counter("events_total", "Events by outcome at intake.", "outcome"),
		rejections: counter("webhooks_rejected_total", "Deliveries that failed verification.", "platform", "reason"),
		courtesies: counter("courtesies_total", "Read receipts, typing, press answers and drafts by result: done, failed, dropped.", "kind", "result"),
		turns:      counter("turns_total", "Turns by how a worker left them.", "outcome"),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "knobot_conversation_webhooks_per_commit", Help: "Deliveries that share a transaction.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
		}),
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "knobot_conversation_turn_phase_seconds", Help: "Time that the phases of turns took: wait, perceive, compose, send.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"phase"}),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "knobot_conversation_answer_seconds", Help: "Time from a customer's first open message to the answer at the provider.",
			Buckets: answerBuckets(),
		}),
		own: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "knobot_conversation_answer_own_seconds", Help: "The same without the time of models and of customers' files.",
			Buckets: answerBuckets(),
		}),
		delivered:    counter("reports_total", "Delivery reports of providers by state.", "state"),
		waiting:      gauge("turns_waiting", "Conversations that wait for an answer."),
		oldest:       gauge("turns_oldest_seconds", "Age of the turn that waits longest."),
		overdue:      gauge("turns_overdue_seconds", "How long the turn that is due longest has waited for a worker."),
		reports:      gauge("reports_waiting", "Delivery reports that wait to be handed to channels."),
		files:        gauge("files_waiting", "Files of customers that wait to be fetched from their providers."),
		notices:      counter("notices_total", "Tries to tell subscribers by result: delivered, failed, dead.", "result"),
		untold:       gauge("notices_waiting", "Events that wait to be delivered to subscribers."),
		oldestUntold: gauge("notices_oldest_seconds", "Age of the event that waits longest to be delivered to a subscriber."),
		hearing: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "knobot_conversation_hearing_seconds", Help: "Time that a voice note took from the store to its transcript.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}),
	}
	r.MustRegister(m.webhooks, m.events, m.rejections, m.courtesies, m.turns, m.group, m.phases, m.answers, m.own, m.delivered, m.waiting, m.oldest, m.overdue, m.reports, m.files,
		m.hearing, m.notices, m.untold, m.oldestUntold)
	return m
}

// Webhook counts a delivery.
func (m *Metrics) Webhook(p conversation.Platform, result string) {
	m.webhooks.WithLabelValues(string(p), result).Inc()
}

// Event counts an event.
func (m *Metrics) Event(o conversation.Outcome) { m.events.WithLabelValues(string(o)).Inc() }

// Group notes how many deliveries shared a transaction.
func (m *Metrics) Group(n int) { m.group.Observe(float64(n)) }

// Rejection counts a refused delivery.
func (m *Metrics) Rejection(r conversation.Rejection) {
	m.rejections.WithLabelValues(string(r.Platform), string(r.Reason)).Inc()
}

// Courtesy counts a read receipt, a typing indicator, an answer to a press or a draft.
func (m *Metrics) Courtesy(kind, result string) { m.courtesies.WithLabelValues(kind, result).Inc() }

// Turn counts how a worker left a turn.
func (m *Metrics) Turn(outcome string) { m.turns.WithLabelValues(outcome).Inc() }

// Phase notes how long a phase of a turn took that began at a time.
func (m *Metrics) Phase(ctx context.Context, phase string, begin time.Time) {
	telemetry.Observe(ctx, m.phases.WithLabelValues(phase), time.Since(begin).Seconds())
}

// Answered notes that a question was answered that had been open since, and how much of that time models took.
func (m *Metrics) Answered(ctx context.Context, since time.Time, models time.Duration) {
	whole := time.Since(since)
	telemetry.Observe(ctx, m.answers, whole.Seconds())
	telemetry.Observe(ctx, m.own, max(whole-models, 0).Seconds())
}

// Hearing notes how long a voice note took.
func (m *Metrics) Hearing(ctx context.Context, seconds float64) {
	telemetry.Observe(ctx, m.hearing, seconds)
}

// Report counts a delivery report.
func (m *Metrics) Report(s conversation.DeliveryState) { m.delivered.WithLabelValues(s.String()).Inc() }

// Notice counts a try to tell a subscriber.
func (m *Metrics) Notice(result string) { m.notices.WithLabelValues(result).Inc() }

// Notices notes how much subscribers wait to be told.
func (m *Metrics) Notices(waiting int64, oldestSeconds float64) {
	m.untold.Set(float64(waiting))
	m.oldestUntold.Set(oldestSeconds)
}

// Queues notes how much waits.
func (m *Metrics) Queues(turns int64, oldestSeconds, overdueSeconds float64, reports, files int64) {
	m.waiting.Set(float64(turns))
	m.oldest.Set(oldestSeconds)
	m.overdue.Set(overdueSeconds)
	m.reports.Set(float64(reports))
	m.files.Set(float64(files))
}
