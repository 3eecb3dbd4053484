package orchestrator

import (
	"context"

	rag "github.com/knobot/knobot/services/rag"
)

// maxRests bounds the passages of a dialogue that are looked up. A turn that rests on more is left out.
const maxRests = 500

// forget takes out of the dialogue what rests on passages that are no more: the text of a document that was deleted or replaced
// must not come back by way of what was said before. A turn of ours goes whole, a customer's loses what it quotes.
func (o *Orchestrator) forget(ctx context.Context, d *dialogue) error {
	var ids []rag.PassageID
	for _, turn := range d.Turns {
		ids = append(ids, turn.Rests...)
	}
	if len(ids) == 0 {
		return nil
	}
	live, err := o.shelf.Live(ctx, d.KnowledgeBase, ids[:min(len(ids), maxRests)])
	if err != nil {
		return err
	}
	first := len(d.history)
	turns := make([]rag.Turn, len(d.Turns))
	for i, turn := range d.Turns {
		turns[i] = standing(turn, live)
	}
	d.Turns, d.history, d.open = turns, turns[:first], turns[first:]
	d.context = contextOf(d.open)
	return nil
}

// standing is what is left of a turn.
func standing(turn rag.Turn, live map[rag.PassageID]bool) rag.Turn {
	for _, id := range turn.Rests {
		switch {
		case live[id]:
		case turn.Role == rag.Customer:
			turn.Context = ""
		default:
			turn.Text, turn.Context = "", ""
		}
	}
	return turn
}
