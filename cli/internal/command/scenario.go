package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/knobot/knobot/simulator/client"
	"github.com/knobot/knobot/simulator/scenario"
)

// play plays a scenario file instead of chatting. It fails if an expectation was not met.
func (c chatCommand) play(ctx context.Context, s session) error {
	file, err := os.Open(c.Scenario)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	story, err := scenario.Load(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Scenario, err)
	}
	sim := client.New("http://"+c.Simulator, nil)
	return scenario.Run(ctx, sim, story, scenario.Options{Dir: os.DirFS(filepath.Dir(c.Scenario)), Out: s.out})
}
