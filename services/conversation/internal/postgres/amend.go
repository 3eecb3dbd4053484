package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// amended names a message that an edit or a deletion is about.
type amended struct {
	talk     conversation.ID
	original string
	role     conversation.Role
}

// original is that message as it is stored.
type original struct {
	id       conversation.MessageID
	kind     conversation.MessageKind
	text     string
	sentence conversation.Sentence
	deleted  bool
	waits    bool
}

// amend applies edits and deletions to the messages they are about, of this transaction or earlier. They are rare.
func (in *intake) amend(ctx context.Context) error {
	last := in.amendments()
	if len(last) == 0 {
		return nil
	}
	talks := touched(last)
	if _, err := in.tx.Exec(ctx, in.store.sql.get("turns_lock"), talks); err != nil {
		return err
	}
	found, err := in.originals(ctx, last)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	var deletedIn []string
	for a, it := range last {
		o, ok := found[a]
		switch {
		case !ok || o.deleted:
		case it.Message.Kind == conversation.KindDeletion:
			b.Queue(in.store.sql.get("amend_delete"), o.id, o.waits)
			deletedIn = append(deletedIn, string(a.talk))
		default:
			in.queueEdit(b, a, o, it)
		}
	}
	if len(deletedIn) > 0 {
		b.Queue(in.store.sql.get("conversations_still_held"), deletedIn)
		b.Queue(in.store.sql.get("turns_dismiss"), deletedIn)
		b.Queue(in.store.sql.get("turns_take_back"), deletedIn)
	}
	return in.tx.SendBatch(ctx, b).Close()
}

// amendments returns the last edit of each message, or its deletion, after which nothing counts.
func (in *intake) amendments() map[amended]*item {
	last := map[amended]*item{}
	for _, it := range in.items {
		if it.message == "" || it.Message.OriginalMessageID == "" {
			continue
		}
		for _, role := range mayAmend(it.Message) {
			a := amended{it.talk.id, it.Message.OriginalMessageID, role}
			if before, ok := last[a]; !ok || before.Message.Kind != conversation.KindDeletion {
				last[a] = it
			}
		}
	}
	return last
}

// mayAmend says whose message an edit or deletion may be about. Everybody edits their own; of a deletion in a business chat
// Telegram does not say whose it was.
func mayAmend(m *conversation.InboundMessage) []conversation.Role {
	switch {
	case m.Kind == conversation.KindEdit:
		return []conversation.Role{roleOf(m)}
	case m.Kind == conversation.KindDeletion && m.Address.Chat != nil:
		return []conversation.Role{conversation.Customer, conversation.Staff}
	case m.Kind == conversation.KindDeletion:
		return []conversation.Role{roleOf(m)}
	default:
		return nil
	}
}

func touched(last map[amended]*item) []string {
	talks := map[string]bool{}
	for a := range last {
		talks[string(a.talk)] = true
	}
	return slices.Sorted(maps.Keys(talks))
}

func (in *intake) originals(ctx context.Context, last map[amended]*item) (map[amended]original, error) {
	var talks, ids, roles []string
	for a := range last {
		talks, ids, roles = append(talks, string(a.talk)), append(ids, a.original), append(roles, string(a.role))
	}
	rows, err := in.tx.Query(ctx, in.store.sql.get("amend_find"), talks, ids, roles)
	if err != nil {
		return nil, err
	}
	found := map[amended]original{}
	var a amended
	var o original
	_, err = pgx.ForEachRow(rows, []any{&o.id, &a.talk, &a.original, &a.role, &o.kind, &o.text, &o.sentence, &o.deleted, &o.waits},
		func() error { found[a] = o; return nil })
	return found, err
}

// queueEdit replaces the text of a question that still waits, and of what staff said. What was answered stays as it was
// answered; the edit is stored beside it.
func (in *intake) queueEdit(b *pgx.Batch, a amended, o original, it *item) {
	plan := conversation.PlanAmended(o.kind, it.Message, it.Arrival.Integration.Language)
	if (plan.Text == o.text && plan.Sentence == o.sentence) || (!o.waits && a.role == conversation.Customer) {
		return
	}
	b.Queue(in.store.sql.get("amend_text"), o.id, plan.Text, plan.Sentence, plan.Language)
	if o.waits {
		b.Queue(in.store.sql.get("amend_turn"), a.talk, it.position, seconds(it.Debounce), seconds(in.store.settings.LongestWait))
	}
}
