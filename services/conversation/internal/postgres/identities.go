package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

func (it *item) change() *conversation.IdentityChange {
	c, _ := it.Content.(*conversation.IdentityChange)
	return c
}

func (in *intake) changesIdentities() bool {
	for _, it := range in.items {
		if it.change() != nil {
			return true
		}
	}
	return false
}

// changeIdentities applies the provider's notices. They are rare, so each is a few statements; they come before anybody is
// looked up, because the messages beside them already use the new ids.
func (in *intake) changeIdentities(ctx context.Context) error {
	if !in.changesIdentities() {
		return nil
	}
	for _, it := range in.items {
		if c := it.change(); c != nil && it.fresh && it.outcome == "" {
			if err := in.apply(ctx, it.key().integration, *c); err != nil {
				return err
			}
		}
	}
	b := &pgx.Batch{}
	in.people.find(b)
	return in.tx.SendBatch(ctx, b).Close()
}

// apply follows one notice. What names nobody, or nothing new, changes nothing.
func (in *intake) apply(ctx context.Context, integration conversation.IntegrationID, c conversation.IdentityChange) error {
	switch {
	case c.OldID == "":
		return nil
	case c.Kind == conversation.Blocked || c.Kind == conversation.Unblocked:
		return in.block(ctx, integration, c.OldID, c.Kind == conversation.Blocked)
	case c.NewID == "" || c.NewID == c.OldID:
		return nil
	case c.Kind == conversation.PhoneNumberChanged:
		from, to := conversation.PhoneKey(c.OldID), conversation.PhoneKey(c.NewID)
		return in.rename(ctx, integration, from, to,
			step{"identity_phone", []any{integration, from, to}}, step{"identity_phone_move", []any{integration, from, c.NewID}})
	case c.Kind == conversation.UserIDChanged:
		return in.rename(ctx, integration, c.OldID, c.NewID, step{"identity_user", []any{integration, c.OldID, c.NewID}})
	case c.Kind == conversation.ChatMigrated:
		return in.migrateChat(ctx, integration, c)
	default:
		return nil
	}
}

// step is a statement and its arguments.
type step struct {
	name string
	args []any
}

// rename runs steps under the locks that also guard the making of users.
func (in *intake) rename(ctx context.Context, integration conversation.IntegrationID, from, to string, steps ...step) error {
	keys := []int64{lockKey(integration, from), lockKey(integration, to)}
	return in.steps(ctx, append([]step{{"users_lock", []any{keys}}}, steps...)...)
}

func (in *intake) steps(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if _, err := in.tx.Exec(ctx, in.store.sql.get(s.name), s.args...); err != nil {
			return err
		}
	}
	return nil
}

// botBlocked is what channels calls it, too.
const botBlocked = "BOT_BLOCKED"

// block notes that the bot may not write any more, or may again. What waits for an answer in that chat will have none: it is
// dead at once, like after the provider's own refusal, and a replay opens it again.
func (in *intake) block(ctx context.Context, integration conversation.IntegrationID, id string, blocked bool) error {
	steps := []step{{"identity_blocked", []any{integration, id, blocked}}}
	if chat, ok := chatID(id); ok && blocked {
		steps = append(steps,
			step{"chat_lock", []any{integration, chat}}, step{"chat_silence", []any{integration, chat, botBlocked}})
	}
	return in.steps(ctx, steps...)
}

func chatID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil
}

// migrateChat follows a group that became a supergroup: its id changes for ever, and the old one answers 400 (Bot API,
// ResponseParameters.migrate_to_chat_id).
func (in *intake) migrateChat(ctx context.Context, integration conversation.IntegrationID, c conversation.IdentityChange) error {
	from, ok1 := chatID(c.OldID)
	to, ok2 := chatID(c.NewID)
	if !ok1 || !ok2 || from == to {
		return nil // nothing that names two chats
	}
	return in.steps(ctx, step{"identity_chat_close", []any{integration, from, to}}, step{"identity_chat_move", []any{integration, from, to}})
}
