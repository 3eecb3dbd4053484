package system

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what a process holds in RAM, in MiB: now, at most since it started, and how much of what it holds now is its own and
// no page of the program, which the kernel may drop (VmRSS, VmHWM and RssAnon of proc(5)).
type Memory struct{ Now, Most, Own float64 }

// Memory reads that of the program's last start.
func (p *Program) Memory() (Memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		kibibytes, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(value, "kB")))
		if err != nil {
			continue // another kind of line
		}
		switch name {
		case "VmRSS":
			m.Now = float64(kibibytes) / 1024
		case "RssAnon":
			m.Own = float64(kibibytes) / 1024
		case "VmHWM":
			m.Most = float64(kibibytes) / 1024
		}
	}
	if m.Most == 0 {
		return m, fmt.Errorf("%s: /proc does not say its memory", p.Name)
	}
	return m, nil
}
