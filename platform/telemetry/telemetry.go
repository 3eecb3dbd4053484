// Package telemetry makes the metrics registry and the tracer of a program.
package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Telemetry holds what a program measures. It is handed around; there are no
// global providers.
type Telemetry struct {
	Registry *prometheus.Registry
	Tracer   trace.TracerProvider
	shutdown func(context.Context) error
}

// New returns a registry with the Go and process collectors, and a tracer that
// exports over OTLP if OTEL_EXPORTER_OTLP_ENDPOINT (or its _TRACES_ form) is
// set and does nothing otherwise. OTEL_TRACES_SAMPLER says which traces are
// recorded: all by default, or a ratio, the caller's word first. The exporter
// connects lazily: a missing collector never stops a service.
func New(ctx context.Context, service, version string) (*Telemetry, error) {
	t := &Telemetry{
		Registry: prometheus.NewRegistry(),
		Tracer:   noop.NewTracerProvider(),
		shutdown: func(context.Context) error { return nil },
	}
	t.Registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(service, version),
	)
	if !exports() {
		return t, nil
	}
	provider, err := newProvider(ctx, service, version)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	t.Tracer, t.shutdown = provider, provider.Shutdown
	return t, nil
}

// Handler serves the metrics in Prometheus' text format, or as OpenMetrics with exemplars to who asks for that.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Exports says whether spans are sent anywhere.
func (t *Telemetry) Exports() bool { return !Silent(t.Tracer) }

// Shutdown sends the spans that are still held.
func (t *Telemetry) Shutdown(ctx context.Context) error { return t.shutdown(ctx) }

func exports() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

func newProvider(ctx context.Context, service, version string) (*sdktrace.TracerProvider, error) {
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "knobot-"+service),
			attribute.String("service.version", version),
		),
		resource.WithFromEnv(), // OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win
		resource.WithHost(),
	)
	if err != nil {
		return nil, err
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(Wordless(exporter)), sdktrace.WithResource(res)), nil
}

func buildInfo(service, version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "knobot_build_info",
		Help:        "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"service": service, "version": version},
	})
	g.Set(1)
	return g
}
