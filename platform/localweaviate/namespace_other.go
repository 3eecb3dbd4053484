//go:build !linux

package localweaviate

import "errors"

func enterNamespace() error { return errors.New("network namespaces are Linux's") }
