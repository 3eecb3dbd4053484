package node

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

const (
	// Name is that of the only node.
	Name = "knobot"
	// Address is the node's, which pods reach it at.
	Address = "172.30.0.2"
	// DNSAddress answers the names of Services.
	DNSAddress = "10.96.0.10"

	gateway        = "172.30.0.1"
	podNetwork     = "10.244.0.0/24"
	serviceNetwork = "10.96.0.0/16"
	api            = "https://127.0.0.1:6443"
	etcd           = "http://127.0.0.1:2379"
	containerd     = "/run/containerd/containerd.sock"
)

//go:embed files
var files embed.FS

// Node is a running node.
type Node struct {
	state, bin string
	ended      chan error // a program that ended, which none should
}

// Start starts a node in the namespaces that Enter made. bin is the folder of the programs kubernetes and coredns; images are
// archives, of which pause is the one that holds a pod together. The node ends with the namespaces.
func Start(ctx context.Context, bin, pause string, images []string) (*Node, error) {
	n := &Node{state: os.Getenv(stateVariable), bin: bin, ended: make(chan error, 1)}
	if n.state == "" {
		return nil, errors.New("not inside of a node's namespaces")
	}
	for _, step := range []func() error{
		func() error { return isolate(ctx, n.state) },
		n.writeAccess,
		func() error { return n.writeFiles(pause) },
		func() error { return n.control(ctx) },
		func() error { return n.runtime(ctx, images) },
		func() error { return n.join(ctx) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, n.Logs())
		}
	}
	return n, nil
}

func (n *Node) writeFiles(pause string) error {
	facts := struct{ State, Address, DNSAddress, PodNetwork, CgroupRoot, PauseImage string }{
		n.state, Address, DNSAddress, podNetwork, cgroupRoot, pause,
	}
	errs := []error{os.Mkdir(n.path("cni.d"), 0o700), os.WriteFile(n.path("resolv.conf"), []byte("nameserver "+DNSAddress+"\n"), 0o600)}
	for file, target := range map[string]string{
		"containerd.toml": "containerd.toml", "cni.conflist": "cni.d/10-pods.conflist", "kubelet.yaml": "kubelet.yaml", "Corefile": "Corefile",
		"dns.yaml": "dns.yaml",
	} {
		errs = append(errs, n.write("files/"+file, n.path(target), facts))
	}
	groups, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs") // one tree for each controller, or a single one without
	errs = append(errs, err)
	for _, group := range groups {
		errs = append(errs, os.MkdirAll(filepath.Join(filepath.Dir(group), cgroupRoot), 0o755)) //nolint:gosec // as the kernel's own
	}
	return errors.Join(errs...)
}

func (n *Node) write(name, target string, facts any) error {
	t, err := template.New(filepath.Base(name)).Option("missingkey=error").ParseFS(files, name)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := t.Execute(&out, facts); err != nil {
		return err
	}
	return os.WriteFile(target, []byte(out.String()), 0o600)
}

