package manifests

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespaceLabel is what the API server puts on every namespace.
const namespaceLabel = "kubernetes.io/metadata.name"

// Party is one end of a connection: a pod, or an address outside of the cluster.
type Party struct {
	Name      string
	Namespace string // empty: outside
	Labels    map[string]string
	Address   string
}

// Port is where a connection goes.
type Port struct {
	Number   int32
	Protocol corev1.Protocol
}

// Network says which connections the policies of one namespace allow.
type Network struct {
	namespace string
	policies  []*networkingv1.NetworkPolicy
	pods      []Workload
}

// NewNetwork reads the policies and pods of a set.
func NewNetwork(s *Set, namespace string) *Network {
	return &Network{namespace: namespace, policies: all[*networkingv1.NetworkPolicy](s), pods: s.Workloads()}
}

// Edges lists what is allowed between the namespace's pods, and between them and the others, one "from -> to:port" each.
func (n *Network) Edges(others map[string]Party, ports map[string][]Port) []string {
	var edges []string
	parties, open := map[string]Party{}, map[string][]Port{}
	for _, w := range n.pods {
		parties[w.Name] = Party{Name: w.Name, Namespace: n.namespace, Labels: w.Labels, Address: "10.244.0.9"}
		for _, c := range w.containers() {
			for _, p := range c.Ports {
				open[w.Name] = append(open[w.Name], Port{p.ContainerPort, corev1.ProtocolTCP})
			}
		}
	}
	for name, p := range others {
		parties[name], open[name] = p, ports[name]
	}
	for _, from := range sortedKeys(parties) {
		for _, to := range sortedKeys(parties) {
			if parties[from].Namespace != n.namespace && parties[to].Namespace != n.namespace {
				continue // none of ours
			}
			for _, p := range open[to] {
				if from != to && n.Allows(parties[from], parties[to], p) {
					edges = append(edges, fmt.Sprintf("%s -> %s:%d", from, to, p.Number))
				}
			}
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

// Allows says whether a connection may be made: the policies of both ends must let it through. A pod that no policy selects
// for a direction is open in it.
func (n *Network) Allows(from, to Party, port Port) bool {
	return n.passes(from, networkingv1.PolicyTypeEgress, to, port) && n.passes(to, networkingv1.PolicyTypeIngress, from, port)
}

func (n *Network) passes(pod Party, direction networkingv1.PolicyType, peer Party, port Port) bool {
	if pod.Namespace != n.namespace {
		return true // others' policies are not ours to know
	}
	selected := false
	for _, p := range n.policies {
		if !slices.Contains(p.Spec.PolicyTypes, direction) || !selects(&p.Spec.PodSelector, pod.Labels) {
			continue
		}
		selected = true
		if direction == networkingv1.PolicyTypeEgress {
			for _, r := range p.Spec.Egress {
				if n.matches(r.To, peer) && reaches(r.Ports, port) {
					return true
				}
			}
		} else {
			for _, r := range p.Spec.Ingress {
				if n.matches(r.From, peer) && reaches(r.Ports, port) {
					return true
				}
			}
		}
	}
	return !selected
}

func (n *Network) matches(peers []networkingv1.NetworkPolicyPeer, who Party) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		switch {
		case p.IPBlock != nil:
			return inBlock(p.IPBlock, who.Address)
		case who.Namespace == "":
			return false
		case p.NamespaceSelector == nil:
			return who.Namespace == n.namespace && selects(p.PodSelector, who.Labels)
		default:
			pods := p.PodSelector
			if pods == nil {
				pods = &metav1.LabelSelector{}
			}
			return selects(p.NamespaceSelector, map[string]string{namespaceLabel: who.Namespace}) && selects(pods, who.Labels)
		}
	})
}

func inBlock(block *networkingv1.IPBlock, address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	within := func(cidr string) bool {
		p, err := netip.ParsePrefix(cidr)
		return err == nil && p.Contains(a)
	}
	return within(block.CIDR) && !slices.ContainsFunc(block.Except, within)
}

// reaches knows ports by number only; a name would mean another port on each pod, and ours have none.
func reaches(ports []networkingv1.NetworkPolicyPort, to Port) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		protocol := corev1.ProtocolTCP
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		return protocol == to.Protocol && (p.Port == nil || p.Port.StrVal == "" && p.Port.IntVal == to.Number)
	})
}
