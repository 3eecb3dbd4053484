package cluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// local is the overlay that is tried.
func local() string { return filepath.Join(system.Root(), "k8s", "overlays", "local") }

// backUp makes a dump at once.
func (c *trial) backUp(ctx context.Context) {
	c.kubectl(ctx, "create", "job", "backup-now", "--from=cronjob/backup")
	c.kubectl(ctx, "wait", "--for=condition=Complete", "job/backup-now", "--timeout=60s")
	require.Contains(c, c.kubectl(ctx, "logs", "job/backup-now"), "wrote knobot-")
}

// encrypt turns mutual TLS on as the documentation says. Customers are answered as before, grpcurl gets through with a
// certificate of the same authority and not without one.
func (c *trial) encrypt(ctx context.Context) {
	folder, err := c.node.Folder("tls")
	require.NoError(c, err)
	ca := newAuthority(c.T, folder)
	for _, service := range []string{"gateway", "conversation", "rag", "channels"} {
		certificate, key := ca.issue(service)
		c.kubectl(ctx, "create", "secret", "generic", "knobot-"+service+"-tls", "--from-file=tls.crt="+certificate, "--from-file=tls.key="+key,
			"--from-file=ca.crt="+filepath.Join(folder, "ca.crt"))
	}
	overlay, err := c.node.Folder("overlay")
	require.NoError(c, err)
	base, err := filepath.Rel(overlay, local())
	require.NoError(c, err)
	text := "kind: Kustomization\nnamespace: " + namespace + "\nresources: [" + base + "]\ncomponents: [" + base + "/../../components/mtls]\n"
	require.NoError(c, os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte(text), 0o600))
	_, err = c.node.Kubectl(ctx, "apply", "-k", overlay)
	require.NoError(c, err)
	c.awaitServing(ctx)

	c.ask(ctx, c.phones, simulator.Utterance{Platform: simulator.Telegram, From: "43", Text: question}, reply)
	c.forward(ctx, "deploy/conversation-api", "9101")
	with := []string{"-cacert", filepath.Join(folder, "ca.crt"), "-servername", "conversation"}
	out, err := grpcurl(ctx, append(with, "127.0.0.1:9101", "list")...)
	require.Error(c, err, "a stranger is shown %s", out)
	c.forward(ctx, "deploy/conversation-api", "9101") // kubectl may have ended with the connection that was refused
	with = append(with, "-cert", filepath.Join(folder, "gateway.crt"), "-key", filepath.Join(folder, "gateway.key"))
	out, err = grpcurl(ctx, append(with, "127.0.0.1:9101", "list")...)
	require.NoError(c, err, out)
	require.Contains(c, out, "knobot.conversation.v1.WebhookLogService")
}

func grpcurl(ctx context.Context, arguments ...string) (string, error) {
	out, err := exec.CommandContext(ctx, system.Bin("grpcurl"), append([]string{"-connect-timeout", "5"}, arguments...)...).CombinedOutput()
	return string(out), err
}

// restore loses the database and brings the dump back as the documentation says: what was said before it is there, what was
// said after it is not, and customers are answered from the documents.
func (c *trial) restore(ctx context.Context) {
	c.kubectl(ctx, append([]string{"scale", "deployment", "--replicas=0"}, deployments...)...)
	c.kubectl(ctx, "wait", "--for=delete", "pod", "--selector=app.kubernetes.io/name in (gateway, conversation, rag, channels)", "--timeout=90s")
	c.kubectl(ctx, "exec", "postgres-0", "--", "psql", "--username=postgres", "--dbname=knobot", "--command=drop schema gateway, conversation, rag, channels cascade")
	c.kubectl(ctx, "create", "job", "restore-1", "--from=cronjob/restore")
	c.kubectl(ctx, "wait", "--for=condition=Complete", "job/restore-1", "--timeout=90s")
	_, err := c.node.Kubectl(ctx, "apply", "-k", local())
	require.NoError(c, err)
	c.awaitServing(ctx)
	c.forward(ctx, "deploy/gateway", "9100")
	c.knobot(ctx, "reindex", "--all")
	talks := c.knobot(ctx, "conversations", "--limit", "1000")
	require.Contains(c, talks, firstCustomer)
	require.NotContains(c, talks, crowd.Utterance(simulator.WhatsApp, 1, 0).From)
	c.ask(ctx, c.phones, simulator.Utterance{Platform: simulator.WhatsApp, From: "573001112244", Text: question}, reply)
}
