// Command manifests prints an overlay of k8s/ as kubectl kustomize would, with the components named after it; where the
// overlay wants secrets, with their examples.
package main

import (
	"fmt"
	"os"

	"github.com/knobot/knobot/e2e/internal/manifests"
	"github.com/knobot/knobot/e2e/internal/system"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: manifests overlay [component …]")
		os.Exit(2)
	}
	s, err := manifests.Render(system.Root(), os.Args[1], os.Args[2:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = os.Stdout.Write(s.YAML)
}
