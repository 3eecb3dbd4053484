package manifests

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Workload is whatever makes pods.
type Workload struct {
	Name     string
	Replicas *int32
	Selector *metav1.LabelSelector // nil for jobs
	Labels   map[string]string     // of its pods
	Pod      *corev1.PodSpec
}

// Workloads returns every Deployment, StatefulSet and CronJob.
func (s *Set) Workloads() []Workload {
	var found []Workload
	for _, d := range all[*appsv1.Deployment](s) {
		found = append(found, Workload{d.Name, d.Spec.Replicas, d.Spec.Selector, d.Spec.Template.Labels, &d.Spec.Template.Spec})
	}
	for _, d := range all[*appsv1.StatefulSet](s) {
		found = append(found, Workload{d.Name, d.Spec.Replicas, d.Spec.Selector, d.Spec.Template.Labels, &d.Spec.Template.Spec})
	}
	for _, c := range all[*batchv1.CronJob](s) {
		t := &c.Spec.JobTemplate.Spec.Template
		found = append(found, Workload{c.Name, nil, nil, t.Labels, &t.Spec})
	}
	return found
}

// containers are all of a pod, those that only start it included.
func (w Workload) containers() []*corev1.Container {
	var found []*corev1.Container
	for _, list := range [][]corev1.Container{w.Pod.InitContainers, w.Pod.Containers} {
		for i := range list {
			found = append(found, &list[i])
		}
	}
	return found
}

// program is the name of our program that a container runs, empty for what others made.
func program(c *corev1.Container) string { return imageProgram(c.Image) }

func imageProgram(image string) string {
	parts := strings.Split(image[:max(strings.LastIndex(image, ":"), 0)], "/")
	if len(parts) < 2 || parts[len(parts)-2] != "knobot" {
		return ""
	}
	return parts[len(parts)-1]
}

// serves says whether a container is one of the four services, as opposed to their migration and the simulator.
func serves(c *corev1.Container) bool {
	p := program(c)
	return len(c.Args) == 0 && slices.Contains(services, p)
}

// services are the four programs that serve.
var services = []string{"gateway", "conversation", "rag", "channels"}

// port returns the container port of a name, 0 if there is none.
func (w Workload) port(name string) int32 {
	for _, c := range w.containers() {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.ContainerPort
			}
		}
	}
	return 0
}

// selects says whether a selector takes the pods with these labels. An empty one takes all, as in the API.
func selects(selector *metav1.LabelSelector, of map[string]string) bool {
	if selector == nil {
		return false
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(of))
}

func takes(selector, of map[string]string) bool {
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(of))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
