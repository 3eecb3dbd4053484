package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestJudgeRedoclyFindsNothingInTheDocument lets Redocly's linter read the OpenAPI document: no error and no warning. The one rule
// that is skipped does not know that a property which must not be there need not be described there.
func TestJudgeRedoclyFindsNothingInTheDocument(t *testing.T) {
	t.Parallel()
	judge(t)
	var verdict struct {
		Totals   struct{ Errors, Warnings, Ignored int }
		Problems []struct{ RuleID, Message string }
	}
	document := filepath.Join(system.Root(), "gen", "openapi", "openapi.json")
	require.NoError(t, json.Unmarshal(linted(t, document), &verdict))
	require.Zero(t, verdict.Totals, "%v", verdict.Problems)

	broken := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{"/a/{id}":{"get":{}}}}`), 0o600))
	require.NoError(t, json.Unmarshal(linted(t, broken), &verdict))
	require.Positive(t, verdict.Totals.Errors, "the judge looks")
}

func linted(t *testing.T, document string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	lint := exec.CommandContext(ctx, filepath.Join(judges(), "node_modules", ".bin", "redocly"), "lint", "--format=json", "--extends=recommended",
		"--skip-rule=no-required-schema-properties-undefined", document)
	lint.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	out, err := lint.Output()
	require.NotEmpty(t, out, "%v", err)
	return out
}

// TestJudgeOapiCodegenMakesAClientThatLists makes a client of the OpenAPI document by oapi-codegen, builds it and has it list the
// webhook logs of a running system, page by page.
func TestJudgeOapiCodegenMakesAClientThatLists(t *testing.T) {
	t.Parallel()
	judge(t)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(judges(), "openapi"))))
	document := filepath.Join(system.Root(), "gen", "openapi", "openapi.json")
	goTool(t, dir, "tool", "oapi-codegen", "-generate", "types,client", "-package", "main", "-o", "client.go", document)
	goTool(t, dir, "build", "-o", "list", ".")

	s := start(t, nil)
	ana := telegramCustomer(t, s, "7420", "")
	for range 3 {
		ana.write("Hola")
	}
	eventually(t, 30*time.Second, func() bool {
		list := exec.CommandContext(t.Context(), filepath.Join(dir, "list"))
		list.Env = []string{"API_URL=" + s.AdminURL, "API_KEY=" + s.Credentials.AdminKey}
		out, err := list.Output()
		require.NoError(t, err)
		var logs []struct{ ID, Platform string }
		require.NoError(t, json.Unmarshal(out, &logs))
		telegram := 0
		for _, log := range logs {
			if log.Platform == "PLATFORM_TELEGRAM" {
				telegram++
			}
		}
		return telegram >= 3
	}, "all webhooks are listed, over more than one page")
}

func goTool(t *testing.T, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
