package admin

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/knobot/knobot/gen/openapi"
)

// binding is an RPC and its route.
type binding struct {
	rpc          protoreflect.MethodDescriptor
	method, path string
}

// rpcs returns every RPC of KnoBot but those of the other HTTP address; those without a route have no path.
func rpcs(t testing.TB) []binding {
	t.Helper()
	var all []binding
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "knobot.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := 0; service.Name() != "WebhookService" && j < service.Methods().Len(); j++ {
				all = append(all, bindingOf(service.Methods().Get(j)))
			}
		}
		return true
	})
	require.Greater(t, len(all), 50)
	return all
}

func bindingOf(rpc protoreflect.MethodDescriptor) binding {
	b := binding{rpc: rpc}
	rule, _ := proto.GetExtension(rpc.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch {
	case rule.GetGet() != "":
		b.method, b.path = http.MethodGet, rule.GetGet()
	case rule.GetPost() != "":
		b.method, b.path = http.MethodPost, rule.GetPost()
	case rule.GetPatch() != "":
		b.method, b.path = http.MethodPatch, rule.GetPatch()
	case rule.GetDelete() != "":
		b.method, b.path = http.MethodDelete, rule.GetDelete()
	}
	return b
}

// private are the services that KnoBot's own programs call, and the RPCs of others that are theirs.
func private() []string {
	return []string{
		"knobot.conversation.v1.IngestService", "knobot.channels.v1.ChannelService", "knobot.channels.v1.VerificationService",
		"knobot.channels.v1.IntegrationService.WatchIntegrations", "knobot.rag.v1.AnswerService.StreamAnswer", "knobot.rag.v1.AnswerService.Forget",
		"knobot.rag.v1.AnswerService.Transcribe", "knobot.rag.v1.FeedbackService.RecordFeedback",
	}
}

var variable = regexp.MustCompile(`\{[^}]+\}`)

func TestEveryRPCForPeopleHasARouteAndNoOther(t *testing.T) {
	t.Parallel()
	for _, b := range rpcs(t) {
		hidden := b.rpc.Name() == "UploadDocument" || // its route takes a form
			slices.Contains(private(), string(b.rpc.FullName())) ||
			slices.Contains(private(), string(b.rpc.Parent().FullName()))
		require.Equal(t, hidden, b.path == "", b.rpc.FullName())
		if !hidden {
			require.Regexp(t, `^/api/v1/[a-z][A-Za-z]+`, b.path, b.rpc.FullName())
		}
	}
}

func TestEveryRouteReachesItsRPC(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, b := range rpcs(t) {
		if b.path == "" {
			continue
		}
		path := variable.ReplaceAllString(b.path, "x-1")
		var got answer
		if b.method == http.MethodGet || b.method == http.MethodDelete {
			got = s.do(t, b.method, path, nil, nil)
		} else {
			got = s.do(t, b.method, path, strings.NewReader("{}"), nil)
		}
		require.Equal(t, http.StatusOK, got.status, "%s %s: %s", b.method, path, got.body)
		require.Equal(t, "/"+string(b.rpc.Parent().FullName())+"/"+string(b.rpc.Name()), s.services.last(t).method)

		wrong := s.do(t, http.MethodPut, path, nil, nil)
		require.Equal(t, http.StatusMethodNotAllowed, wrong.status, path)
		require.Contains(t, strings.Split(wrong.header.Get("Allow"), ", "), b.method, path)
		require.Equal(t, "METHOD", wrong.reason(t))
	}
}

func TestPrivateRPCsCannotBeReachedByTheirNames(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, b := range rpcs(t) {
		path := "/" + string(b.rpc.Parent().FullName()) + "/" + string(b.rpc.Name())
		require.Equal(t, http.StatusNotFound, s.post(t, path, "{}").status, path)
	}
	require.Empty(t, s.services.all())
}

func TestDocumentHasEveryRouteAndNoOther(t *testing.T) {
	t.Parallel()
	d, err := readDocument(openapi.Document())
	require.NoError(t, err)
	var documented []string
	for _, methods := range d.Paths {
		for _, o := range methods {
			documented = append(documented, o.OperationID)
			require.NotEmpty(t, o.Summary, o.OperationID)
			require.Len(t, o.Tags, 1)
		}
	}
	want := []string{"DocumentService_UploadDocument"}
	for _, b := range rpcs(t) {
		name := string(b.rpc.Parent().Name()) + "_" + string(b.rpc.Name())
		if b.rpc.Parent().Name() == "DiagnosticsService" { // each service has one
			name += b.path[strings.LastIndex(b.path, "/"):]
		}
		if b.path != "" {
			want = append(want, strings.ReplaceAll(name, "/", "_"))
		}
	}
	require.ElementsMatch(t, want, documented)
	require.Contains(t, slices.Collect(maps.Keys(d.Paths)), pathUpload)
}
