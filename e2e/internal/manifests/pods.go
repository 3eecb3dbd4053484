package manifests

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/service"
)

// Probes checks that each service is probed by gRPC, on a port that it has and by health services that it has: readiness by
// the overall one, which says NOT_SERVING while it drains, and liveness by one that does not, or a drain would be a restart.
func (s *Set) Probes() []string {
	var f faults
	for _, w := range s.Workloads() {
		for _, c := range w.containers() {
			if !serves(c) {
				continue
			}
			for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
				if probe == nil || probe.GRPC == nil {
					f.add("%s has no %s probe by gRPC", w.Name, name)
					continue
				}
				asked := ""
				if probe.GRPC.Service != nil {
					asked = *probe.GRPC.Service
				}
				if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == probe.GRPC.Port }) {
					f.add("the %s probe of %s asks port %d, which it does not have", name, w.Name, probe.GRPC.Port)
				}
				if !slices.Contains(HealthServices(program(c)), asked) {
					f.add("the %s probe of %s asks for %q, which has no health", name, w.Name, asked)
				}
				if (name == "liveness") != (asked == service.Liveness) {
					f.add("the %s probe of %s asks for %q", name, w.Name, asked)
				}
			}
		}
	}
	return f
}

// Graces checks that nobody is killed who is still stopping in order.
func (s *Set) Graces() []string {
	var f faults
	for _, w := range s.Workloads() {
		for _, c := range w.containers() {
			if !serves(c) {
				continue
			}
			drain := cmp.Or(s.environmentOf(c)["KNOBOT_DRAIN"], defaultDrain())
			d, err := time.ParseDuration(drain)
			if err != nil || d < leastDrain {
				f.add("%s serves on for %q when it stops, and callers need %s to notice", w.Name, drain, leastDrain)
			}
			given := w.Pod.TerminationGracePeriodSeconds
			if stop := d + service.LongestStop; given == nil || time.Duration(*given)*time.Second <= stop {
				f.add("%s may be killed before its stop of %s is over", w.Name, stop)
			}
		}
	}
	return f
}

// leastDrain is how long a pod must serve on after it says NOT_SERVING: endpoints and names are looked up anew within it.
const leastDrain = 3 * time.Second

func defaultDrain() string {
	fields := env.FieldsOf[service.Config]()
	i := slices.IndexFunc(fields, func(f env.Field) bool { return f.Name == "KNOBOT_DRAIN" })
	return fields[i].Default
}

// Hardening checks what Pod Security "restricted" asks for, and what it does not: nothing is written to the root file system,
// no token of the API server, no list of the namespace's services in the environment.
func (s *Set) Hardening() []string {
	var f faults
	for _, w := range s.Workloads() {
		pod := w.Pod
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			f.add("%s gets a token of the API server", w.Name)
		}
		if pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
			f.add("%s gets the namespace's services in its environment", w.Name)
		}
		if pod.ServiceAccountName == "" {
			f.add("%s has no account of its own", w.Name)
		}
		sc := pod.SecurityContext
		if sc == nil || sc.RunAsNonRoot == nil || !*sc.RunAsNonRoot || sc.RunAsUser == nil || *sc.RunAsUser == 0 {
			f.add("%s may run as root", w.Name)
		}
		if sc == nil || sc.SeccompProfile == nil || sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			f.add("%s has no seccomp profile", w.Name)
		}
		for _, c := range w.containers() {
			if !confined(c.SecurityContext) {
				f.add("%s/%s is not confined", w.Name, c.Name)
			}
		}
	}
	return f
}

func confined(sc *corev1.SecurityContext) bool {
	return sc != nil &&
		sc.AllowPrivilegeEscalation != nil && !*sc.AllowPrivilegeEscalation &&
		sc.ReadOnlyRootFilesystem != nil && *sc.ReadOnlyRootFilesystem &&
		sc.Capabilities != nil && slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) && len(sc.Capabilities.Add) == 0
}

// Resources checks that the scheduler knows what each container needs, and that none takes a node's memory or disk. Processor
// time has no limit: it would be throttled while the node is idle.
func (s *Set) Resources() []string {
	var f faults
	for _, w := range s.Workloads() {
		for _, c := range w.containers() {
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
				if _, ok := c.Resources.Requests[name]; !ok {
					f.add("%s/%s requests no %s", w.Name, c.Name, name)
				}
			}
			for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
				if _, ok := c.Resources.Limits[name]; !ok {
					f.add("%s/%s has no limit of %s", w.Name, c.Name, name)
				}
			}
			if _, limited := c.Resources.Limits[corev1.ResourceCPU]; limited {
				f.add("%s/%s has a limit of cpu", w.Name, c.Name)
			}
		}
	}
	return f
}
