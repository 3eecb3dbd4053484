package manifests

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespace is that of everything; the Namespace itself has its name.
const namespace = "knobot"

// References checks that every account, ConfigMap, Secret and claim that a pod names is there, and all of it in one namespace.
// Certificates come from outside.
func (s *Set) References() []string {
	var f faults
	there := s.named()
	want := func(w Workload, kind, name string, optional *bool) {
		if !there[kind+" "+name] && (optional == nil || !*optional) {
			f.add("%s needs the %s %s, which is not there", w.Name, kind, name)
		}
	}
	for _, o := range s.Objects {
		if o, ok := o.(metav1.Object); ok && o.GetNamespace() != namespace && o.GetName() != namespace {
			f.add("%s is in the namespace %q", o.GetName(), o.GetNamespace())
		}
	}
	for _, w := range s.Workloads() {
		want(w, "ServiceAccount", w.Pod.ServiceAccountName, nil)
		for _, c := range w.containers() {
			for _, from := range c.EnvFrom {
				if from.ConfigMapRef != nil {
					want(w, "ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
				}
				if from.SecretRef != nil {
					want(w, "Secret", from.SecretRef.Name, from.SecretRef.Optional)
				}
			}
		}
		for _, v := range w.Pod.Volumes {
			switch {
			case v.ConfigMap != nil:
				want(w, "ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional)
			case v.Secret != nil && !strings.HasSuffix(v.Secret.SecretName, "-tls"):
				want(w, "Secret", v.Secret.SecretName, v.Secret.Optional)
			case v.PersistentVolumeClaim != nil:
				want(w, "PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName, nil)
			}
		}
	}
	return f
}

func (s *Set) named() map[string]bool {
	there := map[string]bool{}
	for _, o := range all[*corev1.ConfigMap](s) {
		there["ConfigMap "+o.Name] = true
	}
	for _, o := range all[*corev1.Secret](s) {
		there["Secret "+o.Name] = true
	}
	for _, o := range all[*corev1.ServiceAccount](s) {
		there["ServiceAccount "+o.Name] = true
	}
	for _, o := range all[*corev1.PersistentVolumeClaim](s) {
		there["PersistentVolumeClaim "+o.Name] = true
	}
	return there
}
