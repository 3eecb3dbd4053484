package cluster

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/image"
	"github.com/knobot/knobot/e2e/internal/system"
)

const (
	pauseImage = "knobot/pause:test"
	// unprivileged is the user of our images.
	unprivileged, unprivilegedID = "65532:65532", 65532
)

// archives makes an image of each program that overlays/local names, laid out as Dockerfile does, and the one of pods themselves.
func archives(t *testing.T, dir string) []string {
	t.Helper()
	pause := filepath.Join(dir, "pause")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", pause, "./pause")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	postgres, err := image.Postgres("postgres:15")
	require.NoError(t, err)
	images := []image.Image{
		postgres,
		{Name: pauseImage, Entrypoint: []string{"/pause"}, User: unprivileged, Files: []image.File{{Path: "/pause", From: pause}}},
		{
			Name: "semitechnologies/weaviate:1.35.2", Entrypoint: []string{"/bin/weaviate"},
			Files: []image.File{{Path: "/bin/weaviate", From: system.Bin("weaviate-server")}},
		},
	}
	for _, program := range []string{"gateway", "conversation", "rag", "channels", "simulator"} {
		images = append(images, image.Image{
			Name: "knobot/" + program + ":dev", Entrypoint: []string{"/program"}, User: unprivileged,
			Env: []string{"KNOBOT_HTTP_ADDR=0.0.0.0:9000"},
			Files: []image.File{
				{Path: "/program", From: system.Bin(program)},
				{Path: "/etc/ssl/certs/ca-certificates.crt", From: "/etc/ssl/certs/ca-certificates.crt"},
				{Path: "/tmp", Mode: 0o755, User: unprivilegedID},
				{Path: "/var/lib/knobot/media", Mode: 0o755, User: unprivilegedID},
			},
		})
	}
	var files []string
	for _, i := range images {
		file, err := i.Write(dir)
		require.NoError(t, err, i.Name)
		files = append(files, file)
	}
	return files
}
