package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/node"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

const (
	namespace = "knobot"
	// stepTimeout is for one step.
	stepTimeout = 4 * time.Minute
	// adminKey is that of overlays/local.
	adminKey = "demo-management-key-for-everybody"
	// branches are questions that a document answers, each asked once by a customer of its own; the others ask the model.
	firstBranch, branches = 10_001, 1500
	// question is one that the sample answers, and reply a part of the answer.
	question, reply = "¿Cuánto cuesta el capuchino?", "$6.500"
	// firstCustomer writes before the dump is made.
	firstCustomer = "573001112233"
	// writers ask all the time.
	writers = 200
)

// deployments are those of KnoBot itself.
var deployments = []string{"gateway", "conversation-api", "conversation-worker", "rag", "channels"} //nolint:gochecknoglobals // a constant in all but name

// trial is a cluster on which KnoBot is tried.
type trial struct {
	*testing.T
	node  *node.Node
	model *model.Server
	crowd *crowd.Crowd
	// phones are those of the simulator, at the address of its Service.
	phones *client.Client
	phases []phase
	stop   context.CancelFunc // of the customers
	wrote  []chan error
	// forwards end kubectl port-forward, by port.
	forwards map[string]func()
}

// phase is a time in which something was wrong.
type phase struct {
	name       string
	began, end time.Time
}

// step does something, and prints how long it took.
func (c *trial) step(name string, do func(ctx context.Context)) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), stepTimeout)
	defer cancel()
	began := time.Now()
	do(ctx)
	_, _ = fmt.Fprintf(os.Stdout, "%6.1f s  %s\n", time.Since(began).Seconds(), name)
}

// kubectl runs kubectl in the namespace of KnoBot.
func (c *trial) kubectl(ctx context.Context, arguments ...string) string {
	c.Helper()
	out, err := c.node.Kubectl(ctx, append([]string{"-n", namespace}, arguments...)...)
	require.NoError(c, err)
	return out
}

// apply applies the overlay as it stands, and waits until all pods serve. Volumes are local folders: the node has nobody who
// makes them on demand.
func (c *trial) apply(ctx context.Context) {
	for _, volume := range []string{"one 5Gi", "two 5Gi", "three 10Gi"} {
		name, size, _ := strings.Cut(volume, " ")
		folder, err := c.node.Folder("volume-" + name)
		require.NoError(c, err)
		c.kubectlWith(ctx, fmt.Sprintf(`{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": %q}, "spec": {
			"capacity": {"storage": %q}, "accessModes": ["ReadWriteOnce"], "local": {"path": %q}, "nodeAffinity": {"required": {
			"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [%q]}]}]}}}}`,
			name, size, folder, node.Name))
	}
	_, err := c.node.Kubectl(ctx, "apply", "-k", local())
	require.NoError(c, err)
	c.awaitServing(ctx)
}

