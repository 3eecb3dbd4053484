package env_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
)

type config struct {
	Part
	DatabaseURL env.Secret `env:"KNOBOT_DATABASE_URL,required"`
	APIKey      env.Secret `env:"KNOBOT_LLM_API_KEY"`
	Workers     int        `env:"KNOBOT_WORKERS" envDefault:"4"`
	Unsigned    bool       `env:"WHATSAPP_ALLOW_UNSIGNED"`
}

// Config embeds an exported part, as other packages do.
type Config struct {
	Part
	Workers int `env:"KNOBOT_WORKERS" envDefault:"4"`
}

// Part is embedded, as service.Config is.
type Part struct {
	Drain time.Duration `env:"KNOBOT_DRAIN" envDefault:"3s"`
}

// Validate refuses a long drain.
func (p *Part) Validate() error {
	if p.Drain > time.Hour {
		return errors.New("KNOBOT_DRAIN: too long")
	}
	return nil
}

const database = "KNOBOT_DATABASE_URL=postgres://u:hunter2@db/x"

func TestLoadFillsTheConfiguration(t *testing.T) {
	t.Parallel()
	var cfg Config
	require.NoError(t, env.LoadFrom(&cfg, []string{"KNOBOT_WORKERS=9", "HOME=/", "KNOBOT_DRAIN="}))
	require.Equal(t, 9, cfg.Workers)
	require.Equal(t, 3*time.Second, cfg.Drain, "empty counts as unset")
}

func TestLoadKeepsPresetValues(t *testing.T) {
	t.Parallel()
	cfg := struct {
		Addr string `env:"KNOBOT_GRPC_ADDR"`
	}{Addr: "127.0.0.1:9100"}
	require.NoError(t, env.LoadFrom(&cfg, nil))
	require.Equal(t, "127.0.0.1:9100", cfg.Addr)
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	var cfg config
	err := env.LoadFrom(&cfg, []string{
		"KNOBOT_WORKERS=many",
		"WHATSAPP_ALLOW_UNSIGNED=perhaps",
		"KNOBOT_DEBUNCE=1s",
		"KNOBOT_LLM_API_KEY_FILE=/nowhere/key",
	})
	require.EqualError(t, err, `the environment has faults:
  KNOBOT_DATABASE_URL is required and not set
  KNOBOT_DEBUNCE is not a setting of KnoBot (did you mean KNOBOT_DEBOUNCE?)
  KNOBOT_LLM_API_KEY_FILE: open /nowhere/key: no such file or directory
  KNOBOT_WORKERS: strconv.ParseInt: parsing "many": invalid syntax
  WHATSAPP_ALLOW_UNSIGNED: strconv.ParseBool: parsing "perhaps": invalid syntax`)
}

func TestEmbeddedPartIsValidatedOnce(t *testing.T) {
	t.Parallel()
	var cfg Config
	err := env.LoadFrom(&cfg, []string{"KNOBOT_DRAIN=2h"})
	require.EqualError(t, err, "the environment has faults:\n  KNOBOT_DRAIN: too long")
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, accepted := range map[string]bool{
		"KNOBOT_RAG_SERVICE_HOST":            true, // Kubernetes
		"KNOBOT_RAG_PORT":                    true,
		"KNOBOT_RAG_PORT_9102_TCP_ADDR":      true,
		"KNOBOT_LLM_MODEL":                   true, // another program's
		"KNOBOT_ADMIN_API_KEY_FILE":          true,
		"KNOBOT_MIGRATE_DATABASE_URL_FILE":   true,
		"KNOBOT_LLM_MODEL_FILE":              false, // no secret
		"KNOBOT_LLM_APIKEY":                  false,
		"KNOBOT_":                            false,
		"WHATSAPP_ANYTHING":                  true, // not our prefix
		"KNOBOT_SOMETHING_ELSE_ALTOGETHER":   false,
		"OTEL_EXPORTER_OTLP_ENDPOINT":        true,
		"KNOBOT_TLS_CERT_FILE":               true,
		"KNOBOT_TEST_WEAVIATE_BINARY":        true,
		"KNOBOT_SIMULATOR_WEBHOOK_URL":       true,
		"KNOBOT_TRANSCRIPTION_API_KEY_FILE":  true,
		"KNOBOT_ENCRYPTION_KEYSET_FILE":      true,
		"KNOBOT_WEAVIATE_GRPC_ADDR":          true,
		"KNOBOT_EMBEDDING_PROVIDERS_ALLOWED": false,
	} {
		var cfg struct{}
		err := env.LoadFrom(&cfg, []string{name + "=x"})
		if accepted {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, name+" is not a setting of KnoBot")
		}
	}
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, content string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}

	t.Run("OneTrailingNewlineIsTrimmed", func(t *testing.T) {
		t.Parallel()
		var cfg config
		require.NoError(t, env.LoadFrom(&cfg, []string{
			"KNOBOT_DATABASE_URL_FILE=" + write(t, "postgres://db\n"),
			"KNOBOT_LLM_API_KEY_FILE=" + write(t, " key\n\n"),
		}))
		require.Equal(t, "postgres://db", cfg.DatabaseURL.Reveal())
		require.Equal(t, " key\n", cfg.APIKey.Reveal())
	})

	t.Run("BothFormsAreAFault", func(t *testing.T) {
		t.Parallel()
		var cfg config
		err := env.LoadFrom(&cfg, []string{database, "KNOBOT_DATABASE_URL_FILE=" + write(t, "x")})
		require.ErrorContains(t, err, "KNOBOT_DATABASE_URL and KNOBOT_DATABASE_URL_FILE are both set")
		require.NotContains(t, err.Error(), "hunter2")
	})

	t.Run("AnEmptyFileIsAFault", func(t *testing.T) {
		t.Parallel()
		var cfg config
		err := env.LoadFrom(&cfg, []string{"KNOBOT_DATABASE_URL_FILE=" + write(t, "\n")})
		require.ErrorContains(t, err, "the file is empty")
		require.NotContains(t, err.Error(), "required")
	})
}

func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	var cfg config
	err := env.LoadFrom(&cfg, []string{database, "KNOBOT_LLM_API_KEY=hunter2", "KNOBOT_WORKERS=x", "KNOBOT_UNKNOWN=hunter2"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestSettingsMissingInTheTableAreAFault(t *testing.T) {
	t.Parallel()
	var cfg struct {
		Own    string     `env:"KNOBOT_OWN_IDEA"`
		Open   string     `env:"KNOBOT_LLM_API_KEY"`
		Closed env.Secret `env:"KNOBOT_LLM_MODEL"`
	}
	err := env.LoadFrom(&cfg, nil)
	require.ErrorContains(t, err, "KNOBOT_OWN_IDEA is read by this program and missing in platform/env/names.go")
	require.ErrorContains(t, err, "KNOBOT_LLM_API_KEY is a secret in platform/env/names.go: its field must be an env.Secret")
	require.ErrorContains(t, err, "KNOBOT_LLM_MODEL must be marked as a secret in platform/env/names.go")
}

func TestTheTableIsFitForDocumentation(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, n := range env.Names() {
		require.False(t, seen[n.Name], n.Name)
		seen[n.Name] = true
		require.Regexp(t, `^[A-Z][^\n]+\.$`, n.Meaning, n.Name)
	}
	require.Equal(t, []env.Field{
		{Name: "KNOBOT_DRAIN", Default: "3s"},
		{Name: "KNOBOT_WORKERS", Default: "4"},
	}, env.FieldsOf[Config]())
}
