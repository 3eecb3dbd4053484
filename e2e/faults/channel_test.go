package faults

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// The only ends that a send may come to, in what a customer sees of it.
const (
	once  = "answered once"
	twice = "answered twice, marked"
	never = "given up"
)

// refusal is one way in which a platform can take a send.
type refusal struct {
	simulator.Fault
	platform simulator.Platform
	want     string
	// calls is how many sends there may be at most, 0 for any number.
	calls int
}

// refusals are every class of faults that the platforms have.
func refusals() []refusal {
	const wa, tg = simulator.WhatsApp, simulator.Telegram
	failure := func(code int, description string, count int) simulator.Fault {
		return simulator.Fault{Kind: simulator.FaultError, Code: code, Description: description, Count: count}
	}
	all := []refusal{
		{simulator.Fault{Kind: simulator.FaultThrottled, RetryAfter: 3, Count: 2}, tg, once, 3},
		{simulator.Fault{Kind: simulator.FaultThrottled, Count: 1}, wa, once, 2}, // 130429: the number is to wait
		{failure(131056, "", 1), wa, once, 2},                                    // the pair is to wait
		{simulator.Fault{Kind: simulator.FaultServerError}, tg, once, 2},
		{simulator.Fault{Kind: simulator.FaultServerError}, wa, once, 2},
		{simulator.Fault{Kind: simulator.FaultBadGateway}, tg, once, 2},
		{simulator.Fault{Kind: simulator.FaultEmpty}, wa, once, 2},
		{simulator.Fault{Kind: simulator.FaultReset}, tg, once, 2},
		{simulator.Fault{Kind: simulator.FaultReset}, wa, once, 2},
		{simulator.Fault{Kind: simulator.FaultLostReply}, wa, once, 1}, // its status tells that it was taken
		{simulator.Fault{Kind: simulator.FaultLostReply}, tg, twice, 2},
		{failure(403, "Forbidden: bot was blocked by the user", -1), tg, never, 1},
		{failure(131026, "Message undeliverable", -1), wa, never, 1},
		{failure(400, "Bad Request: can't parse entities: Unsupported start tag", 1), tg, once, 2}, // goes out as plain text
		{failure(400, "Bad Request: message text is wrong", 1), tg, never, 2},                      // one for the apology
		{failure(131009, "Parameter value is not valid", 1), wa, never, 2},
	}
	if *long {
		all = append(
			all,
			refusal{simulator.Fault{Kind: simulator.FaultHang}, tg, once, 2},
			refusal{simulator.Fault{Kind: simulator.FaultHang}, wa, once, 2},
			refusal{simulator.Fault{Kind: simulator.FaultSlow, Delay: simulator.Duration(40 * time.Second)}, wa, once, 1},
			refusal{simulator.Fault{Kind: simulator.FaultSlow, Delay: simulator.Duration(40 * time.Second)}, tg, twice, 2},
		)
	}
	return all
}

// platformsFail has the platforms take sends in every way but the right one, each to customers of its own, and the whole number
// and bot refuse in the end. Everybody's next question is answered, but of those who blocked.
func platformsFail(c *stage) {
	c.open(set{})
	all := refusals()
	repeat := size(1, 5)
	var dead, repeated int
	for i := range repeat {
		for n, r := range all {
			customer := 1 + i*len(all) + n
			u := crowd.Utterance(r.platform, customer, 0)
			r.Fault.Chat = simulator.Chat{Platform: r.platform, User: u.From}
			_, err := c.Simulator.AddFault(c.ctx, r.Fault)
			require.NoError(c, err)
			_, err = c.crowd.Say(c.ctx, model.Code(customer, 0), u)
			require.NoError(c, err)
			switch r.want {
			case never:
				dead++
			case twice:
				repeated++
			}
		}
	}
	require.NoError(c, c.crowd.Settle(c.ctx))
	require.NoError(c, c.Simulator.ClearFaults(c.ctx))
	c.checkCalls(all, repeat)
	for customer := 1; customer <= repeat*len(all); customer++ {
		r := all[(customer-1)%len(all)]
		_, err := c.crowd.Say(c.ctx, model.Code(customer, 1), crowd.Utterance(r.platform, customer, 1))
		require.NoError(c, err)
	}
	stopped := c.tokensRefused(1 + repeat*len(all))
	r := c.close(fmt.Sprintf("ways to fail %d, integrations stopped and started %d", len(all), stopped))
	require.Equal(c, dead, r.Dead, "each as its class says")
	require.Equal(c, repeated, r.Repeated)
}

