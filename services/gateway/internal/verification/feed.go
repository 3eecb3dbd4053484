package verification

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

// Waits between attempts to follow channels.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// Feed follows the channels service and keeps a Table up to date. While channels is away the table stays as it was.
type Feed struct {
	client channelsv1.VerificationServiceClient
	table  *Table
	log    *zap.Logger
	first  chan struct{} // closed when the table was filled
}

// NewFeed makes a feed of table from the channels service behind conn.
func NewFeed(conn grpc.ClientConnInterface, table *Table, log *zap.Logger) *Feed {
	return &Feed{client: channelsv1.NewVerificationServiceClient(conn), table: table, log: log, first: make(chan struct{})}
}

// Await waits until the table was filled once, but not longer than d: a replica that says it is ready before would refuse
// webhooks, and one that never says so would be a dead peer's fault.
func (f *Feed) Await(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.first:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Run follows until ctx ends, and returns nil then.
func (f *Feed) Run(ctx context.Context) error {
	wait := firstWait
	for ctx.Err() == nil {
		synced, err := f.follow(ctx)
		if ctx.Err() != nil {
			continue
		}
		if synced {
			wait = firstWait
		}
		f.log.Warn("channels stopped sending credentials, serving from the table",
			zap.Bool("synced", f.table.Synced()), zap.Duration("retry_in", wait), zap.Error(err))
		pause(ctx, wait)
		wait = min(2*wait, longestWait)
	}
	return nil
}

// pause waits for about d or until ctx ends, spread so that replicas do not come back all at once.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// follow reads one stream to its end and reports whether it got as far as synced.
func (f *Feed) follow(ctx context.Context) (synced bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.client.Watch(ctx, &channelsv1.WatchRequest{})
	if err != nil {
		return false, err
	}
	state := state{byID: map[gateway.IntegrationID]Credentials{}}
	for {
		news, err := stream.Recv()
		if err != nil {
			return state.synced, err
		}
		state.apply(news)
		if state.synced {
			f.publish(&state)
		}
	}
}

func (f *Feed) publish(s *state) {
	if !f.table.Synced() {
		defer close(f.first)
	}
	all := s.list()
	f.table.Replace(all)
	if n := len(f.table.current.Load().secrets); n > maxSecrets {
		f.log.Error("more app secrets than are tried per webhook: numbers of the others are refused",
			zap.Int("secrets", n), zap.Int("tried", maxSecrets))
	}
}

// state is what one stream has said so far.
type state struct {
	byID   map[gateway.IntegrationID]Credentials
	synced bool
}

func (s *state) apply(news *channelsv1.WatchResponse) {
	switch n := news.GetNews().(type) {
	case *channelsv1.WatchResponse_Credentials:
		c := fromProto(n.Credentials)
		s.byID[c.Integration] = c
	case *channelsv1.WatchResponse_RemovedIntegrationId:
		delete(s.byID, gateway.IntegrationID(n.RemovedIntegrationId))
	case *channelsv1.WatchResponse_Synced:
		s.synced = true
	}
}

func (s *state) list() []Credentials {
	all := make([]Credentials, 0, len(s.byID))
	for _, c := range s.byID {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Credentials) int { return cmp.Compare(a.Integration, b.Integration) })
	return all
}

func fromProto(c *channelsv1.Credentials) Credentials {
	state := c.GetState()
	return Credentials{
		Integration:       gateway.IntegrationID(c.GetIntegrationId()),
		Platform:          platform(c.GetPlatform()),
		Refuse:            state == channelsv1.Integration_STATE_INCOMPLETE || state == channelsv1.Integration_STATE_UNSPECIFIED,
		Gone:              state == channelsv1.Integration_STATE_DELETED,
		PhoneNumberID:     c.GetPhoneNumberId(),
		AppSecrets:        c.GetAppSecrets(),
		VerifyTokenSHA256: c.GetVerifyTokenSha256(),
		AllowUnsigned:     c.GetAllowUnsigned(),
		SecretSHA256:      c.GetWebhookSecretSha256(),
		BotID:             c.GetBotId(),
		BotUsername:       c.GetBotUsername(),
	}
}

func platform(p typev1.Platform) gateway.Platform {
	switch p {
	case typev1.Platform_PLATFORM_WHATSAPP:
		return gateway.WhatsApp
	case typev1.Platform_PLATFORM_TELEGRAM:
		return gateway.Telegram
	default:
		return 0
	}
}
