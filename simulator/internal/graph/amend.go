package graph

import (
	"errors"
	"fmt"
	"time"

	"github.com/knobot/knobot/simulator"
)

// amends tells what changes another message from what is one itself. A body
// goes as it stands.
func amends(u simulator.Utterance) bool {
	return len(u.Body) == 0 && (u.Kind == "reaction" || u.Kind == "edit" || u.Kind == "revoke")
}

// amend puts a reaction on a message of the phone, edits it or takes it back,
// and makes the content of the webhook that tells so.
func (a *API) amend(u simulator.Utterance) (map[string]any, simulator.Message, error) {
	target, err := a.store.Message(u.Chat(), u.Target)
	if err != nil {
		return nil, target, err
	}
	if own := (target.Direction == simulator.Inbound) != u.Staff; u.Kind != "reaction" && !own {
		return nil, target, errors.New("only whoever wrote a message can edit it or take it back")
	}
	var part any
	var change func(*simulator.Message)
	switch u.Kind {
	case "reaction":
		part = reactionValue(u)
		change = func(m *simulator.Message) { m.Reaction = u.Emoji }
	case "edit":
		if u.Text == "" {
			return nil, target, errors.New("text is empty")
		}
		part = map[string]any{"original_message_id": target.ID, "message": edited(target, u.Text)}
		change = func(m *simulator.Message) { m.Text, m.EditTime = u.Text, time.Now() }
	case "revoke":
		part = map[string]string{"original_message_id": target.ID}
		change = func(m *simulator.Message) { m.Deleted = true }
	default:
		return nil, target, fmt.Errorf("kind %q changes nothing", u.Kind)
	}
	target, err = a.store.Change(target.Chat, target.ID, change)
	return map[string]any{"type": u.Kind, u.Kind: part}, target, err
}

// reactionValue has an empty emoji when the reaction is taken away.
func reactionValue(u simulator.Utterance) map[string]string {
	return map[string]string{"message_id": u.Target, "emoji": u.Emoji}
}

// edited is the new version of a message within an edit.
func edited(target simulator.Message, text string) map[string]any {
	if target.Media == nil {
		return map[string]any{"type": "text", "text": map[string]string{"body": text}}
	}
	kind := wireKind(target.Kind)
	return map[string]any{"type": kind, kind: fileFields(target.Kind, text, *target.Media)}
}