// kubectlWith applies an object.
func (c *trial) kubectlWith(ctx context.Context, object string) {
	c.Helper()
	cmd := c.node.KubectlCommand(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(object)
	out, err := cmd.CombinedOutput()
	require.NoError(c, err, string(out))
}

// awaitServing waits until every pod of every workload is new, ready and long enough so.
func (c *trial) awaitServing(ctx context.Context) {
	c.Helper()
	for _, workload := range strings.Fields(c.kubectl(ctx, "get", "statefulsets,deployments", "-o", "name")) {
		c.kubectl(ctx, "rollout", "status", workload, "--timeout=200s")
	}
}

// firstQuestion goes the way of the documentation: the sample is taken in through kubectl port-forward, and a customer who asks
// on either platform gets an answer from it.
func (c *trial) firstQuestion(ctx context.Context) {
	c.forward(ctx, "deploy/gateway", "9100")
	c.forward(ctx, "svc/simulator", "9800")
	c.knobot(ctx, "ingest", filepath.Join(system.Root(), "cli", "sample"))
	phones := client.New("http://127.0.0.1:9800", nil)
	c.ask(ctx, phones, simulator.Utterance{Platform: simulator.WhatsApp, From: firstCustomer, Text: question}, reply)
	c.ask(ctx, phones, simulator.Utterance{Platform: simulator.Telegram, From: "42", Text: question}, reply)
	require.Contains(c, c.knobot(ctx, "logs"), "answered")
}

// ask asks and waits for an answer that says what is wanted.
func (c *trial) ask(ctx context.Context, phones *client.Client, asked simulator.Utterance, want string) {
	c.Helper()
	said, err := phones.Say(ctx, asked)
	require.NoError(c, err)
	require.Eventually(c, func() bool {
		messages, err := phones.Messages(ctx, said.Chat, 0)
		return err == nil && slices.ContainsFunc(messages, func(m simulator.Message) bool {
			return m.Direction == simulator.Outbound && strings.Contains(m.Text, want)
		})
	}, time.Minute, 200*time.Millisecond, "an answer on %s", asked.Platform)
}

// forward has a port of a pod on the node's loopback, instead of one that had it before, until the test ends.
func (c *trial) forward(ctx context.Context, to, port string) {
	c.Helper()
	if end := c.forwards[port]; end != nil {
		end()
	}
	cmd := c.node.KubectlCommand(context.WithoutCancel(ctx), "-n", namespace, "port-forward", to, port)
	require.NoError(c, cmd.Start())
	c.forwards[port] = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c.Cleanup(c.forwards[port])
	require.NoError(c, system.AwaitListening(ctx, "127.0.0.1:"+port))
}

// knobot runs the command line against the gateway.
func (c *trial) knobot(ctx context.Context, arguments ...string) string {
	c.Helper()
	home, err := c.node.Folder("home")
	require.NoError(c, err)
	cmd := exec.CommandContext(ctx, system.Bin("knobot"), arguments...)
	cmd.Env = append(os.Environ(), "KNOBOT_ADMIN_API_KEY="+adminKey, "HOME="+home)
	out, err := cmd.CombinedOutput()
	require.NoError(c, err, string(out))
	return string(out)
}

// prepare has customers' questions answered so that answers can be told apart: on WhatsApp by a model that names them, on
// Telegram from a document with a section for each.
func (c *trial) prepare(ctx context.Context) {
	l := c.listen(ctx)
	c.model = model.StartOn(c.T, l)
	environment := []string{"set", "env", "deployment/rag"}
	for name, value := range c.model.Environment() {
		environment = append(environment, name+"="+value)
	}
	c.kubectl(ctx, environment...)
	// The simulator is to remember all of it.
	c.kubectl(ctx, "patch", "deployment", "simulator", "--type=json", "--patch",
		`[{"op": "add", "path": "/spec/template/spec/containers/0/args", "value": ["-history", "1000000", "-retry-scale", "0.1"]},
		{"op": "replace", "path": "/spec/template/spec/containers/0/resources/limits/memory", "value": "2Gi"}]`)
	var document strings.Builder
	document.WriteString("# Sucursales\n\n") // the title, which every answer names
	for n := range branches {
		document.WriteString(crowd.Branch(model.Code(firstBranch+n, 0)) + "\n")
	}
	folder, err := c.node.Folder("documents")
	require.NoError(c, err)
	file := filepath.Join(folder, "sucursales.md")
	require.NoError(c, os.WriteFile(file, []byte(document.String()), 0o600))
	c.knobot(ctx, "ingest", file)
	c.awaitServing(ctx)

	address := strings.TrimSpace(c.kubectl(ctx, "get", "service", "simulator", "-o", "jsonpath={.spec.clusterIP}"))
	c.phones = client.New("http://"+address+":9800", nil)
	require.Eventually(c, func() bool { return c.phones.Health(ctx) == nil }, 30*time.Second, 100*time.Millisecond)
	channels := channelsv1.NewIntegrationServiceClient(c.dial("channels", "9103"))
	list, err := channels.ListIntegrations(ctx, &channelsv1.ListIntegrationsRequest{})
	require.NoError(c, err)
	for _, i := range list.GetIntegrations() {
		if i.GetWhatsapp() != nil {
			model.TurnRetrievalOff(c.T, channels, i.GetId())
			model.Reach(c.T, c.phones, i, c.model)
		}
	}
}

// dial reaches all pods of a headless Service by its name, as our programs do.
func (c *trial) dial(service, port string) *grpc.ClientConn {
	c.Helper()
	conn, err := grpc.NewClient("dns://"+node.DNSAddress+"/"+service+"."+namespace+".svc.cluster.local:"+port,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	require.NoError(c, err)
	c.Cleanup(func() { _ = conn.Close() })
	return conn
}

// write has customers write until they are told to stop.
func (c *trial) write(ctx context.Context) {
	var err error
	c.crowd, err = crowd.Gather(c.Context(), c.phones, c.dial("conversation", "9101"))
	require.NoError(c, err)
	writing, stop := context.WithCancel(c.Context())
	c.stop = stop
	for _, plan := range []crowd.Plan{
		{Customers: writers, Every: 80 * time.Millisecond, Platform: always(simulator.WhatsApp)},
		{
			First: firstBranch, Customers: branches, Questions: 1, Every: 250 * time.Millisecond, Platform: always(simulator.Telegram),
			Say: crowd.AskAboutBranch,
		},
	} {
		wrote := make(chan error, 1)
		c.wrote = append(c.wrote, wrote)
		go func() { wrote <- c.crowd.Write(writing, plan) }()
	}
	require.NoError(c, c.crowd.AwaitAnswered(ctx, writers))
}

func always(p simulator.Platform) func(int) simulator.Platform {
	return func(int) simulator.Platform { return p }
}

// settle has customers stop, and waits until nothing goes on any more.
func (c *trial) settle(ctx context.Context) {
	c.stop()
	for _, wrote := range c.wrote {
		if err := <-wrote; !errors.Is(err, context.Canceled) {
			require.NoError(c, err)
		}
	}
	require.NoError(c, c.crowd.Settle(ctx))
}

// explain shows what a failure may come from.
func (c *trial) explain() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, arguments := range [][]string{
		{"get", "pods", "-A", "-o", "wide"},
		{"get", "events", "-A", "--sort-by=.lastTimestamp"},
		{"-n", namespace, "logs", "--selector=app.kubernetes.io/part-of=knobot", "--all-containers", "--prefix", "--tail=30", "--max-log-requests=50"},
	} {
		out, err := c.node.Kubectl(ctx, arguments...)
		c.Logf("kubectl %s\n%s%v", strings.Join(arguments, " "), out, err)
	}
	c.Log(c.node.Logs())
}
