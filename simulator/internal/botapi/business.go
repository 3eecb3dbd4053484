package botapi

import (
	"errors"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
)

// Connect connects a business account to a bot, or changes the connection, and
// tells the bot.
func (a *API) Connect(c simulator.Connection) (simulator.Connection, error) {
	b, err := a.bot(c.Account)
	if err != nil {
		return c, err
	}
	c.Account = b.ID
	if id, err := strconv.ParseInt(c.Owner, 10, 64); err != nil || id <= 0 || c.ID == "" {
		return c, errors.New("a connection needs an id and an owner, a positive number")
	}
	if c.Name == "" {
		c.Name = "Negocio"
	}
	a.mu.Lock()
	b.connections[c.ID] = c
	a.mu.Unlock()
	where := chatOf(b, c.Owner)
	a.deliver(b, update{
		kind: "business_connection", chat: where, name: "connection " + c.ID, lane: "connection/" + c.ID,
		value: map[string]any{
			"id": c.ID, "user": owner(c), "user_chat_id": integer(c.Owner), "date": time.Now().Unix(),
			"rights": map[string]bool{"can_reply": !c.ReadOnly, "can_read_messages": true}, "is_enabled": !c.Disabled,
		},
	})
	return c, nil
}

func (a *API) connection(b *bot, id string) (simulator.Connection, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := b.connections[id]
	return c, ok
}

// usable refuses a connection by which the bot may not answer. The wording of
// the missing right is ours; the real one was not seen.
func (a *API) usable(b *bot, id string) *failure {
	c, ok := a.connection(b, id)
	switch {
	case !ok || c.Disabled:
		return badRequest("business connection not found")
	case c.ReadOnly:
		return badRequest("not enough rights to answer for the business account")
	default:
		return nil
	}
}
