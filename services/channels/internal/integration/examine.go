package integration

import (
	"context"
	"time"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels"
)

const (
	// checkState is the check of what we know ourselves.
	checkState = "integration"
	// examinationTimeout bounds all questions to a provider together.
	examinationTimeout = 25 * time.Second
)

// Examiner asks a provider about an integration, which changes nothing there.
type Examiner interface {
	channels.CredentialChecker
	// Inspect says how the integration is at the provider. What cannot be asked is a finding.
	Inspect(ctx context.Context, i channels.Integration) []doctor.Finding
}

// Examine says how an integration is, here and at its provider. It returns a fault of kind NotFound if there is none.
func (s *Service) Examine(ctx context.Context, id string) ([]doctor.Finding, error) {
	i, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	found := []doctor.Finding{stateFinding(i)}
	examiner := s.config.Examiners[i.Platform]
	if examiner == nil || !askable(i) {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, examinationTimeout)
	defer cancel()
	return append(found, examiner.Inspect(ctx, i)...), nil
}

func stateFinding(i channels.Integration) doctor.Finding {
	state, reason := i.State()
	switch state {
	case channels.StateEnabled:
		return doctor.Fine(checkState, "enabled")
	case channels.StateDisabled:
		return doctor.Warn(checkState, "disabled: its webhooks are acknowledged and not answered").With("knobot integrations enable %s", i.ID)
	case channels.StateIncomplete:
		return doctor.Fail(checkState, "incomplete: its webhooks are refused").With("%s", reason)
	default:
		return doctor.Fail(checkState, "%s: answers wait", state).With("%s", reason)
	}
}

// ReSeal seals with the primary key what another one sealed, or only counts.
func (s *Service) ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error) {
	return s.store.ReSeal(ctx, countOnly)
}

// ExamineKeys says whether the keys open every secret and the primary one sealed it.
func (s *Service) ExamineKeys(ctx context.Context) doctor.Finding {
	return sealing.Finding(s.ReSeal(ctx, true))
}
