package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// fullNumber has customers of one WhatsApp number write as much as the number may carry: 40 turns a second, which with three
// statuses for each answer are 160 webhooks.
func fullNumber(c *stage) {
	c.open(set{env: map[string]string{"KNOBOT_WHATSAPP_RATE": "80"}})
	c.model.Make(model.Slowly(600 * time.Millisecond))
	c.during(crowd.Plan{
		Customers: 300, Every: 25 * time.Millisecond, Platform: func(int) simulator.Platform { return simulator.WhatsApp },
	}, func(ctx context.Context) error { return pause(ctx, size(4*time.Second, 2*time.Minute)) })
	r := c.close("")
	require.Zero(c, r.Refused)
	require.Zero(c, r.Repeated)
	require.Zero(c, r.Dead)
	require.Less(c, r.Ack.P99, 5*time.Second, "which is when WhatsApp would deliver again")
}

// lightBot is another bot of the same system, which few people write to.
const lightBot = "987654321"

// burst has 500 customers ask 5,000 questions as fast as they are taken, while a few write to another bot: these must not wait
// behind that backlog.
func burst(c *stage) {
	c.openWith(set{}, c.addLightBot)
	c.model.Make(model.Slowly(time.Second))
	light := crowd.Plan{
		First: 10_000, Customers: 20, Questions: 1, Every: 200 * time.Millisecond,
		Platform: func(int) simulator.Platform { return simulator.Telegram },
		Say: func(u simulator.Utterance, _, _ int) simulator.Utterance {
			u.Account = lightBot
			return u
		},
	}
	require.NoError(c, c.crowd.Write(c.ctx, light))
	require.NoError(c, c.crowd.AwaitAnswered(c.ctx, light.Customers))
	quiet := c.crowd.Waits(func(customer int) bool { return customer >= light.First })
	light.First = 20_000
	c.during(crowd.Plan{Customers: size(200, 500), Questions: size(5, 10)}, func(ctx context.Context) error {
		if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10); err != nil {
			return err
		}
		return c.crowd.Write(ctx, light)
	})
	r := c.close("")
	heavy := c.crowd.Waits(func(customer int) bool { return customer < 10_000 })
	beside := c.crowd.Waits(func(customer int) bool { return customer >= 20_000 })
	_, _ = fmt.Fprintf(os.Stdout, "%-28s who wrote to the other bot waited p50/max %d/%d ms in the quiet, %d/%d ms beside the burst; the burst's own p50 %d ms\n",
		"", median(quiet).Milliseconds(), quiet[len(quiet)-1].Milliseconds(), median(beside).Milliseconds(), beside[len(beside)-1].Milliseconds(), median(heavy).Milliseconds())
	require.Zero(c, r.Dead)
	require.Zero(c, r.Repeated)
	require.Len(c, beside, light.Customers)
	require.Less(c, median(beside), max(2*median(quiet), median(heavy)/2), "nobody waits behind another's backlog")
	for _, p := range c.Services() {
		require.Less(c, peakMemory(c, p), 512.0, "%s stays within 512 MiB", p.Name)
	}
}

func (c *stage) addLightBot() {
	c.Helper()
	const token, secret = lightBot + ":light-bot-token-canary", "light-bot-secret-canary"
	stores.Watch.Forbid("a secret of the other bot", "light-bot-token-canary")
	stores.Watch.Forbid("a secret of the other bot", secret)
	_, err := c.Simulator.AddBot(c.ctx, simulator.Bot{Token: token, SecretToken: secret})
	require.NoError(c, err)
	_, err = channelsv1.NewIntegrationServiceClient(c.Conn(c.Channels)).CreateIntegration(c.ctx, &channelsv1.CreateIntegrationRequest{
		Integration: &channelsv1.Integration{
			Name: "Light", Platform: typev1.Platform_PLATFORM_TELEGRAM,
			Config: &channelsv1.Integration_Telegram{Telegram: &channelsv1.TelegramConfig{BotToken: token, WebhookSecret: secret}},
		},
	})
	require.NoError(c, err)
}

// peakMemory is the most memory that a program had since it started, in MiB.
func peakMemory(c *stage, p *system.Program) float64 {
	c.Helper()
	m, err := p.Memory()
	require.NoError(c, err)
	return m.Most
}

// footprint is what a program holds after a garbage collection.
type footprint struct {
	heap       float64 // MiB
	goroutines int
}

// longLoad runs half of the full load for as long as is asked for, and compares what the services hold at its end with what they
// held after a quarter of it.
func longLoad(c *stage) {
	c.open(set{})
	c.model.Make(model.Slowly(600 * time.Millisecond))
	length := size(8*time.Second, *soak)
	var early map[string]footprint
	c.during(crowd.Plan{Customers: 200, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		if err := pause(ctx, length/4); err != nil {
			return err
		}
		early = c.footprints()
		return pause(ctx, length/4*3)
	})
	late := c.footprints()
	figures := ""
	for _, p := range c.Services() {
		before, after := early[p.Name], late[p.Name]
		figures += fmt.Sprintf("%s heap %.1f>%.1f MiB goroutines %d>%d ", p.Name, before.heap, after.heap, before.goroutines, after.goroutines)
	}
	c.close(strings.TrimSpace(figures))
	for _, p := range c.Services() {
		before, after := early[p.Name], late[p.Name]
		require.Less(c, after.heap, 1.1*before.heap+8, "%s does not grow", p.Name)
		require.Less(c, after.goroutines, before.goroutines+100, "%s does not grow", p.Name)
	}
}

// footprints measures all services by their debug listeners.
func (c *stage) footprints() map[string]footprint {
	c.Helper()
	all := map[string]footprint{}
	for _, p := range c.Services() {
		address := p.Listener("debug")
		c.fetch("http://" + address + "/debug/pprof/heap?gc=1")
		metrics := c.fetch("http://" + address + "/metrics")
		all[p.Name] = footprint{heap: metric(c, metrics, "go_memstats_heap_alloc_bytes") / (1 << 20), goroutines: int(metric(c, metrics, "go_goroutines"))}
	}
	return all
}

func (c *stage) fetch(url string) string {
	c.Helper()
	response, err := http.Get(url)
	require.NoError(c, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(c, err)
	return string(text)
}

func metric(c *stage, metrics, name string) float64 {
	c.Helper()
	for line := range strings.Lines(metrics) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(c, err)
			return n
		}
	}
	require.Fail(c, "no metric", name)
	return 0
}
