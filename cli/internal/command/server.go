package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/knobot/knobot/cli/internal/local"
	"github.com/knobot/knobot/cli/internal/profile"
)

// callTimeout bounds one call; ingesting a large document takes longest.
const callTimeout = 2 * time.Minute

// localServer is the gateway of `make up`.
const localServer = "127.0.0.1:9100"

// server says whom a command asks.
type server struct {
	Server     string `env:"KNOBOT_GATEWAY_ADDR" placeholder:"HOST:PORT" help:"gRPC address of the gateway; the profile's, or that of make up."`
	Profile    string `env:"KNOBOT_PROFILE" placeholder:"NAME" help:"A profile of knobot profile."`
	APIKeyFile string `env:"KNOBOT_ADMIN_API_KEY_FILE" placeholder:"FILE" type:"path" help:"File with the management key; KNOBOT_ADMIN_API_KEY may hold the key itself, the profile or make up may have one."`
}

// errPlainText keeps a key from being read on the way.
var errPlainText = errors.New("the key would travel in plain text: this server is another machine and its profile has no tls; " +
	"make a profile with --tls, or reach it through a tunnel such as kubectl port-forward")

// target finds out whom to ask and with which key.
func (o server) target() (profile.Profile, error) {
	p, err := o.profile()
	if err != nil {
		return profile.Profile{}, err
	}
	key, err := o.key()
	if err != nil {
		return profile.Profile{}, err
	}
	if key != "" {
		p.APIKey = key
	}
	if p.APIKey == "" && onThisMachine(p.Server) {
		p.APIKey = local.AdminKey(os.Getenv("KNOBOT_DATA_DIR"))
	}
	if p.APIKey != "" && !p.TLS && !onThisMachine(p.Server) {
		return profile.Profile{}, errPlainText
	}
	return p, nil
}

// profile is the one that is named, one made of the server that is named, the current one, or that of make up.
func (o server) profile() (profile.Profile, error) {
	if o.Server != "" && o.Profile == "" {
		return profile.Profile{Server: o.Server}, nil
	}
	path, err := profile.Path()
	if err != nil {
		return profile.Profile{}, err
	}
	all, err := profile.Load(path)
	if err != nil {
		return profile.Profile{}, err
	}
	p, found, err := all.Find(o.Profile)
	if err != nil {
		return profile.Profile{}, err
	}
	if !found {
		p.Server = localServer
	}
	if o.Server != "" {
		p.Server = o.Server
	}
	return p, nil
}

// key is the one that is named in the environment. There is no flag for it: other users of the machine can read flags.
func (o server) key() (string, error) {
	if key := os.Getenv("KNOBOT_ADMIN_API_KEY"); key != "" {
		return key, nil
	}
	if o.APIKeyFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(o.APIKeyFile)
	return strings.TrimSpace(string(text)), err
}

func onThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// dial returns a connection to a server, which is made when it is first used.
func dial(p profile.Profile) (*grpc.ClientConn, error) {
	transport, err := transportOf(p)
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(16<<20), grpc.MaxCallRecvMsgSize(16<<20)),
	}
	if p.APIKey != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(p.APIKey)))
	}
	conn, err := grpc.NewClient(p.Server, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.Server, err)
	}
	return conn, nil
}

func transportOf(p profile.Profile) (credentials.TransportCredentials, error) {
	if !p.TLS {
		return insecure.NewCredentials(), nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: p.ServerName}
	if p.CAFile != "" {
		pem, err := os.ReadFile(filepath.Clean(p.CAFile))
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", p.CAFile)
		}
	}
	if p.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(cfg), nil
}

// bearer is a management key.
type bearer string

// GetRequestMetadata shows it to the server.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity is decided when the target is found: on this machine plain text will do.
func (bearer) RequireTransportSecurity() bool { return false }