// control starts what decides: etcd, the API server, the controllers and the scheduler.
func (n *Node) control(ctx context.Context) error {
	err := errors.Join(
		n.run("etcd", "etcd", "--data-dir", n.path("etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
			"--listen-peer-urls", "http://127.0.0.1:2380", "--unsafe-no-fsync"), // it does not outlive a crash of the machine anyway
		n.kubernetes("kube-apiserver", "--etcd-servers="+etcd, "--bind-address=0.0.0.0", "--advertise-address="+Address,
			"--cert-dir="+n.path("api"), "--token-auth-file="+n.path("tokens.csv"), "--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file="+n.path("accounts.pub"), "--service-account-signing-key-file="+n.path("accounts.key"),
			"--service-cluster-ip-range="+serviceNetwork, "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--kubelet-preferred-address-types=InternalIP"))
	if err != nil {
		return err
	}
	if err := n.await(ctx, "the API server", n.apiReady); err != nil {
		return err
	}
	return errors.Join(
		n.kubernetes("kube-controller-manager", n.access("kube-controller-manager"), "--leader-elect=false", "--bind-address=127.0.0.1",
			"--use-service-account-credentials=true", "--service-account-private-key-file="+n.path("accounts.key")),
		n.kubernetes("kube-scheduler", n.access("kube-scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1"),
	)
}

// runtime starts containerd and gives it the images.
func (n *Node) runtime(ctx context.Context, images []string) error {
	if err := n.run("containerd", "containerd", "--config", n.path("containerd.toml")); err != nil {
		return err
	}
	ctr := func(ctx context.Context, arguments ...string) error {
		out, err := exec.CommandContext(ctx, "ctr", append([]string{"--address", containerd, "--namespace", "k8s.io"}, arguments...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ctr %s: %w: %s", strings.Join(arguments, " "), err, out)
		}
		return nil
	}
	if err := n.await(ctx, "containerd", func(ctx context.Context) error { return ctr(ctx, "version") }); err != nil {
		return err
	}
	for _, image := range images {
		if err := ctr(ctx, "images", "import", image); err != nil {
			return err
		}
	}
	return nil
}

// join starts what runs pods and leads to them, and waits until the node is ready.
func (n *Node) join(ctx context.Context) error {
	err := errors.Join(
		n.kubernetes("kubelet", "--config="+n.path("kubelet.yaml"), n.access("kubelet"), "--hostname-override="+Name, "--node-ip="+Address),
		n.kubernetes("kube-proxy", n.access("kube-proxy"), "--hostname-override="+Name, "--proxy-mode=iptables", "--oom-score-adj=0",
			"--cluster-cidr="+podNetwork, "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
			"--conntrack-tcp-timeout-close-wait=0"),
	)
	if err != nil {
		return err
	}
	err = n.await(ctx, "the node", func(ctx context.Context) error {
		_, err := n.Kubectl(ctx, "wait", "--for=condition=Ready", "node/"+Name, "--timeout=1s")
		return err
	})
	if err != nil {
		return err
	}
	if _, err := n.Kubectl(ctx, "apply", "-f", n.path("dns.yaml")); err != nil {
		return err
	}
	return n.run("coredns", filepath.Join(n.bin, "coredns"), "-conf", n.path("Corefile"))
}

func (n *Node) access(program string) string { return "--kubeconfig=" + n.kubeconfig(program) }

func (n *Node) kubernetes(program string, arguments ...string) error {
	return n.run(program, filepath.Join(n.bin, "kubernetes"), append([]string{program}, arguments...)...)
}

// run starts a program that ends with the namespaces and not before.
func (n *Node) run(name, program string, arguments ...string) error {
	log, err := os.Create(n.path(name + ".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(program, arguments...) //nolint:noctx // the namespaces end it
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		err := cmd.Wait()
		select {
		case n.ended <- fmt.Errorf("%s ended: %w", name, err):
		default:
		}
	}()
	return nil
}

// await asks until there is no error any more, for a minute at most.
func (n *Node) await(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case err := <-n.ended:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", what, err)
		}
	}
}

func (n *Node) apiReady(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see kubeconfig
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	return nil
}

// Kubectl runs kubectl and returns what it printed; its complaints are in the error.
func (n *Node) Kubectl(ctx context.Context, arguments ...string) (string, error) {
	var out, complaints strings.Builder
	cmd := n.KubectlCommand(ctx, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, complaints.String())
	}
	return out.String(), nil
}

// KubectlCommand is kubectl before it is started.
func (n *Node) KubectlCommand(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(n.bin, "kubernetes"), append([]string{"kubectl"}, arguments...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+n.kubeconfig("kubectl"), "HOME="+n.state)
	return cmd
}

// Folder makes a folder of the node that ends with it.
func (n *Node) Folder(name string) (string, error) {
	path := n.path(name)
	return path, os.MkdirAll(path, 0o755) //nolint:gosec // pods run as other users
}

// Logs are the last lines of each of the node's programs.
func (n *Node) Logs() string {
	var all strings.Builder
	logs, _ := filepath.Glob(n.path("*.log"))
	for _, path := range logs {
		text, _ := os.ReadFile(path) //nolint:gosec // a log that is not there says nothing
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(&all, "--- %s\n%s\n", filepath.Base(path), strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
	return all.String()
}
