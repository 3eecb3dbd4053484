package command

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/cli/internal/present"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// doctorCommand looks at everything.
type doctorCommand struct{}

// section is what was found out about one thing.
type section struct {
	title    string
	findings []*typev1.Finding
}

// Run prints every finding with its cure, and fails if something does not work.
func (doctorCommand) Run(ctx context.Context, s session) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sections := []section{
		examine("gateway", func() ([]*typev1.Finding, error) { return health(ctx, conn) }),
		examine("conversation", func() ([]*typev1.Finding, error) {
			r, err := conversationv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &conversationv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
		examine("rag", func() ([]*typev1.Finding, error) {
			r, err := ragv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &ragv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
		examine("channels", func() ([]*typev1.Finding, error) {
			r, err := channelsv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &channelsv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
	}
	return report(s, append(sections, integrationSections(ctx, channelsv1.NewIntegrationServiceClient(conn))...))
}

// integrationSections examines every integration. That channels is away was said already.
func integrationSections(ctx context.Context, client channelsv1.IntegrationServiceClient) []section {
	list, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
	if err != nil {
		return nil
	}
	var sections []section
	for _, i := range list.GetIntegrations() {
		title := fmt.Sprintf("%s %q (%s)", platformName(i.GetPlatform()), i.GetName(), i.GetId())
		sections = append(sections, examine(title, func() ([]*typev1.Finding, error) {
			r, err := client.CheckIntegration(ctx, &channelsv1.CheckIntegrationRequest{Id: i.GetId()})
			return r.GetFindings(), err
		}))
	}
	return sections
}

// examine asks about one thing; that there is no answer is a finding.
func examine(title string, ask func() ([]*typev1.Finding, error)) section {
	findings, err := ask()
	switch {
	case err == nil:
		return section{title, findings}
	case status.Code(err) == codes.Unimplemented:
		return section{title, []*typev1.Finding{{Check: title, State: typev1.Finding_STATE_SKIPPED, Summary: "of a version without a doctor"}}}
	}
	return section{title, []*typev1.Finding{{
		Check: title, State: typev1.Finding_STATE_FAILED, Summary: "does not answer: " + readable(err), Cure: cureOf(err),
	}}}
}

func cureOf(err error) string {
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "use a key of an operator or owner (docs/access.md)"
	default:
		return "start it; its log says why it stopped"
	}
}

func health(ctx context.Context, conn *grpc.ClientConn) ([]*typev1.Finding, error) {
	r, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return nil, err
	}
	if r.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return []*typev1.Finding{{
			Check: "gateway", State: typev1.Finding_STATE_FAILED, Summary: "the gateway is not ready", Cure: "wait a moment; if it lasts, read its log",
		}}, nil
	}
	return []*typev1.Finding{{Check: "gateway", State: typev1.Finding_STATE_OK, Summary: "ready"}}, nil
}

// errFailed ends a command whose findings were printed.
var errFailed = errors.New("something does not work; each failed line above says its cure")

// report shows sections and returns errFailed if something does not work. Programs get all findings in one list.
func report(s session, sections []section) error {
	failed, all := false, &ragv1.DiagnoseResponse{}
	t := present.Table{Header: []string{"WHAT", "CHECK", "STATE", "FINDING", "CURE"}}
	for _, part := range sections {
		for _, f := range part.findings {
			failed = failed || f.GetState() == typev1.Finding_STATE_FAILED
			all.Findings = append(all.Findings, f)
			t.Add(part.title, f.GetCheck(), word(f.GetState().String(), "STATE_"), f.GetSummary(), f.GetCure())
		}
	}
	if err := s.show(all, func() present.Table { return t }); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}
