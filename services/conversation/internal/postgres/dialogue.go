package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// talk is a conversation that has new messages.
type talk struct {
	integration conversation.IntegrationID
	scope       string
	items       []*item
	id          conversation.ID
	last        int64
	heldFrom    *int64
	paused      bool
	// staff is what they said last in this transaction, nil for nothing.
	staff *spoken
}

// receive locks the conversations of the new messages in order, opening those that are missing, and numbers the messages.
func (in *intake) receive(ctx context.Context) error {
	talks := in.talks()
	for _, it := range in.items {
		in.settle(it)
	}
	if len(talks) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	in.closeIdle(b, talks)
	in.open(b, talks)
	if err := in.tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	for _, t := range talks {
		for i, it := range t.items {
			it.message = conversation.MessageID(newID())
			it.position = t.last - int64(len(t.items)) + int64(i) + 1
		}
		in.hearStaff(t)
	}
	return nil
}

// talks gathers the new messages by conversation, sorted by what is locked.
func (in *intake) talks() []*talk {
	type place struct {
		integration conversation.IntegrationID
		scope       string
	}
	byPlace := map[place]*talk{}
	var out []*talk
	for _, it := range in.messages() {
		if it.scope == "" {
			continue
		}
		p := place{it.key().integration, it.scope}
		t, ok := byPlace[p]
		if !ok {
			t = &talk{integration: p.integration, scope: p.scope}
			byPlace[p] = t
			out = append(out, t)
		}
		t.items = append(t.items, it)
		it.talk = t
	}
	slices.SortFunc(out, func(a, b *talk) int {
		return cmp.Or(cmp.Compare(a.integration, b.integration), cmp.Compare(a.scope, b.scope))
	})
	return out
}

func (in *intake) closeIdle(b *pgx.Batch, talks []*talk) {
	var integrations, scopes []string
	for _, t := range talks {
		integrations, scopes = append(integrations, string(t.integration)), append(scopes, t.scope)
	}
	b.Queue(in.store.sql.get("conversations_close_idle"), integrations, scopes, seconds(in.store.settings.IdleAfter))
}

func (in *intake) open(b *pgx.Batch, talks []*talk) {
	var (
		integrations, scopes, users, platforms, platformUsers, businesses []string
		groups, rags                                                      []bool
		chats                                                             []*int64
		threads, counts                                                   []int64
		passages                                                          []int32
		seen                                                              []*time.Time
	)
	for _, t := range talks {
		it := t.opener()
		integration := it.Arrival.Integration
		chat, thread, business := chatOf(it.Message.Address)
		integrations, scopes = append(integrations, string(t.integration)), append(scopes, t.scope)
		users, platforms = append(users, string(it.user)), append(platforms, string(integration.Platform))
		platformUsers = append(platformUsers, platformUser(it))
		groups, rags = append(groups, it.Message.Group), append(rags, integration.RAGEnabled)
		chats, threads, businesses = append(chats, chat), append(threads, thread), append(businesses, business)
		passages = append(passages, integration.Passages)
		counts, seen = append(counts, int64(len(t.items))), append(seen, in.lastCustomerTime(t))
	}
	b.Queue(in.store.sql.get("conversations_receive"), integrations, scopes, users, platforms, platformUsers, groups,
		chats, threads, businesses, rags, passages, counts, seen).Query(func(rows pgx.Rows) error {
		return scanTalks(rows, talks)
	})
}

// opener is the message that says whose the conversation is: the last of somebody known. In a chat, staff are not.
func (t *talk) opener() *item {
	for _, it := range slices.Backward(t.items) {
		if it.user != "" {
			return it
		}
	}
	return t.items[len(t.items)-1]
}

func scanTalks(rows pgx.Rows, talks []*talk) error {
	var got talk
	_, err := pgx.ForEachRow(rows, []any{&got.id, &got.integration, &got.scope, &got.last, &got.heldFrom, &got.paused}, func() error {
		i, ok := slices.BinarySearchFunc(talks, got, func(t *talk, want talk) int {
			return cmp.Or(cmp.Compare(t.integration, want.integration), cmp.Compare(t.scope, want.scope))
		})
		if ok {
			talks[i].id, talks[i].last, talks[i].heldFrom, talks[i].paused = got.id, got.last, got.heldFrom, got.paused
		}
		return nil
	})
	return err
}

// lastCustomerTime is when the customer wrote last, by the provider's clock but never in our future: a wrong clock must not
// hold WhatsApp's window open.
func (in *intake) lastCustomerTime(t *talk) *time.Time {
	var last *time.Time
	for _, it := range t.items {
		if it.Message.Echo || it.Message.Kind == conversation.KindSystem {
			continue
		}
		at := it.OccurTime
		if at.IsZero() || at.After(in.now) {
			at = in.now
		}
		if last == nil || at.After(*last) {
			last = &at
		}
	}
	return last
}

func chatOf(a conversation.Address) (chat *int64, thread int64, business string) {
	if a.Chat == nil {
		return nil, 0, ""
	}
	return &a.Chat.ID, a.Chat.ThreadID, a.Chat.BusinessConnectionID
}

