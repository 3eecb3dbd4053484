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

// apply follows one notice under the locks that also guard the making of users.
func (in *intake) apply(ctx context.Context, integration conversation.IntegrationID, c conversation.IdentityChange) error {
	if c.OldID == "" {
		return nil
	}
	steps, isUser := identitySteps(c)
	if c.Kind == conversation.ChatMigrated {
		return in.migrateChat(ctx, integration, c)
	}
	if !isUser {
		return nil
	}
	keys := []int64{lockKey(integration, c.OldID), lockKey(integration, c.NewID)}
	if _, err := in.tx.Exec(ctx, in.store.sql.get("users_lock"), keys); err != nil {
		return err
	}
	for _, s := range steps {
		if _, err := in.tx.Exec(ctx, in.store.sql.get(s.name), integration, c.OldID, s.value); err != nil {
			return err
		}
	}
	return nil
}

// identityStep is a statement and its third argument; the first two are the integration and the old id.
type identityStep struct {
	name  string
	value any
}

func identitySteps(c conversation.IdentityChange) ([]identityStep, bool) {
	switch {
	case c.Kind == conversation.Blocked || c.Kind == conversation.Unblocked:
		return []identityStep{{"identity_blocked", c.Kind == conversation.Blocked}}, true
	case c.NewID == "" || c.NewID == c.OldID:
		return nil, false
	case c.Kind == conversation.PhoneNumberChanged:
		return []identityStep{{"identity_phone", c.NewID}, {"identity_phone_move", c.NewID}}, true
	case c.Kind == conversation.UserIDChanged:
		return []identityStep{{"identity_user", c.NewID}}, true
	default:
		return nil, false
	}
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
	for _, name := range []string{"identity_chat_close", "identity_chat_move"} {
		if _, err := in.tx.Exec(ctx, in.store.sql.get(name), integration, from, to); err != nil {
			return err
		}
	}
	return nil
}
