package image

import (
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed postgres.sh
var postgresEntrypoint string

// postgresUser is the account of PostgreSQL in its official image.
const postgresUser = 999

// Postgres is an image of this machine's PostgreSQL that starts like the official one, as far as KnoBot's manifests use it: user
// and database by POSTGRES_PASSWORD and POSTGRES_DB, and scripts of /docker-entrypoint-initdb.d. Its shell is busybox.
func Postgres(imageName string) (Image, error) {
	servers, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(servers) == 0 {
		return Image{}, fmt.Errorf("there is no PostgreSQL below /usr/lib/postgresql (%w)", err)
	}
	bin := filepath.Dir(slices.Max(servers))
	home := filepath.Dir(bin)
	img := Image{
		Name: imageName, User: fmt.Sprintf("%d:%d", postgresUser, postgresUser), Entrypoint: []string{"/bin/entrypoint"},
		Env:        []string{"PATH=" + bin + ":/bin", "PGDATA=/var/lib/postgresql/data"},
		StopSignal: "SIGINT", // ends sessions and stops; SIGTERM would wait for them
		Files: []File{
			{Path: "/bin/entrypoint", Text: postgresEntrypoint, Mode: 0o755},
			{Path: "/etc/passwd", Text: fmt.Sprintf("postgres:x:%d:%d::/var/lib/postgresql:/bin/sh\n", postgresUser, postgresUser), Mode: 0o644},
			{Path: "/etc/group", Text: fmt.Sprintf("postgres:x:%d:\n", postgresUser), Mode: 0o644},
			{Path: "/tmp", Mode: 0o1777},
			{Path: "/var/lib/postgresql/data", Mode: 0o700, User: postgresUser},
		},
	}
	for _, add := range []func(*Image) error{
		func(i *Image) error { return i.copyTree(filepath.Join(home, "bin")) },
		func(i *Image) error { return i.copyTree(filepath.Join(home, "lib")) },
		func(i *Image) error { return i.copyTree("/usr/share/postgresql/" + filepath.Base(home)) },
		func(i *Image) error { return i.copyTree("/usr/share/zoneinfo") },
		func(i *Image) error { return i.copyTree("/usr/lib/locale/C.utf8") },
		(*Image).addBusybox,
		(*Image).addLibraries,
	} {
		if err := add(&img); err != nil {
			return Image{}, err
		}
	}
	return img, nil
}

// copyTree copies a folder of this machine to the same place. Links become what they lead to: the rest is not there.
func (i *Image) copyTree(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "bitcode" { // for compiling queries, which this server does without
			return fs.SkipDir
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return nil //nolint:nilerr // a link that leads nowhere, or to a folder
		}
		i.Files = append(i.Files, File{Path: path, From: path})
		return nil
	})
}

func (i *Image) addBusybox() error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	names, err := exec.Command(busybox, "--list").Output() //nolint:noctx // a moment
	if err != nil {
		return err
	}
	i.Files = append(i.Files, File{Path: "/bin/busybox", From: busybox})
	for _, applet := range strings.Fields(string(names)) {
		if applet != "busybox" {
			i.Files = append(i.Files, File{Path: "/bin/" + applet, Link: "busybox"})
		}
	}
	return nil
}

// addLibraries adds the libraries that the programs and modules so far are linked with.
func (i *Image) addLibraries() error {
	libraries := map[string]bool{}
	for _, f := range slices.Clone(i.Files) {
		if !strings.Contains(f.From, "/postgresql/") {
			continue
		}
		if program := strings.Contains(f.From, "/bin/"); !program && !strings.HasSuffix(f.From, ".so") {
			continue
		}
		out, err := exec.Command("ldd", f.From).Output() //nolint:noctx // a moment
		if err != nil {
			continue // a script
		}
		for _, word := range strings.Fields(string(out)) {
			if strings.HasPrefix(word, "/") {
				libraries[word] = true
			}
		}
	}
	for library := range libraries {
		i.Files = append(i.Files, File{Path: library, From: library})
	}
	return nil
}
