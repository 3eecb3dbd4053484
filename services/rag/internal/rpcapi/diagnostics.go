package rpcapi

import (
	"context"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
)

// Diagnoser says how the service and its surroundings are.
type Diagnoser interface {
	// Diagnose examines everything; what is away is a finding.
	Diagnose(ctx context.Context) []doctor.Finding
}

// Diagnostics serves DiagnosticsService.
type Diagnostics struct {
	ragv1.UnimplementedDiagnosticsServiceServer
	doctor Diagnoser
}

// NewDiagnostics returns the handler of DiagnosticsService.
func NewDiagnostics(d Diagnoser) *Diagnostics { return &Diagnostics{doctor: d} }

// Diagnose examines the service.
func (s *Diagnostics) Diagnose(ctx context.Context, _ *ragv1.DiagnoseRequest) (*ragv1.DiagnoseResponse, error) {
	out := &ragv1.DiagnoseResponse{}
	for _, f := range s.doctor.Diagnose(ctx) {
		out.Findings = append(out.Findings, &typev1.Finding{Check: f.Check, State: findingState(f.State), Summary: f.Summary, Cure: f.Cure})
	}
	return out, nil
}

func findingState(s doctor.State) typev1.Finding_State {
	switch s {
	case doctor.OK:
		return typev1.Finding_STATE_OK
	case doctor.Warning:
		return typev1.Finding_STATE_WARNING
	case doctor.Failed:
		return typev1.Finding_STATE_FAILED
	case doctor.Skipped:
		return typev1.Finding_STATE_SKIPPED
	default:
		return typev1.Finding_STATE_UNSPECIFIED
	}
}
