package delivery

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/channels"
)

// meter measures what goes out, by platform and class: nothing here names an integration or a customer.
type meter struct {
	sends   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	late    *prometheus.CounterVec
	closed  *prometheus.CounterVec
}

func newMeter(r prometheus.Registerer) *meter {
	m := &meter{
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_channels_sends_total", Help: "Messages handed to a provider, by what came of it.",
		}, []string{"platform", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "knobot_channels_send_seconds", Help: "Duration of the calls that hand a message to a provider.",
			Buckets: []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 75},
		}, []string{"platform"}),
		late: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_channels_late_failures_total", Help: "Messages that a provider took and reported as failed later, by class.",
		}, []string{"platform", "class"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_channels_windows_closed_total",
			Help: "Messages that met a closed 24-hour window, by who said so: clock (not sent at all), provider, report.",
		}, []string{"by"}),
	}
	if r != nil {
		r.MustRegister(m.sends, m.seconds, m.late, m.closed)
	}
	return m
}

// send takes a call to a provider that hands a message over.
func (m *meter) send(ctx context.Context, p channels.Platform, begin time.Time, failure *channels.SendError) {
	outcome := "sent"
	if failure != nil {
		outcome = failure.Class.String()
		m.windowBy("provider", failure.Class)
	}
	m.sends.WithLabelValues(string(p), outcome).Inc()
	telemetry.Observe(ctx, m.seconds.WithLabelValues(string(p)), time.Since(begin).Seconds())
}

// failedLate takes a failure that a report tells of.
func (m *meter) failedLate(p channels.Platform, c channels.Class) {
	m.late.WithLabelValues(string(p), c.String()).Inc()
	m.windowBy("report", c)
}

func (m *meter) windowBy(who string, c channels.Class) {
	if c == channels.ClassWindowClosed {
		m.closed.WithLabelValues(who).Inc()
	}
}
