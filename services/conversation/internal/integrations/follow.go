package integrations

import (
	"context"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/conversation"
)

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Follower keeps a table up to date.
type Follower struct {
	table   *Table
	channel channelsv1.IntegrationServiceClient
	log     *zap.Logger
}

// NewFollower returns a follower of the channels service behind a connection.
func NewFollower(table *Table, conn grpc.ClientConnInterface, log *zap.Logger) *Follower {
	return &Follower{table: table, channel: channelsv1.NewIntegrationServiceClient(conn), log: log}
}

// Run follows the news until ctx ends, and starts again with a snapshot whenever the stream breaks.
func (f *Follower) Run(ctx context.Context) error {
	pause := firstPause
	for {
		synced, broke := f.follow(ctx)
		if synced {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		f.log.Info("the integrations' news broke off", zap.Bool("synced", f.table.Synced()), zap.Error(broke))
		pause = min(2*pause, lastPause)
	}
}

// follow reads one stream. A snapshot replaces the table only when it is complete, so that a broken one takes nothing away.
func (f *Follower) follow(ctx context.Context) (synced bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.channel.WatchIntegrations(ctx, &channelsv1.WatchIntegrationsRequest{}, grpc.WaitForReady(true))
	if err != nil {
		return false, err
	}
	snapshot := map[conversation.IntegrationID]conversation.Integration{}
	for {
		news, err := stream.Recv()
		if err != nil {
			return synced, err
		}
		switch n := news.GetNews().(type) {
		case *channelsv1.WatchIntegrationsResponse_Integration:
			if in := integration(n.Integration); synced {
				f.table.put(in)
			} else {
				snapshot[in.ID] = in
			}
		case *channelsv1.WatchIntegrationsResponse_RemovedIntegrationId:
			id := conversation.IntegrationID(n.RemovedIntegrationId)
			delete(snapshot, id)
			if synced {
				f.table.remove(id)
			}
		case *channelsv1.WatchIntegrationsResponse_Synced:
			if !synced {
				f.table.Replace(snapshot)
				synced = true
			}
		}
	}
}
