package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/knobot/knobot/platform/child"
)

// stopTimeout is how long a program may take to end after SIGTERM: the services drain for 3 s and answer what they began.
const stopTimeout = 20 * time.Second

// process is a program that runs beside this one, its output in a file.
type process struct {
	*child.Process
	name    string
	logPath string
}

// startProcess runs a program with an environment of its own. It ends with this process at the latest.
func startProcess(thread *child.Thread, path string, env []string, logDir string) (*process, error) {
	name := filepath.Base(path)
	logPath := filepath.Join(logDir, name+".log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // below our own data folder
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = logFile.Close() }() // the program has it open itself
	cmd := exec.Command(path)              //nolint:noctx // a program of our own bin folder, ended by Stop
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = logFile, logFile
	p, err := child.Start(thread, cmd, syscall.SIGTERM, stopTimeout)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &process{Process: p, name: name, logPath: logPath}, nil
}

// failure describes a program that ended by itself, with its last lines.
func (p *process) failure() error {
	return fmt.Errorf("%s ended; the end of its log (%s):\n%s", p.name, p.logPath, lastLines(p.logPath, 8))
}

// runOnce runs a program to its end and returns its output with the error if it failed.
func runOnce(ctx context.Context, env []string, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(path), strings.Join(args, " "), err, out)
	}
	return nil
}

func lastLines(path string, n int) string {
	f, err := os.Open(path) //nolint:gosec // a log that this process made
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-64<<10), io.SeekStart)
	}
	var lines []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines = append(lines, "  "+s.Text())
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
