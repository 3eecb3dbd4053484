package postgres

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// touchAfter is how old the note of a user's last message may be. The rule of the 30 days does not need it finer.
const touchAfter = time.Hour

// person is somebody who wrote, by what identifies them.
type person struct {
	integration conversation.IntegrationID
	identity    conversation.Identity
}

// stored is a user as the table or this transaction has it.
type stored struct {
	conversation.Candidate
	integration conversation.IntegrationID
	displayName string
	blocked     bool
	lastSeen    time.Time
	// hidden says that the last message came without the number, wasHidden what the table has.
	hidden, wasHidden bool
	username          string
	// was is the identity in the table; made says that there is none yet.
	was  conversation.Identity
	made bool
	sign *item
}

// people finds and makes the users of a transaction.
type people struct {
	in    *intake
	users map[conversation.UserID]*stored
	order []*stored
	found map[person]*stored
	// The keys as they are after what was matched so far.
	byExternal, byPhone map[ident]*stored
	// former are BSUIDs of before, with the present ones.
	former map[ident]string
}

// ident is one key of a user: a BSUID, a Telegram id or the key of a phone number.
type ident struct {
	integration conversation.IntegrationID
	id          string
}

func newPeople(in *intake) *people {
	p := &people{in: in, found: map[person]*stored{}}
	p.reset()
	return p
}

func (p *people) reset() {
	p.users, p.order = map[conversation.UserID]*stored{}, nil
	p.byExternal, p.byPhone, p.former = map[ident]*stored{}, map[ident]*stored{}, map[ident]string{}
}

// who returns who wrote. An echo is the company's own: the user is whom it was written to.
func (it *item) who() person {
	m := it.Message
	id := m.Sender.Identity(it.Arrival.Integration.Platform)
	switch {
	case m.Echo && m.Address.Chat == nil:
		id = conversation.Identity{ExternalID: m.Address.UserID, Phone: m.Address.PhoneNumber}
	case m.Echo || m.Sender.Bot:
		id = conversation.Identity{}
	}
	return person{it.key().integration, id}
}

// present is somebody as they are known now. What a BSUID of before brings along is of before, too: it says nothing about the
// number.
func (p *people) present(w person) person {
	key := ident{w.integration, w.identity.ExternalID}
	if _, lives := p.byExternal[key]; lives {
		return w
	}
	if now, ok := p.former[key]; ok {
		w.identity = conversation.Identity{ExternalID: now}
	}
	return w
}

// find asks for all users that the identities lead to, known or not: duplicates are not told apart yet, and cost little.
func (p *people) find(b *pgx.Batch) {
	var withExternal, external, withPhone, phones []string
	for _, it := range p.in.items {
		if it.Message == nil {
			continue
		}
		w := it.who()
		if w.identity.ExternalID != "" {
			withExternal, external = append(withExternal, string(w.integration)), append(external, w.identity.ExternalID)
		}
		if w.identity.Phone != "" {
			withPhone, phones = append(withPhone, string(w.integration)), append(phones, conversation.PhoneKey(w.identity.Phone))
		}
	}
	if len(external)+len(phones) == 0 {
		return
	}
	b.Queue(p.in.store.sql.get("users_find"), withExternal, external, withPhone, phones).Query(p.scan)
}

func (p *people) scan(rows pgx.Rows) error {
	p.reset()
	var u stored
	var former string
	_, err := pgx.ForEachRow(rows, []any{
		&u.ID, &u.integration, &u.ExternalID, &u.Phone, &u.PhoneSeen, &u.lastSeen, &u.displayName, &u.blocked, &u.wasHidden, &former,
	}, func() error {
		if former != "" {
			p.former[ident{u.integration, former}] = u.ExternalID
		}
		if _, known := p.users[u.ID]; known {
			return nil
		}
		c := u
		c.hidden = u.wasHidden
		c.was = conversation.Identity{ExternalID: u.ExternalID, Phone: u.Phone}
		p.add(&c)
		p.index(&c)
		return nil
	})
	return err
}

func (p *people) add(u *stored) {
	p.users[u.ID] = u
	p.order = append(p.order, u)
}

func (p *people) index(u *stored) {
	if u.ExternalID != "" {
		p.byExternal[ident{u.integration, u.ExternalID}] = u
	}
	if u.Phone != "" {
		p.byPhone[phoneIdent(u.integration, u.Phone)] = u
	}
}

func phoneIdent(integration conversation.IntegrationID, phone string) ident {
	return ident{integration, conversation.PhoneKey(phone)}
}

// candidate returns the user that a key leads to, nil for none.
func candidate(index map[ident]*stored, key ident) *conversation.Candidate {
	if u, ok := index[key]; ok && key.id != "" {
		return &u.Candidate
	}
	return nil
}

// resolve gives every message its user. Known users need no lock and at most one write. Where one has to be made or changed,
// the keys are locked and everything is looked at again: whoever came first has committed by then.
func (p *people) resolve(ctx context.Context) error {
	p.match()
	if keys := p.lockKeys(); len(keys) > 0 {
		if _, err := p.in.tx.Exec(ctx, p.in.store.sql.get("users_lock"), keys); err != nil {
			return err
		}
		b := &pgx.Batch{}
		p.find(b)
		if err := p.in.tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		p.match()
		if err := p.write(ctx); err != nil {
			return err
		}
	}
	return p.touch(ctx)
}

