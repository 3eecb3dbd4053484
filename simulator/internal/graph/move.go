package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
)

// userIDUpdate is the news of a changed business-scoped user id in its own
// field (WhatsApp docs, Business-scoped user IDs, 7 May 2026).
type userIDUpdate struct {
	WaID   string `json:"wa_id,omitempty"`
	Detail string `json:"detail"`
	UserID struct {
		Previous string `json:"previous"`
		Current  string `json:"current"`
	} `json:"user_id"`
	Timestamp string `json:"timestamp"`
}

// Move gives a customer another number, which remakes the user id, or another
// user id alone, and tells the business. The talk goes on in a new chat.
func (a *API) Move(move simulator.Move) (simulator.ChatInfo, error) {
	n, err := a.number(move.Account)
	if err != nil {
		return simulator.ChatInfo{}, err
	}
	move.Platform, move.Account = simulator.WhatsApp, n.ID
	old, next, err := a.moved(move)
	if err != nil {
		return simulator.ChatInfo{}, err
	}
	for _, notice := range []string{"number", "user_id", "field"} {
		if len(move.Notices) > 0 && !slices.Contains(move.Notices, notice) || notice == "number" && old.User == next.User {
			continue
		}
		a.deliver(n, parcel{
			chat: next.Chat, name: "notice " + notice, values: []value{a.notice(n, notice, old, next)},
		})
	}
	return next, nil
}

// moved opens the chat under the new name. The service window goes with the
// person.
func (a *API) moved(move simulator.Move) (old, next simulator.ChatInfo, err error) {
	old, ok := a.store.Info(move.Chat)
	if !ok {
		return old, next, errors.New("the customer never wrote to this number")
	}
	phone := strings.TrimPrefix(move.Phone, "+")
	if phone != "" && (!digits(phone) || len(phone) < 5) {
		return old, next, errors.New("phone must be digits with the country code")
	}
	where, person := old.Chat, old.Person
	if phone != "" {
		where.User = phone
	}
	person.UserID = move.UserID
	if person.UserID == "" {
		person.UserID = userID(simulator.Chat{Account: where.Account, User: where.User + "/" + old.UserID})
	}
	if isUserID(where.User) {
		where.User = person.UserID
	}
	if where != old.Chat {
		_, _ = a.store.Update(old.Chat, func(info *simulator.ChatInfo) { info.Moved = where.User })
	}
	a.store.Open(where, person)
	next, err = a.store.Update(where, func(info *simulator.ChatInfo) { info.LastInbound = old.LastInbound })
	return old, next, err
}

// notice is one of the three ways in which the business hears of it. The two
// system messages come without contacts; wa_id and user_id are the new ones.
func (a *API) notice(n simulator.Number, kind string, old, next simulator.ChatInfo) value {
	v := a.value(n)
	now := stamp(time.Now())
	if kind == "field" {
		u := userIDUpdate{WaID: visiblePhone(next), Detail: "User id updated", Timestamp: now}
		u.UserID.Previous, u.UserID.Current = old.UserID, next.UserID
		v.field, v.UserIDUpdates = "user_id_update", []userIDUpdate{u}
		v.Contacts = []contact{{Profile: profile{Name: next.Name}, WaID: visiblePhone(next)}}
		return v
	}
	system := map[string]string{"user_id": next.UserID}
	message := map[string]any{"id": newID(), "timestamp": now, "type": "system", "system": system}
	from, to := old.UserID, next.UserID
	system["type"] = "user_changed_user_id"
	if kind == "number" {
		from, to = old.User, next.User
		system["type"], system["wa_id"] = "user_changed_number", next.User
		message["from"], message["from_user_id"] = old.User, old.UserID
	}
	system["body"] = fmt.Sprintf("User %s changed from %s to %s", old.Name, from, to)
	v.Messages = []json.RawMessage{encode(message)}
	return v
}
