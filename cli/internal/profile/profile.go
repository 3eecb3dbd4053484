// Package profile keeps which KnoBot servers a person works with, and the keys to them.
package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Profile is a server and what it takes to call it.
type Profile struct {
	// Server is the gRPC address of a gateway, host:port.
	Server string `json:"server"`
	// APIKey is a management key.
	APIKey string `json:"api_key,omitempty"`
	// TLS says that the server shows a certificate: one of the system's authorities, or of CAFile.
	TLS bool `json:"tls,omitempty"`
	// CAFile, CertFile and KeyFile are PEM files: the authority of the server's certificate, and ours where it asks for one.
	CAFile   string `json:"ca_file,omitempty"`
	CertFile string `json:"cert_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`
	// ServerName is whom the certificate must name, where that is not the address: through a tunnel.
	ServerName string `json:"server_name,omitempty"`
}

// Profiles are all of them.
type Profiles struct {
	// Current is the one that is used where none is named.
	Current string             `json:"current,omitempty"`
	ByName  map[string]Profile `json:"profiles,omitempty"`
}

// ErrUnknown says that there is no profile of a name.
var ErrUnknown = errors.New("there is no profile of this name; `knobot profile list` shows them")

// Path is where they are kept: below XDG_CONFIG_HOME or its default.
func Path() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no folder for settings: %w", err)
	}
	return filepath.Join(dir, "knobot", "config.yaml"), nil
}

// Load reads them; a file that is not there holds none.
func Load(path string) (Profiles, error) {
	var p Profiles
	text, err := os.ReadFile(path) //nolint:gosec // the person's own settings
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if err := yaml.UnmarshalStrict(text, &p); err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	if p.ByName == nil {
		p.ByName = map[string]Profile{}
	}
	return p, nil
}

// Save writes them for their owner alone, all or nothing.
func (p Profiles) Save(path string) error {
	text, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".config-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename there is nothing to remove
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Find returns the profile of a name, or the current one for no name; found is false if there is none at all.
func (p Profiles) Find(name string) (profile Profile, found bool, err error) {
	if name == "" {
		name = p.Current
	}
	if name == "" {
		return Profile{}, false, nil
	}
	profile, found = p.ByName[name]
	if !found {
		return Profile{}, false, fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	return profile, true, nil
}
