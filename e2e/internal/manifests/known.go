package manifests

import (
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Each file registers its services.
	_ "github.com/knobot/knobot/gen/knobot/channels/v1"
	_ "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	_ "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/service"
)

// HealthServices are the names that a program's health service knows: the overall one, liveness, and each gRPC service.
func HealthServices(program string) []string {
	names := []string{"", service.Liveness}
	protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName("knobot."+program+".v1"), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			names = append(names, string(file.Services().Get(i).FullName()))
		}
		return true
	})
	return names
}

// WebhookRoutes are the paths that the gateway's definition gives to the world.
func WebhookRoutes() []string {
	var paths []string
	methods := gatewayv1.File_knobot_gateway_v1_webhook_service_proto.Services().ByName("WebhookService").Methods()
	for i := range methods.Len() {
		rule, ok := proto.GetExtension(methods.Get(i).Options(), annotations.E_Http).(*annotations.HttpRule)
		if !ok {
			continue
		}
		for _, path := range []string{rule.GetGet(), rule.GetPost()} {
			if path != "" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}
