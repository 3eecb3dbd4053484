package crowd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/e2e/internal/audit"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

const (
	// settleEvery is how often is looked whether anything goes on.
	settleEvery = 500 * time.Millisecond
	pageSize    = 1000
	readers     = 8
)

// Settle waits until nothing goes on any more: no webhook waits for its acknowledgement, and no event of the log is open.
func (c *Crowd) Settle(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		pending, err := c.simulator.PendingWebhooks(ctx)
		open := 0
		if err == nil && pending == 0 {
			open, err = c.open(ctx)
			if err == nil && open == 0 {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d webhooks wait and %d deliveries are open: %w", pending, open, errors.Join(ctx.Err(), err))
		}
	}
}

// open counts deliveries of which an event is not finished.
func (c *Crowd) open(ctx context.Context) (int, error) {
	n := 0
	err := c.logs(ctx, func(l *conversationv1.WebhookLog) {
		if l.GetProcessedTime() == nil {
			n++
		}
	})
	return n, err
}

// logs walks through the webhook log, newest first.
func (c *Crowd) logs(ctx context.Context, see func(*conversationv1.WebhookLog)) error {
	logs := conversationv1.NewWebhookLogServiceClient(c.conversation)
	for token := ""; ; {
		page, err := logs.ListWebhookLogs(ctx, &conversationv1.ListWebhookLogsRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return err
		}
		for _, l := range page.GetWebhookLogs() {
			see(l)
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// Audit accounts for every question that was asked.
func (c *Crowd) Audit(ctx context.Context) (audit.Report, error) {
	questions, err := c.questions(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	e := audit.Evidence{Questions: questions}
	if e.Records, err = c.records(ctx); err != nil {
		return audit.Report{}, err
	}
	if e.Answers, err = c.answers(ctx); err != nil {
		return audit.Report{}, err
	}
	return audit.Check(e), nil
}

// questions are what was said, and how its webhooks were delivered.
func (c *Crowd) questions(ctx context.Context) ([]audit.Question, error) {
	attempts, err := c.simulator.Deliveries(ctx, client.Filter{})
	if err != nil {
		return nil, err
	}
	type event struct {
		simulator.Chat
		name string
	}
	of := map[event][]simulator.Delivery{}
	for _, a := range attempts {
		key := event{a.Chat, a.Event}
		of[key] = append(of[key], a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []audit.Question
	for code, m := range c.asked {
		q := audit.Question{Code: code, Chat: m.Chat, Asked: m.at}
		for _, a := range of[event{m.Chat, "message " + m.ID}] {
			end := a.Time.Add(time.Duration(a.Duration))
			switch {
			case !a.Accepted:
				q.Refused = append(q.Refused, a.Status)
			case q.Acknowledged.IsZero() || end.Before(q.Acknowledged):
				q.Acknowledged, q.AckTime = end, time.Duration(a.Duration)
			}
		}
		all = append(all, q)
	}
	return all, nil
}

// records are the events of the log that are neither repeats nor needed no answer, by the code in their body.
func (c *Crowd) records(ctx context.Context) (map[string][]audit.Record, error) {
	var ids []string
	err := c.logs(ctx, func(l *conversationv1.WebhookLog) {
		if l.GetResponse() != "recorded" && l.GetResponse() != "duplicate" {
			ids = append(ids, l.GetId())
		}
	})
	if err != nil {
		return nil, err
	}
	logs := conversationv1.NewWebhookLogServiceClient(c.conversation)
	var mu sync.Mutex
	found := map[string][]audit.Record{}
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(readers)
	for _, id := range ids {
		reading.Go(func() error {
			r, err := logs.GetWebhookLog(ctx, &conversationv1.GetWebhookLogRequest{Id: id})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			codes := model.Codes(string(r.GetWebhookLog().GetPayload()))
			for i, e := range r.GetWebhookLog().GetEvents() {
				if i < len(codes) && e.GetOutcome() != "duplicate" {
					found[codes[i]] = append(found[codes[i]], audit.Record{Outcome: e.GetOutcome(), Error: e.GetError(), Request: e.GetResponse()})
				}
			}
			return nil
		})
	}
	return found, reading.Wait()
}

// answers are what all phones show but that of the probes.
func (c *Crowd) answers(ctx context.Context) ([]audit.Answer, error) {
	chats, err := c.simulator.Chats(ctx, client.Filter{})
	if err != nil {
		return nil, err
	}
	var all []audit.Answer
	for _, chat := range chats {
		if chat.User == model.ProbeUser {
			continue
		}
		shown, err := c.shown(ctx, chat.Chat)
		if err != nil {
			return nil, err
		}
		all = append(all, shown...)
	}
	return all, nil
}

// shown are the answers on one phone. Who has one text twice is asked about marks.
func (c *Crowd) shown(ctx context.Context, chat simulator.Chat) ([]audit.Answer, error) {
	messages, err := c.simulator.Messages(ctx, chat, 0)
	if err != nil {
		return nil, err
	}
	messages = slices.DeleteFunc(messages, func(m simulator.Message) bool { return m.Direction != simulator.Outbound })
	times, repeats := map[string]int{}, false
	for _, m := range messages {
		times[m.Text]++
		repeats = repeats || times[m.Text] > 1
	}
	var marked map[string]bool
	if repeats {
		if marked, err = c.marked(ctx, chat, messages); err != nil {
			return nil, err
		}
	}
	var all []audit.Answer
	for _, m := range messages {
		all = append(all, audit.Answer{Chat: chat, Codes: named(m.Text), Time: m.Time, Marked: marked[m.Text]})
	}
	return all, nil
}

// named are the codes in a text, each once: an extract repeats its title, its sentence and its source.
func named(text string) []string {
	var codes []string
	for _, code := range model.Codes(text) {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// marked returns the texts on a phone of which KnoBot says that they may have come twice.
func (c *Crowd) marked(ctx context.Context, chat simulator.Chat, messages []simulator.Message) (map[string]bool, error) {
	texts := map[string]string{} // by message id
	for _, m := range messages {
		texts[m.ID] = m.Text
	}
	marked := map[string]bool{}
	client := conversationv1.NewConversationServiceClient(c.conversation)
	for token := ""; ; {
		page, err := client.ListConversations(ctx, &conversationv1.ListConversationsRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, conversation := range page.GetConversations() {
			if conversation.GetMetadata()["platform_user_id"] != chat.User {
				continue
			}
			r, err := client.ListMessages(ctx, &conversationv1.ListMessagesRequest{ConversationId: conversation.GetId(), PageSize: pageSize})
			if err != nil {
				return nil, err
			}
			for _, m := range r.GetMessages() {
				if m.GetMaybeDuplicate() {
					marked[texts[m.GetPlatformMessageId()]] = true
					markUnnamed(marked, texts, m)
				}
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return marked, nil
		}
	}
}

// markUnnamed marks the texts with the codes of an answer of which no try was ever known, so that it has no id.
func markUnnamed(marked map[string]bool, texts map[string]string, m *conversationv1.Message) {
	codes := named(m.GetText())
	if m.GetPlatformMessageId() != "" || len(codes) == 0 {
		return
	}
	for _, text := range texts {
		if slices.Equal(named(text), codes) {
			marked[text] = true
		}
	}
}