// checkCalls holds the sends of each customer against what their class allows.
func (c *stage) checkCalls(all []refusal, repeat int) {
	c.Helper()
	calls, err := c.Simulator.Journal(c.ctx, client.Filter{})
	require.NoError(c, err)
	sends := map[string][]simulator.Call{}
	for _, call := range calls {
		if call.Method == "messages" || call.Method == "sendMessage" {
			sends[call.User] = append(sends[call.User], call)
		}
	}
	for n := range repeat * len(all) {
		r := all[n%len(all)]
		own := sends[crowd.Utterance(r.platform, 1+n, 0).From]
		require.NotEmpty(c, own, "%s %s", r.platform, r.Kind)
		require.LessOrEqual(c, len(own), r.calls, "%s %s %d %s", r.platform, r.Kind, r.Code, r.Description)
		for i, call := range own[:len(own)-1] {
			if call.Status == http.StatusTooManyRequests && r.platform == simulator.Telegram {
				require.False(c, own[i+1].Time.Before(call.Time.Add(time.Duration(r.RetryAfter)*time.Second)), "retry_after is obeyed")
			}
		}
	}
}

// tokensRefused has both platforms refuse the token until a person sets a new one. Who writes meanwhile waits, and is answered
// then. It returns how many integrations stopped.
func (c *stage) tokensRefused(customer int) int {
	c.Helper()
	for i, f := range []simulator.Fault{
		{Kind: simulator.FaultError, Chat: simulator.Chat{Platform: simulator.WhatsApp}, Code: 190, Count: -1},
		{Kind: simulator.FaultError, Chat: simulator.Chat{Platform: simulator.Telegram}, Code: 401, Description: "Unauthorized", Count: -1},
	} {
		_, err := c.Simulator.AddFault(c.ctx, f)
		require.NoError(c, err)
		for q := range 3 {
			_, err = c.crowd.Say(c.ctx, model.Code(customer+i, q), crowd.Utterance(f.Platform, customer+i, q))
			require.NoError(c, err)
		}
	}
	integrations := channelsv1.NewIntegrationServiceClient(c.Conn(c.Channels))
	var list []*channelsv1.Integration
	require.Eventually(c, func() bool {
		r, err := integrations.ListIntegrations(c.ctx, &channelsv1.ListIntegrationsRequest{})
		list = r.GetIntegrations()
		return err == nil && !slices.ContainsFunc(list, func(i *channelsv1.Integration) bool {
			return i.GetState() != channelsv1.Integration_STATE_STOPPED
		})
	}, time.Minute, 100*time.Millisecond, "both stop by themselves")
	require.NoError(c, c.Simulator.ClearFaults(c.ctx))
	for _, i := range list {
		update := &channelsv1.UpdateIntegrationRequest{Integration: &channelsv1.Integration{Id: i.GetId()}}
		if i.GetWhatsapp() != nil {
			update.Integration.Config = &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{AccessToken: c.Credentials.AccessToken}}
			update.UpdateMask = &fieldmaskpb.FieldMask{Paths: []string{"whatsapp.access_token"}}
		} else {
			update.Integration.Config = &channelsv1.Integration_Telegram{Telegram: &channelsv1.TelegramConfig{BotToken: c.Credentials.BotToken}}
			update.UpdateMask = &fieldmaskpb.FieldMask{Paths: []string{"telegram.bot_token"}}
		}
		_, err := integrations.UpdateIntegration(c.ctx, update)
		require.NoError(c, err)
	}
	return len(list)
}

// platformsAreAway takes both platforms away under load.
func platformsAreAway(c *stage) {
	l := links{}
	c.open(set{through: l.through(c.T, system.Providers)})
	link := l[system.Providers]
	c.during(crowd.Plan{Customers: 40, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		for range size(1, 5) {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			link.Cut()
			if err := pause(ctx, size(2*time.Second, 5*time.Second)); err != nil {
				return err
			}
			if err := link.Mend(); err != nil {
				return err
			}
		}
		return c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20)
	})
	require.Zero(c, c.close("").Dead)
}

// platformsSayNothing has whatever stands before the platforms answer 502 to everything for a while. Nobody can tell whether a
// message went through, and the one repeat that is allowed must not be used up on a platform that is away.
func platformsSayNothing(c *stage) {
	c.open(set{})
	c.during(crowd.Plan{Customers: 40, Every: 100 * time.Millisecond}, func(ctx context.Context) error {
		for range size(1, 3) {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			fault, err := c.Simulator.AddFault(ctx, simulator.Fault{Kind: simulator.FaultBadGateway, Method: "*", Count: -1})
			if err != nil {
				return err
			}
			if err := pause(ctx, size(4*time.Second, 10*time.Second)); err != nil {
				return err
			}
			if err := c.Simulator.RemoveFault(ctx, fault.ID); err != nil {
				return err
			}
			// What is in doubt is repeated once and never again: the next outage comes when none of that is left.
			if err := pause(ctx, size(0, 15*time.Second)); err != nil {
				return err
			}
		}
		return c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20)
	})
	require.Zero(c, c.close("").Dead)
}