// match walks through the messages in their order, over what the table has and what the messages before have changed.
func (p *people) match() {
	clear(p.found)
	for _, it := range p.in.messages() {
		w := p.present(it.who())
		it.user = ""
		if w.identity.Known() {
			u, ok := p.found[w]
			if !ok || (w.identity.Phone != "" && u.Phone != w.identity.Phone) { // another one has taken the number meanwhile
				u = p.place(w, it)
				p.found[w] = u
			}
			it.user = u.ID
			u.sign = it
			if !it.Message.Echo {
				u.hidden = w.identity.Phone == "" && u.Phone != ""
			}
		}
		it.scope = conversation.Scope(it.user, it.Message.Address, it.Message.Group)
	}
}

// place applies the identity rules to one person.
func (p *people) place(w person, it *item) *stored {
	now := p.in.now
	if it.Message.Echo {
		now = time.Time{} // staff know whom they write to, however long ago that was
	}
	r := conversation.Resolve(w.identity, candidate(p.byExternal, ident{w.integration, w.identity.ExternalID}),
		candidate(p.byPhone, phoneIdent(w.integration, w.identity.Phone)), now)
	if loser, ok := p.users[r.PhoneFrom]; ok {
		loser.Phone = ""
	}
	u, ok := p.users[r.User]
	if !ok {
		u = &stored{integration: w.integration, made: true, displayName: it.Message.Sender.DisplayName}
		u.ID = conversation.UserID(newID())
		u.username = conversation.Username(it.Arrival.Integration.Platform, it.sender(w))
		p.add(u)
	}
	if u.Phone != "" && u.Phone != r.Identity.Phone {
		delete(p.byPhone, phoneIdent(u.integration, u.Phone))
	}
	u.ExternalID, u.Phone = r.Identity.ExternalID, r.Identity.Phone
	if w.identity.Phone != "" {
		u.PhoneSeen = p.in.now
	}
	p.index(u)
	return u
}

// sender is who a user is named after: for an echo, whom it was written to.
func (it *item) sender(w person) conversation.Sender {
	if it.Message.Echo {
		return conversation.Sender{UserID: w.identity.ExternalID, PhoneNumber: w.identity.Phone}
	}
	return it.Message.Sender
}

func (u *stored) changed() bool {
	return u.made || u.was != conversation.Identity{ExternalID: u.ExternalID, Phone: u.Phone}
}

// lockKeys names the keys of everybody if anybody is made or changed.
func (p *people) lockKeys() []int64 {
	any := false
	for _, u := range p.order {
		any = any || u.changed()
	}
	if !any {
		return nil
	}
	var keys []int64
	for w := range p.found {
		for _, id := range []string{w.identity.ExternalID, conversation.PhoneKey(w.identity.Phone)} {
			if id != "" {
				keys = append(keys, lockKey(w.integration, id))
			}
		}
	}
	return keys
}

// lockKey is the advisory lock of an id within an integration.
func lockKey(integration conversation.IntegrationID, id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("user\x00" + string(integration) + "\x00" + id))
	return int64(h.Sum64() >> 1) // PostgreSQL's bigint has a sign
}

// write stores what match has changed: numbers are taken away before they are given.
func (p *people) write(ctx context.Context) error {
	var cleared []string
	var ids, externals, phones []string
	for _, u := range p.order {
		if !u.changed() || u.made {
			continue
		}
		if u.was.Phone != "" && u.was.Phone != u.Phone {
			cleared = append(cleared, string(u.ID))
		}
		ids, externals, phones = append(ids, string(u.ID)), append(externals, u.ExternalID), append(phones, u.Phone)
	}
	if len(ids) > 0 {
		b := &pgx.Batch{}
		b.Queue(p.in.store.sql.get("users_clear_phone"), cleared)
		b.Queue(p.in.store.sql.get("users_set_identity"), ids, externals, phones)
		if err := p.in.tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	return p.insert(ctx)
}

const maxUsernames = 50

// insert makes the new users, with a suffix where a username is taken.
func (p *people) insert(ctx context.Context) error {
	var waiting []*stored
	for _, u := range p.order {
		if u.made {
			waiting = append(waiting, u)
		}
	}
	for nth := 1; len(waiting) > 0; nth++ {
		if nth > maxUsernames {
			return errors.New("no username is free")
		}
		made, err := p.insertAs(ctx, waiting, nth)
		if err != nil {
			return err
		}
		var left []*stored
		for _, u := range waiting {
			if !made[string(u.ID)] {
				left = append(left, u)
			}
		}
		waiting = left
	}
	return nil
}

func (p *people) insertAs(ctx context.Context, users []*stored, nth int) (map[string]bool, error) {
	cols := make([][]string, 8)
	for _, u := range users {
		for i, v := range []string{
			string(u.ID), string(u.integration), string(u.sign.Arrival.Integration.Platform),
			conversation.SuffixedUsername(u.username, nth), conversation.RoleCustomer, u.displayName, u.ExternalID, u.Phone,
		} {
			cols[i] = append(cols[i], v)
		}
	}
	rows, err := p.in.tx.Query(ctx, p.in.store.sql.get("users_insert"),
		cols[0], cols[1], cols[2], cols[3], cols[4], cols[5], cols[6], cols[7])
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { made[id] = true; return nil })
	return made, err
}

// touch notes that users were seen, the name that they show now, and whether they show their number.
func (p *people) touch(ctx context.Context) error {
	var ids, names []string
	var hidden []bool
	for _, u := range p.order {
		if u.made || u.sign == nil || u.sign.Message.Echo {
			continue
		}
		name := u.sign.Message.Sender.DisplayName
		if u.blocked || u.hidden != u.wasHidden || (name != "" && name != u.displayName) || p.in.now.Sub(u.lastSeen) > touchAfter {
			ids, names, hidden = append(ids, string(u.ID)), append(names, name), append(hidden, u.hidden)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := p.in.tx.Exec(ctx, p.in.store.sql.get("users_touch"), ids, names, hidden)
	return err
}
