package command

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/knobot/knobot/cli/internal/profile"
)

// profileCommand keeps whom to ask, so that flags need not be repeated.
type profileCommand struct {
	List   profileListCommand   `cmd:"" default:"1" help:"List the profiles; the one in use has a star."`
	Set    profileSetCommand    `cmd:"" help:"Make or change a profile, and use it."`
	Use    profileUseCommand    `cmd:"" help:"Use another profile."`
	Remove profileRemoveCommand `cmd:"" help:"Forget a profile with its key."`
}

// change loads the profiles, lets f change them and saves them.
func change(f func(*profile.Profiles) error) error {
	path, err := profile.Path()
	if err != nil {
		return err
	}
	all, err := profile.Load(path)
	if err != nil {
		return err
	}
	if err := f(&all); err != nil {
		return err
	}
	return all.Save(path)
}

type profileListCommand struct{}

// Run prints a line per profile, without keys.
func (profileListCommand) Run(s session) error {
	path, err := profile.Path()
	if err != nil {
		return err
	}
	all, err := profile.Load(path)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all.ByName)) {
		mark := " "
		if name == all.Current {
			mark = "*"
		}
		if _, err := fmt.Fprintf(s.out, "%s %s\t%s\n", mark, name, all.ByName[name].Server); err != nil {
			return err
		}
	}
	return nil
}

type profileSetCommand struct {
	Name       string `arg:"" help:"The profile's name."`
	Address    string `arg:"" help:"gRPC address of the gateway, host:port."`
	Key        bool   `help:"Read the management key from the standard input and keep it."`
	TLS        bool   `name:"tls" help:"The server shows a certificate."`
	CAFile     string `type:"existingfile" placeholder:"FILE" help:"Authority of the server's certificate, PEM; else the system's."`
	CertFile   string `type:"existingfile" placeholder:"FILE" help:"Our certificate, where the server asks for one, PEM."`
	KeyFile    string `type:"existingfile" placeholder:"FILE" help:"The key of our certificate, PEM."`
	ServerName string `placeholder:"NAME" help:"Whom the certificate must name, where that is not the address: through a tunnel."`
}

// Run stores it. The key is read, not given: flags stay in the shell's history.
func (c profileSetCommand) Run(s session) error {
	p := profile.Profile{
		Server: c.Address, TLS: c.TLS || c.CAFile != "" || c.CertFile != "",
		CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: c.ServerName,
	}
	if c.Key {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if p.APIKey = strings.TrimSpace(line); p.APIKey == "" {
			return fmt.Errorf("no key on the standard input: %w", err)
		}
	}
	return change(func(all *profile.Profiles) error {
		all.ByName[c.Name], all.Current = p, c.Name
		return nil
	})
}

type profileUseCommand struct {
	Name string `arg:"" help:"The profile's name."`
}

// Run makes it the current one.
func (c profileUseCommand) Run() error {
	return change(func(all *profile.Profiles) error {
		if _, _, err := all.Find(c.Name); err != nil {
			return err
		}
		all.Current = c.Name
		return nil
	})
}

type profileRemoveCommand struct {
	Name string `arg:"" help:"The profile's name."`
}

// Run forgets it.
func (c profileRemoveCommand) Run() error {
	return change(func(all *profile.Profiles) error {
		if _, _, err := all.Find(c.Name); err != nil {
			return err
		}
		delete(all.ByName, c.Name)
		if all.Current == c.Name {
			all.Current = ""
		}
		return nil
	})
}
