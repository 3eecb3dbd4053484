// Command knobot runs KnoBot on one machine and looks after it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/knobot/knobot/cli/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
