package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/knobot/knobot/simulator"
)

// ErrStreamEnded says that the simulator closed the stream of events. Follow
// again with Filter.After set to the last event's number to miss nothing.
var ErrStreamEnded = errors.New("the simulator's stream of events ended")

// maxEvent bounds one line of the stream; a message carries its request.
const maxEvent = 4 << 20

// Events calls handle for each event, in order, until ctx ends, handle returns
// an error, or the stream breaks (ErrStreamEnded). Ready, which may be nil, is
// called once nothing that happens from now on will be missed.
func (c *Client) Events(ctx context.Context, f Filter, ready func(), handle func(simulator.Event) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+prefix+"/events?"+f.query(), nil)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return refusal(response)
	}
	if ready != nil {
		ready()
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var event simulator.Event
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return fmt.Errorf("decode an event: %w", err)
		}
		if err := handle(event); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrStreamEnded
}