// platformUser is the mission's platform_user_id: the number, or the chat.
func platformUser(it *item) string {
	if c := it.Message.Address.Chat; c != nil {
		return strconv.FormatInt(c.ID, 10)
	}
	id := it.who().identity
	return cmp.Or(id.Phone, id.ExternalID)
}

// queueMessages stores the messages. Their text is kept as it came, up to the cap.
func (in *intake) queueMessages(b *pgx.Batch) {
	var (
		ids, talks, roles, kinds, texts, states, users, platformIDs, sentences, languages, traces []string
		positions                                                                                 []int64
		times                                                                                     []*time.Time
		details                                                                                   [][]byte
	)
	for _, it := range in.items {
		if it.message == "" {
			continue
		}
		ids, talks = append(ids, string(it.message)), append(talks, string(it.talk.id))
		positions = append(positions, it.position)
		roles, kinds = append(roles, string(roleOf(it.Message))), append(kinds, string(it.Message.Kind))
		texts, states = append(texts, it.Plan.Text), append(states, string(stateOf(it.outcome)))
		users, platformIDs = append(users, string(it.user)), append(platformIDs, it.Message.MessageID)
		sentences, languages = append(sentences, string(it.Plan.Sentence)), append(languages, it.Plan.Language)
		times, details = append(times, nullTime(it.OccurTime)), append(details, detailsOf(it.Message, it.chosen))
		traces = append(traces, it.trace)
	}
	if len(ids) > 0 {
		b.Queue(in.store.sql.get("messages_insert"), ids, talks, positions, roles, kinds, texts, states, users, platformIDs,
			sentences, languages, times, details, traces)
	}
}

func roleOf(m *conversation.InboundMessage) conversation.Role {
	if m.Echo {
		return conversation.Staff
	}
	return conversation.Customer
}

func stateOf(o conversation.Outcome) conversation.MessageState {
	switch o {
	case conversation.OutcomeOpen:
		return conversation.MessageOpen
	case conversation.OutcomeAnsweredByStaff:
		return conversation.MessageAnswered
	default:
		return conversation.MessageRecorded
	}
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// details is what a message says beside its text.
type details struct {
	ReplyTo   string                     `json:"reply_to,omitempty"`
	Quoted    string                     `json:"quoted,omitempty"`
	Original  string                     `json:"original,omitempty"`
	Button    string                     `json:"button,omitempty"`
	Album     string                     `json:"album,omitempty"`
	Forwarded bool                       `json:"forwarded,omitempty"`
	Media     *conversation.Media        `json:"media,omitempty"`
	Location  *conversation.Location     `json:"location,omitempty"`
	Contacts  []conversation.ContactCard `json:"contacts,omitempty"`
	Referral  *conversation.Referral     `json:"referral,omitempty"`
	Items     []conversation.OrderItem   `json:"items,omitempty"`
	Chosen    bool                       `json:"chosen,omitempty"`
}

func detailsOf(m *conversation.InboundMessage, chosen bool) []byte {
	d, err := json.Marshal(details{
		m.ReplyToMessageID, m.QuotedText, m.OriginalMessageID, m.ButtonID, m.AlbumID, m.Forwarded, m.Media, m.Location, m.Contacts,
		m.Referral, m.OrderItems, chosen,
	})
	if err != nil || string(d) == "{}" { // only a number that JSON has no word for (NaN) fails
		return nil
	}
	return d
}

// queueTurns opens a turn for each conversation that got a question.
func (in *intake) queueTurns(b *pgx.Batch) {
	var conversations, integrations, unheld []string
	var firsts, seqs []int64
	var debounces []float64
	for _, t := range in.askedTalks() {
		first, last := t.asked[0], t.asked[len(t.asked)-1]
		from := first.position
		if t.heldFrom != nil {
			from, unheld = min(from, *t.heldFrom), append(unheld, string(t.id))
		}
		conversations, integrations = append(conversations, string(t.id)), append(integrations, string(t.integration))
		firsts, seqs = append(firsts, from), append(seqs, last.position)
		debounces = append(debounces, seconds(t.debounce()))
		in.opened[last.log]++
	}
	if len(conversations) == 0 {
		return
	}
	b.Queue(in.store.sql.get("turns_open"), conversations, integrations, firsts, seqs, debounces,
		seconds(in.store.settings.LongestWait))
	if len(unheld) > 0 {
		b.Queue(in.store.sql.get("conversations_unhold"), unheld)
	}
}

type askedTalk struct {
	*talk
	asked []*item
}

// debounce is the longest that one of the messages asks for: that of an album's part outlasts a text's.
func (t askedTalk) debounce() time.Duration {
	return slices.MaxFunc(t.asked, func(a, b *item) int { return cmp.Compare(a.Debounce, b.Debounce) }).Debounce
}

func (in *intake) askedTalks() []askedTalk {
	index := map[*talk]int{}
	var out []askedTalk
	for _, it := range in.items {
		if it.message == "" || it.outcome != conversation.OutcomeOpen {
			continue
		}
		i, ok := index[it.talk]
		if !ok {
			i = len(out)
			index[it.talk] = i
			out = append(out, askedTalk{talk: it.talk})
		}
		out[i].asked = append(out[i].asked, it)
	}
	return out
}
