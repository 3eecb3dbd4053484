package command

import (
	"context"

	"github.com/knobot/knobot/cli/internal/local"
)

// upCommand starts everything.
type upCommand struct {
	DataDir string `help:"Folder for what stays between starts; default KNOBOT_DATA_DIR, else .knobot." type:"path"`
}

// Run starts it and returns when it was stopped.
func (c upCommand) Run(ctx context.Context, s session) error {
	return local.Up(ctx, local.Options{DataDir: c.DataDir, Out: s.out})
}
