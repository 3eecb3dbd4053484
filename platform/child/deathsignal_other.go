//go:build !linux

package child

import "syscall"

// setDeathSignal does nothing: only Linux has the signal.
func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}
