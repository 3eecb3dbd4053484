package manifests_test

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/manifests"
	"github.com/knobot/knobot/e2e/internal/system"
)

func compose(t *testing.T, variables map[string]string) *types.Project {
	t.Helper()
	p, err := manifests.LoadCompose(system.Root(), variables)
	require.NoError(t, err)
	return p
}

func TestCompose(t *testing.T) {
	t.Parallel()

	t.Run("HasNoFaults", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, manifests.ComposeFaults(compose(t, nil)))
	})

	t.Run("OnesOwnNumberTakesTheSimulatorsPlace", func(t *testing.T) {
		t.Parallel()
		p := compose(t, map[string]string{"WHATSAPP_ACCESS_TOKEN": "mine", "WHATSAPP_API_URL": "https://graph.facebook.com"})
		require.Equal(t, "mine", *p.Services["channels"].Environment["WHATSAPP_ACCESS_TOKEN"])
		require.Equal(t, "https://graph.facebook.com", *p.Services["channels"].Environment["WHATSAPP_API_URL"])
		require.Equal(t, "http://simulator:9800", *p.Services["channels"].Environment["TELEGRAM_API_URL"])
	})

	t.Run("ServicesStartAfterTheirMigrationAlone", func(t *testing.T) {
		t.Parallel()
		p := compose(t, nil)
		for _, s := range []string{"gateway", "channels", "rag", "conversation"} {
			require.Equal(t, types.ServiceConditionCompletedSuccessfully, p.Services[s].DependsOn[s+"-migrate"].Condition)
			require.Contains(t, p.Services[s+"-migrate"].Environment, "KNOBOT_MIGRATE_DATABASE_URL")
			require.NotContains(t, p.Services[s].Environment, "KNOBOT_MIGRATE_DATABASE_URL", "the owner's password is its migration's")
		}
	})

	t.Run("FaultsAreFound", func(t *testing.T) {
		t.Parallel()
		value := func(s string) *string { return &s }
		for want, spoil := range map[string]func(p *types.Project){
			`gateway publishes port 9000 on "0.0.0.0": loopback only`: func(p *types.Project) { p.Services["gateway"].Ports[0].HostIP = "0.0.0.0" },
			"rag is given KNOBOT_CASH_DIR, which no program knows":    func(p *types.Project) { p.Services["rag"].Environment["KNOBOT_CASH_DIR"] = value("x") },
			"gateway looks for KNOBOT_RAG_ADDR at rag:9109, where nobody is": func(p *types.Project) {
				p.Services["gateway"].Environment["KNOBOT_RAG_ADDR"] = value("rag:9109")
			},
			"rag listens on 0.0.0.0:9109, which it does not publish": func(p *types.Project) {
				p.Services["rag"].Environment["KNOBOT_GRPC_ADDR"] = value("0.0.0.0:9109")
			},
			"rag is not built as rag": func(p *types.Project) { p.Services["rag"].Build.Args["SERVICE"] = value("channels") },
			"rag is not confined": func(p *types.Project) {
				s := p.Services["rag"]
				s.ReadOnly = false
				p.Services["rag"] = s
			},
		} {
			p := compose(t, nil)
			spoil(p)
			require.Contains(t, manifests.ComposeFaults(p), want)
		}
	})
}
