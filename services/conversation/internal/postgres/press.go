package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// press finds what stands behind the buttons of ours that were pressed, wherever the label is: Telegram leaves it out for a
// message that it does not show any more, and WhatsApp sends it with the id.
func (in *intake) press(ctx context.Context) error {
	pressed := map[conversation.MessageID][]*item{}
	var ids []string
	for _, it := range in.messages() {
		if it.Message.Kind != conversation.KindButtonReply || it.Message.Echo {
			continue
		}
		if m, _, ours := conversation.ParseButtonID(it.Message.ButtonID); ours {
			pressed[m] = append(pressed[m], it)
			ids = append(ids, string(m))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := in.tx.Query(ctx, in.store.sql.get("buttons_find"), ids)
	if err != nil {
		return err
	}
	var id conversation.MessageID
	var integration conversation.IntegrationID
	var buttons []conversation.Button
	_, err = pgx.ForEachRow(rows, []any{&id, &integration, &buttons}, func() error {
		for _, it := range pressed[id] {
			it.choose(integration, buttons)
		}
		buttons = nil
		return nil
	})
	return err
}

// choose asks what a button stands for. A button of another integration is nothing to this one.
func (it *item) choose(integration conversation.IntegrationID, buttons []conversation.Button) {
	_, n, _ := conversation.ParseButtonID(it.Message.ButtonID)
	if integration == it.key().integration && n < len(buttons) {
		it.Plan.Ask(buttons[n].Question)
		it.chosen = true
	}
}
