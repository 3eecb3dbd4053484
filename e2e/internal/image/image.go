// Package image makes images of programs that are on this machine, as archives that a container runtime imports: they stand in for
// those of a registry, which a test does without.
package image

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is what an archive holds: one layer of files.
type Image struct {
	Name       string // with its tag
	User       string // user:group
	Entrypoint []string
	Env        []string
	StopSignal string // empty for SIGTERM
	Files      []File
}

// File is a file of an image: a copy of one of this machine, a text, a symbolic link, or else an empty folder.
type File struct {
	Path string
	From string
	Text string
	Link string
	Mode int64 // of a text or a folder; copies have their own
	User int   // whose it is, group included
}

// Write writes the image as an archive into a folder and returns its path. It is not compressed: it is imported once.
func (i Image) Write(dir string) (string, error) {
	layerFile := filepath.Join(dir, "layer.tar")
	if err := i.writeLayer(layerFile); err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(layerFile) }()
	layer, err := tarball.LayerFromFile(layerFile, tarball.WithCompressionLevel(gzip.NoCompression))
	if err != nil {
		return "", err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return "", err
	}
	img, err = mutate.ConfigFile(img, i.config(img))
	if err != nil {
		return "", err
	}
	tag, err := name.NewTag(i.Name)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(dir, strings.NewReplacer("/", "_", ":", "_").Replace(i.Name)+".tar")
	return archive, tarball.WriteToFile(archive, tag, img)
}

func (i Image) config(img v1.Image) *v1.ConfigFile {
	config, err := img.ConfigFile()
	if err != nil {
		config = &v1.ConfigFile{}
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	config.Config = v1.Config{User: i.User, Entrypoint: i.Entrypoint, Env: i.Env, StopSignal: i.StopSignal}
	return config
}

func (i Image) writeLayer(file string) (err error) {
	out, err := os.Create(file) //nolint:gosec // a folder of the test
	if err != nil {
		return err
	}
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	w := tar.NewWriter(out)
	for _, f := range withFolders(i.Files) {
		if err := f.writeTo(w); err != nil {
			return err
		}
	}
	return w.Close()
}

// withFolders adds the folders that files lie in, sorts everything so that those come first, and leaves doubles out.
func withFolders(files []File) []File {
	all := map[string]File{}
	for _, f := range files {
		f.Path = strings.Trim(path.Clean(f.Path), "/")
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if _, known := all[dir]; !known {
				all[dir] = File{Path: dir, Mode: 0o755}
			}
		}
		all[f.Path] = f
	}
	var paths []string
	for p := range all {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	sorted := make([]File, len(paths))
	for n, p := range paths {
		sorted[n] = all[p]
	}
	return sorted
}

func (f File) writeTo(w *tar.Writer) error {
	header := &tar.Header{Name: f.Path, Mode: f.Mode, Uid: f.User, Gid: f.User}
	switch {
	case f.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, f.Link, 0o777
		return w.WriteHeader(header)
	case f.From != "":
		return f.copyTo(w, header)
	case f.Text != "":
		header.Typeflag, header.Size = tar.TypeReg, int64(len(f.Text))
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err := io.WriteString(w, f.Text)
		return err
	default:
		header.Typeflag, header.Name = tar.TypeDir, f.Path+"/"
		return w.WriteHeader(header)
	}
}

func (f File) copyTo(w *tar.Writer, header *tar.Header) error {
	in, err := os.Open(f.From)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size, header.Mode = tar.TypeReg, info.Size(), int64(info.Mode().Perm())
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}
