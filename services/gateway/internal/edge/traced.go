package edge

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/knobot/knobot/platform/telemetry"
)

// Traced begins a trace for each webhook and measures how soon it is answered. A trace that a stranger's header names is not
// gone on with: headers are not read at all.
type Traced struct {
	next    http.Handler
	tracer  trace.TracerProvider
	seconds *prometheus.HistogramVec
}

// NewTraced puts it in front of next.
func NewTraced(next http.Handler, tracer trace.TracerProvider, metrics prometheus.Registerer) *Traced {
	t := &Traced{next: next, tracer: tracer, seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "knobot_gateway_webhook_seconds", Help: "Time from a webhook's arrival to its answer, by the answer's status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}, // 0.5 is the objective
	}, []string{"platform", "status"})}
	metrics.MustRegister(t.seconds)
	return t
}

// ServeHTTP answers one request. What is no POST to a webhook's route is none.
func (t *Traced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to, ok := routeOf(r.URL.Path)
	if !ok || r.Method != http.MethodPost {
		t.next.ServeHTTP(w, r)
		return
	}
	begin := time.Now()
	ctx, span := telemetry.Begin(r.Context(), t.tracer, "POST "+to.path, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", to.path)))
	answer := &answered{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
		if answer.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
		telemetry.Observe(ctx, t.seconds.WithLabelValues(to.platform.String(), strconv.Itoa(answer.status)), time.Since(begin).Seconds())
	}()
	t.next.ServeHTTP(answer, r.WithContext(ctx))
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader takes the status.
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
