package manifests

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// upPorts are the ports of loopback that `make up` opens: what a person has learned there holds here.
var upPorts = []string{"9000", "9100", "9101", "9102", "9103", "9200", "9201", "9202", "9203", "9800"}

// LoadCompose reads root/compose.yaml as docker compose does, with the given variables in place of a .env and a shell's.
func LoadCompose(root string, variables map[string]string) (*types.Project, error) {
	path := filepath.Join(root, "compose.yaml")
	text, err := os.ReadFile(path) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	return loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: root, Environment: variables, ConfigFiles: []types.ConfigFile{{Filename: path, Content: text}},
	}, func(o *loader.Options) { o.SetProjectName("knobot", true) })
}

// ComposeFaults says what is wrong in a project.
func ComposeFaults(p *types.Project) []string {
	var f faults
	var published []string
	for name, s := range p.Services {
		for _, port := range s.Ports {
			published = append(published, port.Published)
			if port.HostIP != "127.0.0.1" {
				f.add("%s publishes port %s on %q: loopback only", name, port.Published, port.HostIP)
			}
		}
		if ours := imageProgram(s.Image); ours != "" {
			f = append(f, composeProgram(p, s, ours)...)
		}
	}
	slices.Sort(published)
	if !slices.Equal(published, upPorts) {
		f.add("the published ports are %v, those of make up %v", published, upPorts)
	}
	slices.Sort(f)
	return f
}

func composeProgram(p *types.Project, s types.ServiceConfig, program string) []string {
	var f faults
	if s.Build == nil || s.Build.Args["SERVICE"] == nil || *s.Build.Args["SERVICE"] != program {
		f.add("%s is not built as %s", s.Name, program)
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
		f.add("%s is not confined", s.Name)
	}
	for name, value := range s.Environment {
		switch {
		case !known(name):
			f.add("%s is given %s, which no program knows", s.Name, name)
		case value == nil || !strings.HasSuffix(name, "_ADDR"):
		case strings.HasPrefix(*value, "0.0.0.0:"):
			if listens := s.Ports; !slices.ContainsFunc(listens, func(c types.ServicePortConfig) bool {
				return "0.0.0.0:"+strconv.FormatUint(uint64(c.Target), 10) == *value
			}) {
				f.add("%s listens on %s, which it does not publish", s.Name, *value)
			}
		default:
			if host, port, err := net.SplitHostPort(*value); err != nil || !offers(p, host, port) {
				f.add("%s looks for %s at %s, where nobody is", s.Name, name, *value)
			}
		}
	}
	return f
}

// offers says whether a service of the project listens on a port: ours say so, of others' images the name must do.
func offers(p *types.Project, host, port string) bool {
	s, err := p.GetService(host)
	if err != nil {
		return false
	}
	if imageProgram(s.Image) == "" {
		return true
	}
	for _, value := range s.Environment {
		if value != nil && *value == "0.0.0.0:"+port {
			return true
		}
	}
	return false
}
