package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/e2e/internal/toxic"
)

// links are toxic links by what they lead to.
type links map[string]*toxic.Link

// through puts a link in front of what is named.
func (l links) through(t *testing.T, names ...string) func(to, address string) string {
	return func(to, address string) string {
		if !slices.Contains(names, to) {
			return address
		}
		host := strings.TrimPrefix(address, "http://")
		if l[to] == nil {
			l[to] = toxic.New(t, host)
		}
		return strings.Replace(address, host, l[to].Address, 1)
	}
}

// linksFail lets every link between services become half-open: calls go out on it and nothing ever comes back, not even an end.
// No call may wait without a deadline, and the system must find back by itself.
func linksFail(c *stage) {
	l := links{}
	c.open(set{through: l.through(c.T, "conversation", "rag", "channels"), env: map[string]string{"KNOBOT_ANSWER_TIMEOUT": "5s"}})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	times := 0
	c.during(crowd.Plan{Customers: 40, Every: size(50*time.Millisecond, 40*time.Millisecond)}, func(ctx context.Context) error {
		for range size(1, 3) {
			for _, to := range []string{"conversation", "rag", "channels"} {
				if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10); err != nil {
					return fmt.Errorf("before %s is cut off: %w", to, err)
				}
				if err := l[to].Swallow(); err != nil {
					return err
				}
				if err := pause(ctx, size(2*time.Second, 8*time.Second)); err != nil {
					return err
				}
				if err := l[to].Mend(); err != nil {
					return err
				}
				times++
			}
		}
		return c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10)
	})
	require.Zero(c, c.close(fmt.Sprintf("half-open %d times", times)).Dead)
}

// twinsDie kills one replica of two of each service at the same time, and starts it again when the others have gone on alone.
func twinsDie(c *stage) {
	pairs := c.openTwice(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	c.during(crowd.Plan{Customers: 40, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		for round := range size(1, 4) {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			for _, p := range pairs {
				p[round%2].Kill()
			}
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return fmt.Errorf("with one replica each: %w", err)
			}
			for _, p := range pairs {
				if err := p[round%2].Start(); err != nil {
					return err
				}
				if err := p[round%2].WaitServing(ctx); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.Zero(c, c.close("").Dead)
}

// indexFails takes Weaviate away, makes it slow and has it answer nonsense. Each question is about a document of its own, which
// answers it: nobody is told that nothing is known, and nothing is invented.
func indexFails(c *stage) {
	nonsense := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "internal error", http.StatusInternalServerError)
	}))
	c.Cleanup(nonsense.Close)
	wrong, err := url.Parse(nonsense.URL)
	require.NoError(c, err)
	l := links{}
	c.open(set{documents: true, through: l.through(c.T, system.WeaviateHTTP, system.WeaviateGRPC), env: map[string]string{
		"KNOBOT_LLM_PROVIDER": "", "KNOBOT_LLM_BASE_URL": "", "KNOBOT_LLM_API_KEY": "", "KNOBOT_LLM_MODEL": "",
	}})
	plan := crowd.Plan{Customers: size(40, 300), Questions: 1, Every: 200 * time.Millisecond, Say: crowd.AskAboutBranch}
	for n := range plan.Customers {
		code := model.Code(1+n, 0)
		require.NoError(c, c.Store(c.ctx, code+".md", crowd.Branch(code)))
	}
	each := func(f func(link *toxic.Link) error) error {
		for _, link := range l {
			if err := f(link); err != nil {
				return err
			}
		}
		return nil
	}
	c.during(plan, func(ctx context.Context) error {
		for _, trouble := range []func(link *toxic.Link) error{
			func(link *toxic.Link) error { link.Cut(); return nil },
			func(link *toxic.Link) error { return link.Delay(5 * time.Second) },
			func(link *toxic.Link) error { return link.LeadTo(wrong.Host) },
			(*toxic.Link).Swallow,
		} {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+2); err != nil {
				return err
			}
			if err := each(trouble); err != nil {
				return err
			}
			if err := pause(ctx, size(1500*time.Millisecond, 10*time.Second)); err != nil {
				return err
			}
			if err := each((*toxic.Link).Mend); err != nil {
				return err
			}
		}
		return nil
	})
	r := c.close("")
	require.Zero(c, r.Told, "nobody is told that nothing is known")
	require.Zero(c, r.Dead)
}
