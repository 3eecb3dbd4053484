package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// doctorCommand looks at everything.
type doctorCommand struct {
	conversationPeer
	ragPeer
	channelsPeer
	Gateway string `env:"KNOBOT_GATEWAY_ADDR" default:"127.0.0.1:9100" help:"Address of the gateway's gRPC API."`
}

// section is what was found out about one thing.
type section struct {
	title    string
	findings []*typev1.Finding
}

// Run prints every finding with its cure, and fails if something does not work.
func (c doctorCommand) Run(ctx context.Context, s streams) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sections := []section{
		examine("gateway", c.Gateway, func(conn *grpc.ClientConn) ([]*typev1.Finding, error) { return health(ctx, conn) }),
		examine("conversation", c.Conversation, func(conn *grpc.ClientConn) ([]*typev1.Finding, error) {
			r, err := conversationv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &conversationv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
		examine("rag", c.RAG, func(conn *grpc.ClientConn) ([]*typev1.Finding, error) {
			r, err := ragv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &ragv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
		examine("channels", c.Channels, func(conn *grpc.ClientConn) ([]*typev1.Finding, error) {
			r, err := channelsv1.NewDiagnosticsServiceClient(conn).Diagnose(ctx, &channelsv1.DiagnoseRequest{})
			return r.GetFindings(), err
		}),
	}
	return report(s.out, append(sections, c.integrationSections(ctx)...))
}

// integrationSections examines every integration. That channels is away was said already.
func (c doctorCommand) integrationSections(ctx context.Context) []section {
	var sections []section
	_ = c.integrations(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		list, err := client.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{PageSize: 1000})
		for _, i := range list.GetIntegrations() {
			title := fmt.Sprintf("%s %q (%s)", platformName(i.GetPlatform()), i.GetName(), i.GetId())
			r, err := client.CheckIntegration(ctx, &channelsv1.CheckIntegrationRequest{Id: i.GetId()})
			sections = append(sections, section{title, orSilence(r.GetFindings(), err, "channels", c.Channels)})
		}
		return err
	})
	return sections
}

// examine asks one service; one that does not answer is a finding.
func examine(name, address string, ask func(*grpc.ClientConn) ([]*typev1.Finding, error)) section {
	conn, err := dial(address)
	if err != nil {
		return section{name, orSilence(nil, err, name, address)}
	}
	defer func() { _ = conn.Close() }()
	findings, err := ask(conn)
	return section{name, orSilence(findings, err, name, address)}
}

// orSilence makes a finding of a service that gave none.
func orSilence(findings []*typev1.Finding, err error, name, address string) []*typev1.Finding {
	switch {
	case err == nil:
		return findings
	case status.Code(err) == codes.Unimplemented:
		return []*typev1.Finding{{Check: name, State: typev1.Finding_STATE_SKIPPED, Summary: name + " is of a version without a doctor"}}
	}
	return []*typev1.Finding{{
		Check: name, State: typev1.Finding_STATE_FAILED, Summary: fmt.Sprintf("%s does not answer at %s: %s", name, address, readable(err)),
		Cure: "start it, or name its address (knobot doctor --help); its log says why it stopped",
	}}
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
var errFailed = errors.New("something does not work; each FAILED line above is followed by its cure")

// report prints sections and returns errFailed if something does not work.
func report(out io.Writer, sections []section) error {
	failed := false
	for _, s := range sections {
		if s.title != "" {
			fmt.Fprintln(out, oneLine(s.title))
		}
		for _, f := range s.findings {
			failed = failed || f.GetState() == typev1.Finding_STATE_FAILED
			if err := printFinding(out, f); err != nil {
				return err
			}
		}
	}
	if failed {
		return errFailed
	}
	return nil
}

func printFinding(out io.Writer, f *typev1.Finding) error {
	word := map[typev1.Finding_State]string{
		typev1.Finding_STATE_OK: "ok", typev1.Finding_STATE_WARNING: "WARNING", typev1.Finding_STATE_FAILED: "FAILED",
		typev1.Finding_STATE_SKIPPED: "skipped",
	}[f.GetState()]
	_, err := fmt.Fprintf(out, "  %-8s %-24s %s\n", word, oneLine(f.GetCheck()), oneLine(f.GetSummary()))
	if f.GetCure() != "" {
		_, err = fmt.Fprintf(out, "  %-8s %-24s cure: %s\n", "", "", oneLine(f.GetCure()))
	}
	return err
}
