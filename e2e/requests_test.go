package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/knobot/knobot/gen/knobot/channels/v1"
	_ "github.com/knobot/knobot/gen/knobot/conversation/v1"
	_ "github.com/knobot/knobot/gen/knobot/gateway/v1"
	_ "github.com/knobot/knobot/gen/knobot/rag/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestEveryRPCHasARequest holds docs/requests against the proto files. That the requests work is shown by TestReadme, which
// runs them against make up.
func TestEveryRPCHasARequest(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join(system.Root(), "docs", "requests", "*.sh"))
	require.NoError(t, err)
	var all strings.Builder
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		all.Write(text)
	}
	rpcs := 0
	var missing []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "knobot.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				rpcs++
				if call := string(service.FullName()) + "/" + string(service.Methods().Get(j).Name()); !strings.Contains(all.String(), call) {
					missing = append(missing, call)
				}
			}
		}
		return true
	})
	require.Empty(t, missing, "docs/requests has no call of these")
	require.Greater(t, rpcs, 30)
}
