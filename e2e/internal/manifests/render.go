// Package manifests renders k8s/ and loads compose.yaml as kubectl and docker compose do, and finds what is wrong in them
// without either.
package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Set is what an overlay renders to.
type Set struct {
	Objects []runtime.Object
	YAML    []byte
}

// Render builds an overlay of root/k8s, with further components beside its own, and decodes every object strictly: a misspelt
// field is an error. Where an overlay wants secrets, its examples stand in.
func Render(root, overlay string, components ...string) (*Set, error) {
	memory := filesys.MakeFsInMemory()
	if err := load(memory, filepath.Join(root, "k8s")); err != nil {
		return nil, err
	}
	folder := "/k8s/overlays/" + overlay
	if err := extend(memory, folder+"/kustomization.yaml", components); err != nil {
		return nil, err
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, folder)
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder()
	if err != nil {
		return nil, err
	}
	s := &Set{}
	if s.YAML, err = resources.AsYaml(); err != nil {
		return nil, err
	}
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.GetKind(), r.GetName(), err)
		}
		s.Objects = append(s.Objects, object)
	}
	return s, nil
}

// extend names further components in an overlay, as people do who want them.
func extend(memory filesys.FileSystem, path string, components []string) error {
	text, err := memory.ReadFile(path)
	if err != nil {
		return err
	}
	var k types.Kustomization
	if err := yaml.UnmarshalStrict(text, &k); err != nil {
		return err
	}
	for _, c := range components {
		k.Components = append(k.Components, "../../components/"+c)
	}
	if text, err = yaml.Marshal(k); err != nil {
		return err
	}
	return memory.WriteFile(path, text)
}

// load copies a folder to /k8s, and each secrets.example beside it as secrets. What lies in a secrets folder of this machine
// is nobody's business here.
func load(memory filesys.FileSystem, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "secrets" {
				return filepath.SkipDir
			}
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return memory.WriteFile("/k8s/"+strings.Replace(filepath.ToSlash(name), "/secrets.example/", "/secrets/", 1), content)
	})
}

// Decode reads one object as the API server would, and refuses fields that its kind does not have.
func Decode(text []byte) (runtime.Object, error) {
	decoder, err := newDecoder()
	if err != nil {
		return nil, err
	}
	object, _, err := decoder.Decode(text, nil, nil)
	return object, err
}

func newDecoder() (runtime.Decoder, error) {
	known := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(known), monitoringv1.AddToScheme(known)); err != nil {
		return nil, err
	}
	return serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer(), nil
}

// Copy returns a set that may be changed without changing this one.
func (s *Set) Copy() *Set {
	c := &Set{YAML: s.YAML}
	for _, o := range s.Objects {
		c.Objects = append(c.Objects, o.DeepCopyObject())
	}
	return c
}

// all returns the objects of one kind.
func all[T runtime.Object](s *Set) []T {
	var found []T
	for _, o := range s.Objects {
		if t, ok := o.(T); ok {
			found = append(found, t)
		}
	}
	return found
}
