package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// users are those of the API server, each with a token of its own: name, then groups.
var users = map[string][2]string{ //nolint:gochecknoglobals // a constant in all but name
	"kubectl":                 {"admin", "system:masters"},
	"kube-controller-manager": {"system:kube-controller-manager", ""},
	"kube-scheduler":          {"system:kube-scheduler", ""},
	"kube-proxy":              {"system:kube-proxy", ""},
	"kubelet":                 {"system:node:" + Name, "system:nodes"},
	"coredns":                 {"coredns", ""},
}

// writeAccess writes the tokens, a file for each program that calls the API server, and the key that signs the tokens of
// service accounts.
func (n *Node) writeAccess() error {
	var tokens strings.Builder
	for program, user := range users {
		token := rand.Text()
		fmt.Fprintf(&tokens, "%s,%s,%s,%q\n", token, user[0], user[0], user[1])
		if err := n.write("files/kubeconfig", n.kubeconfig(program), struct{ Token string }{token}); err != nil {
			return err
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, privateErr := x509.MarshalECPrivateKey(key)
	public, publicErr := x509.MarshalPKIXPublicKey(&key.PublicKey)
	return errors.Join(privateErr, publicErr,
		os.WriteFile(n.path("tokens.csv"), []byte(tokens.String()), 0o600),
		os.WriteFile(n.path("accounts.key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600),
		os.WriteFile(n.path("accounts.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600),
	)
}

func (n *Node) kubeconfig(program string) string { return n.path(program + ".kubeconfig") }

func (n *Node) path(name ...string) string {
	return filepath.Join(append([]string{n.state}, name...)...)
}
