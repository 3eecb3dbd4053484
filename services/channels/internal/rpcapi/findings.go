package rpcapi

import (
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
)

func findingsProto(found []doctor.Finding) []*typev1.Finding {
	out := make([]*typev1.Finding, len(found))
	for n, f := range found {
		out[n] = &typev1.Finding{Check: f.Check, State: findingState(f.State), Summary: f.Summary, Cure: f.Cure}
	}
	return out
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
