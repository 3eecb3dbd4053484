package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/knobot/knobot/e2e/internal/system"
)

func TestManifests(t *testing.T) {
	t.Parallel()

	objects := render(t, "base")
	deployments := map[string]*appsv1.Deployment{}
	services := map[string]*corev1.Service{}
	for _, o := range objects {
		switch o := o.(type) {
		case *appsv1.Deployment:
			deployments[o.Name] = o
		case *corev1.Service:
			services[o.Name] = o
		}
	}

	t.Run("FourDeploymentsEachWithAService", func(t *testing.T) {
		t.Parallel()
		require.Len(t, deployments, 4)
		for _, name := range []string{"gateway", "conversation", "rag", "channels"} {
			require.Contains(t, deployments, name)
			require.Contains(t, services, name)
			require.Equal(t, deployments[name].Spec.Template.Labels["app.kubernetes.io/name"], services[name].Spec.Selector["app.kubernetes.io/name"])
		}
	})

	t.Run("ServicePortsNameContainerPorts", func(t *testing.T) {
		t.Parallel()
		for name, s := range services {
			ports := map[string]bool{}
			for _, p := range deployments[name].Spec.Template.Spec.Containers[0].Ports {
				ports[p.Name] = true
			}
			for _, p := range s.Spec.Ports {
				require.True(t, ports[p.TargetPort.StrVal], "service %s: no container port %q", name, p.TargetPort.StrVal)
			}
		}
	})

	t.Run("NobodyRunsAsRootOrWritesItsRoot", func(t *testing.T) {
		t.Parallel()
		for name, d := range deployments {
			require.True(t, *d.Spec.Template.Spec.SecurityContext.RunAsNonRoot, name)
			for _, c := range append(d.Spec.Template.Spec.InitContainers, d.Spec.Template.Spec.Containers...) {
				require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, "%s/%s", name, c.Name)
				require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, "%s/%s", name, c.Name)
			}
		}
	})
}

// render builds an overlay with kustomize and decodes every object strictly: a misspelt field is an error.
func render(t *testing.T, overlay string) []runtime.Object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(system.Root(), "k8s", overlay))
	require.NoError(t, err)
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		require.NoError(t, err)
		object, _, err := decoder.Decode(text, nil, nil)
		require.NoError(t, err, string(text))
		objects = append(objects, object)
	}
	return objects
}
