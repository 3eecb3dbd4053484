package faults

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
)

// forgeries are headers that must not pass for that of the right one, by name of the header.
func forgeries(right string) []string {
	upper := strings.ToUpper(right)
	return []string{
		"", " ", right[:len(right)-1], right + "0", "x" + right, upper, strings.Replace(right, "sha256=", "", 1), strings.Replace(right, "sha256=", "sha1=", 1),
		strings.Replace(right, "sha256=", "SHA256=", 1), right + "," + right, right + " ", "sha256=" + strings.Repeat("0", 64), "sha256=", "null", "undefined",
		strings.Repeat("a", 256), strings.Repeat(right, 10), "sha256=" + right, right[1:], "ñ",
	}
}

// hostileEdge forges webhooks in every way, holds connections open without saying anything, and says too much on others, while
// customers write. None is taken, and customers do not notice.
func hostileEdge(c *stage) {
	c.open(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	quiet := crowd.Plan{First: 1, Customers: 20, Questions: 3, Every: 50 * time.Millisecond}
	require.NoError(c, c.crowd.Write(c.ctx, quiet))
	require.NoError(c, c.crowd.AwaitAnswered(c.ctx, 60))
	for range 50 {
		c.holdConnection("POST "+system.WhatsAppPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n{", false)
		c.holdConnection("POST "+system.WhatsAppPath+" HTTP/1.1\r\nHos", false)
	}
	for range size(2, 10) {
		c.holdConnection("POST "+system.TelegramPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", true)
	}
	var forged, taken atomic.Int64
	c.during(crowd.Plan{First: 100, Customers: 40, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		return c.forge(ctx, size(1_000, 10_000), &forged, &taken)
	})
	before := c.crowd.Waits(func(customer int) bool { return customer < 100 })
	beside := c.crowd.Waits(func(customer int) bool { return customer >= 100 })
	r := c.close(fmt.Sprintf("forged %d taken %d, customers' p50 in the quiet %d ms, beside it %d ms", forged.Load(), taken.Load(),
		median(before).Milliseconds(), median(beside).Milliseconds()))
	require.Zero(c, taken.Load())
	require.Zero(c, r.Dead)
	require.Zero(c, r.Refused)
	require.Less(c, peakMemory(c, c.Gateway), 256.0, "MiB: what is held in memory of bodies is bounded")
	counts, err := conversationv1.NewWebhookLogServiceClient(c.Conn(c.Conversation)).CountWebhookLogs(c.ctx, &conversationv1.CountWebhookLogsRequest{})
	require.NoError(c, err)
	for _, count := range counts.GetCounts() {
		require.Positive(c, count.GetRejected(), "they are counted: %s", count.GetPlatform())
	}
}

// forge posts n webhooks with wrong credentials, of both platforms.
func (c *stage) forge(ctx context.Context, n int, forged, taken *atomic.Int64) error {
	posting, ctx := errgroup.WithContext(ctx)
	posting.SetLimit(16)
	for i := range n {
		posting.Go(func() error {
			body := system.WhatsAppText(c.Credentials.PhoneNumberID, "573009999999", fmt.Sprintf("wamid.forged.%d", i), "¿Quién soy? Q9x9", time.Now())
			path, header, right := system.WhatsAppPath, "X-Hub-Signature-256", system.Sign(c.Credentials.AppSecret, body)
			if i%2 == 1 {
				body = system.TelegramText(int64(5_000_000+i), 999, i, "¿Quién soy? Q9x9", time.Now())
				path, header, right = system.TelegramPath, "X-Telegram-Bot-Api-Secret-Token", c.Credentials.SecretToken
			}
			all := forgeries(right)
			value := all[i/2%len(all)]
			if strings.TrimSpace(value) == right {
				value = right + "x" // spaces around a header's value are no part of it
			}
			got, _, err := system.Post(ctx, http.DefaultClient, c.HTTP+path, body, http.Header{header: {value}})
			if err != nil {
				return err
			}
			forged.Add(1)
			if got != http.StatusUnauthorized {
				taken.Add(1)
			}
			return nil
		})
	}
	return posting.Wait()
}

// holdConnection says the beginning of a request and then nothing, or goes on for ever, until the gateway or the test has enough.
func (c *stage) holdConnection(begin string, goOn bool) {
	c.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.HTTP, "http://"))
	require.NoError(c, err)
	c.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte(begin))
	require.NoError(c, err)
	if !goOn {
		return
	}
	go func() {
		chunk := []byte("10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n")
		for err == nil { // a gigabyte would follow; the gateway ends it after 4 MiB
			_, err = conn.Write(chunk)
		}
	}()
}

// hostileRPC calls services with what no client of ours would send, and leaves streams open and calls unfinished, while customers
// write: each is refused with its code, and nothing of it stays.
func hostileRPC(c *stage) {
	c.open(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	before := c.footprints()
	times := size(5, 500)
	c.during(crowd.Plan{Customers: 20, Every: 100 * time.Millisecond}, func(ctx context.Context) error {
		for n := range times {
			if err := c.callBadly(ctx, n); err != nil {
				return err
			}
		}
		return c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10)
	})
	r := c.close(fmt.Sprintf("bad calls %d", 5*times))
	require.Zero(c, r.Dead)
	require.Zero(c, r.Refused)
	require.Eventually(c, func() bool {
		for name, now := range c.footprints() {
			if now.goroutines > before[name].goroutines+30 {
				return false
			}
		}
		return true
	}, 30*time.Second, time.Second, "what the calls held is given back")
	for _, p := range c.Services() {
		require.NotContains(c, p.Log().String(), `"msg":"panic"`, p.Name)
	}
}

// callBadly makes one call of each bad kind.
func (c *stage) callBadly(ctx context.Context, n int) error {
	ingest := conversationv1.NewIngestServiceClient(c.Conn(c.Conversation))
	expect := func(what string, err error, want ...codes.Code) error {
		for _, code := range want {
			if status.Code(err) == code {
				return nil
			}
		}
		return fmt.Errorf("%s: %w, want one of %v", what, err, want)
	}
	_, err := ingest.IngestWebhook(ctx, &conversationv1.IngestWebhookRequest{Payload: make([]byte, 17<<20)})
	if err := expect("a message over the limit", err, codes.ResourceExhausted); err != nil {
		return err
	}
	_, err = ingest.IngestWebhook(ctx, &conversationv1.IngestWebhookRequest{Payload: make([]byte, 5<<20)})
	if err := expect("5 MB from no platform", err, codes.InvalidArgument); err != nil {
		return err
	}
	large := metadata.AppendToOutgoingContext(ctx, "x-large", strings.Repeat("m", 1<<20))
	_, err = conversationv1.NewUserServiceClient(c.Conn(c.Conversation)).ListUsers(large, &conversationv1.ListUsersRequest{})
	if err := expect("huge metadata", err, codes.Internal, codes.ResourceExhausted); err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, time.Duration(n%5)*time.Millisecond)
	defer cancel()
	_, err = conversationv1.NewConversationServiceClient(c.Conn(c.Conversation)).ListConversations(short, &conversationv1.ListConversationsRequest{PageSize: 1000})
	if err := expect("a caller who leaves", err, codes.DeadlineExceeded, codes.Unavailable, codes.OK); err != nil {
		return err
	}
	stream, err := channelsv1.NewVerificationServiceClient(c.Conn(c.Channels)).Watch(ctx, &channelsv1.WatchRequest{})
	if err == nil {
		_, err = stream.Recv() // and never again
	}
	return expect("a stream that nobody reads", err, codes.OK)
}
