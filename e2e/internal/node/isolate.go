package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// sysctls are values of the whole machine on which the kubelet insists. It is shown files that hold them; the machine's stay.
var sysctls = map[string]string{ //nolint:gochecknoglobals // a constant in all but name
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// isolate makes the new namespaces of this process usable: nothing that is mounted from now on is seen outside, and what programs
// want to keep in the machine's folders lands in the state folder.
func isolate(ctx context.Context, state string) error {
	return errors.Join(
		mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""), // the kubelet passes mounts on to pods
		mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""),
		mount("tmpfs", "/run", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"),
		cover(state, "/var/lib", "kubelet", "cni"),
		cover(state, "/var/log", "pods", "containers"),
		showSysctls(state),
		syscall.Sethostname([]byte(Name)),
		connect(ctx),
	)
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s: %w", target, err)
	}
	return nil
}

// cover makes folders in a folder of the machine without writing to it: they are folders of the state.
func cover(state, dir string, names ...string) error {
	layers := filepath.Join(state, "layers", strings.ReplaceAll(dir, "/", "_"))
	upper, work := filepath.Join(layers, "upper"), filepath.Join(layers, "work")
	err := errors.Join(os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755)) //nolint:gosec // what others must read
	if err != nil {
		return err
	}
	if err := mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work); err != nil {
		return err
	}
	for _, name := range names {
		mine, theirs := filepath.Join(state, name), filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(mine, 0o755), os.MkdirAll(theirs, 0o755)) //nolint:gosec // what others must read
		if err == nil {
			err = mount(mine, theirs, "", syscall.MS_BIND, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func showSysctls(state string) error {
	for name, value := range sysctls {
		file := filepath.Join(state, "sysctl-"+strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600) // of this network namespace
}

// connect gives the node an address. Nothing leads out of it.
func connect(ctx context.Context) error {
	for _, arguments := range []string{
		"link set lo up", "link add node0 type bridge", "address add " + Address + "/24 dev node0", "link set node0 up",
		"route add default via " + gateway + " dev node0",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(arguments)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", arguments, err, out)
		}
	}
	return nil
}
