package manifests

import (
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Faults runs every check and returns a sentence for each fault.
func (s *Set) Faults() []string {
	return slices.Concat(s.Selectors(), s.Replicas(), s.Disruptions(), s.Probes(), s.Graces(), s.Hardening(), s.Resources(), s.References(),
		s.Exposure(), s.Environment())
}

// faults collects sentences.
type faults []string

func (f *faults) add(format string, a ...any) { *f = append(*f, fmt.Sprintf(format, a...)) }

// Selectors checks that what names pods by labels names the right ones.
func (s *Set) Selectors() []string {
	var f faults
	workloads := s.Workloads()
	for _, w := range workloads {
		for _, other := range workloads {
			if w.Selector == nil {
				continue
			}
			if selects(w.Selector, other.Labels) != (w.Name == other.Name) {
				f.add("the selector of %s is wrong about the pods of %s", w.Name, other.Name)
			}
		}
		for _, spread := range w.Pod.TopologySpreadConstraints {
			if !selects(spread.LabelSelector, w.Labels) {
				f.add("the pods of %s spread by labels that they lack", w.Name)
			}
		}
	}
	for _, service := range all[*corev1.Service](s) {
		taken := 0
		for _, w := range workloads {
			if !takes(service.Spec.Selector, w.Labels) {
				continue
			}
			taken++
			for _, p := range service.Spec.Ports {
				if p.Name == "" || w.port(p.TargetPort.String()) != p.Port {
					f.add("port %q of the Service %s is not the port %s of the pods of %s", p.Name, service.Name, p.TargetPort.String(), w.Name)
				}
			}
		}
		if taken == 0 {
			f.add("the Service %s selects no pods", service.Name)
		}
	}
	return f
}

// Replicas checks that exactly one hand says how many pods there are: an autoscaler's or the manifest's. A second apply would
// undo what the autoscaler decided.
func (s *Set) Replicas() []string {
	var f faults
	scaled := map[string]bool{}
	for _, h := range all[*autoscalingv2.HorizontalPodAutoscaler](s) {
		scaled[h.Spec.ScaleTargetRef.Name] = true
		if !slices.ContainsFunc(s.Workloads(), func(w Workload) bool { return w.Name == h.Spec.ScaleTargetRef.Name }) {
			f.add("the autoscaler %s scales %s, which does not exist", h.Name, h.Spec.ScaleTargetRef.Name)
		}
		if h.Spec.MinReplicas == nil || *h.Spec.MinReplicas < 2 {
			f.add("the autoscaler %s may leave fewer than two pods", h.Name)
		}
	}
	for _, w := range s.Workloads() {
		switch {
		case w.Selector == nil:
		case scaled[w.Name] && w.Replicas != nil:
			f.add("%s has replicas and an autoscaler", w.Name)
		case !scaled[w.Name] && w.Replicas == nil:
			f.add("nobody says how many pods %s has", w.Name)
		}
	}
	return f
}

// Disruptions checks that every service keeps pods while a node is drained, and that none holds the drain up for ever.
func (s *Set) Disruptions() []string {
	var f faults
	one := intstr.FromInt32(1)
	budgets := all[*policyv1.PodDisruptionBudget](s)
	for _, w := range s.Workloads() {
		if !slices.ContainsFunc(w.containers(), serves) {
			continue
		}
		var of []string
		for _, b := range budgets {
			if selects(b.Spec.Selector, w.Labels) {
				of = append(of, b.Name)
				if b.Spec.MaxUnavailable == nil || *b.Spec.MaxUnavailable != one {
					f.add("the budget %s does not let one pod go at a time", b.Name)
				}
			}
		}
		if len(of) != 1 {
			f.add("%s has %d disruption budgets %v", w.Name, len(of), of)
		}
	}
	return f
}

// Exposure checks that the world reaches the webhook routes and nothing else.
func (s *Set) Exposure() []string {
	var f faults
	for _, service := range all[*corev1.Service](s) {
		if t := service.Spec.Type; t != "" && t != corev1.ServiceTypeClusterIP {
			f.add("the Service %s is of type %s", service.Name, t)
		}
		for _, p := range service.Spec.Ports {
			if p.Name == "grpc" && service.Spec.ClusterIP != corev1.ClusterIPNone {
				f.add("the Service %s is not headless: gRPC clients would stay with one pod", service.Name)
			}
		}
		if service.Name == "gateway" && (len(service.Spec.Ports) != 1 || service.Spec.Ports[0].Port != 9000) {
			f.add("the Service gateway offers more than the webhooks")
		}
	}
	for _, ingress := range all[*networkingv1.Ingress](s) {
		f = append(f, exposed(ingress)...)
	}
	return f
}

func exposed(ingress *networkingv1.Ingress) []string {
	var f faults
	routes, offered := WebhookRoutes(), map[string]bool{}
	if ingress.Spec.DefaultBackend != nil || len(ingress.Spec.TLS) == 0 {
		f.add("the Ingress %s has a default backend or no TLS", ingress.Name)
	}
	for _, rule := range ingress.Spec.Rules {
		for _, p := range rule.HTTP.Paths {
			path := strings.TrimSuffix(p.Path, "/")
			offered[path] = true
			if !slices.Contains(routes, path) || *p.PathType != networkingv1.PathTypeExact {
				f.add("the Ingress %s exposes %s (%s)", ingress.Name, p.Path, *p.PathType)
			}
			if b := p.Backend.Service; b.Name != "gateway" || b.Port.Name != "http" {
				f.add("the Ingress %s sends %s to %s", ingress.Name, p.Path, b.Name)
			}
		}
	}
	for _, r := range routes {
		if !offered[r] {
			f.add("the Ingress %s leaves %s out", ingress.Name, r)
		}
	}
	return f
}
