package botapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/chat"
	"github.com/knobot/knobot/simulator/internal/detail"
	"github.com/knobot/knobot/simulator/internal/entities"
	"github.com/knobot/knobot/simulator/internal/webhook"
)

// Say lets a customer write or act in a chat, a group or a business chat.
func (a *API) Say(u simulator.Utterance) (simulator.Message, error) {
	b, err := a.bot(u.Account)
	if err != nil {
		return simulator.Message{}, err
	}
	if u, err = complete(u, b); err != nil {
		return simulator.Message{}, err
	}
	if act, ok := a.acts()[u.Kind]; ok {
		return act(b, u)
	}
	var extra map[string]any
	if len(u.Extra) > 0 && json.Unmarshal(u.Extra, &extra) != nil {
		return simulator.Message{}, errors.New("extra must be an object")
	}
	m, err := a.content(u)
	if err != nil {
		return simulator.Message{}, err
	}
	info := a.open(b, u)
	m.ID, m.Author = a.nextMessage(b), a.authorOf(b, u)
	if m, err = a.store.Add(m); err != nil {
		return m, err
	}
	value := a.wire(b, info, m)
	maps.Copy(value, extra)
	a.deliver(b, update{
		kind: updateKind(u, "message"), value: value, chat: m.Chat, name: "message " + m.ID, lane: "chat/" + m.User,
		copies:       u.Copies,
		acknowledged: func() { a.store.Advance(m.Chat, m.ID, simulator.StateDelivered, "") },
	})
	return m, nil
}

// updateKind is the update that carries a message, business_… in such a chat.
func updateKind(u simulator.Utterance, kind string) string {
	if u.Business == "" {
		return kind
	}
	if edited, ok := strings.CutPrefix(kind, "edited_"); ok {
		return "edited_business_" + edited
	}
	return "business_" + kind
}

// complete checks an utterance and fills in what it may leave out.
func complete(u simulator.Utterance, b *bot) (simulator.Utterance, error) {
	u.Platform, u.Account = simulator.Telegram, b.ID
	if id, err := strconv.ParseInt(u.From, 10, 64); err != nil || id <= 0 {
		return u, errors.New("from must be a positive number")
	}
	if u.Group != nil {
		if id, err := strconv.ParseInt(u.Group.ID, 10, 64); err != nil || id >= 0 {
			return u, errors.New("a group's id must be a negative number")
		}
	}
	if u.Staff && u.Business == "" {
		return u, errors.New("staff write in business chats only")
	}
	if strings.Contains(u.Business, ":") {
		return u, errors.New("a connection's id has no colon")
	}
	if u.Name == "" {
		u.Name = "Cliente " + u.From
	}
	if u.Time.IsZero() {
		u.Time = time.Now()
	}
	if u.Kind == "" {
		u.Kind = "text"
	}
	return u, nil
}

// open makes sure that the chat exists, and the connection by which the bot
// reads it. A group has no person of its own.
func (a *API) open(b *bot, u simulator.Utterance) simulator.ChatInfo {
	if u.Business != "" {
		if _, ok := a.connection(b, u.Business); !ok {
			_, _ = a.Connect(simulator.Connection{Account: b.ID, ID: u.Business, Owner: "9000000001", Name: "La Ceiba"})
		}
	}
	if u.Group == nil {
		person := u.Person
		if u.Staff {
			person = simulator.Person{}
		}
		return a.store.Open(u.Chat(), person)
	}
	a.store.Open(u.Chat(), simulator.Person{})
	info, _ := a.store.Update(u.Chat(), func(info *simulator.ChatInfo) { // it was opened just now
		group := *u.Group
		if group.Title == "" {
			group.Title = "Clientes"
		}
		if info.Group != nil && group.Thread == 0 {
			group.Thread = info.Group.Thread // once a forum, always one
		}
		info.Group, info.Name = &group, group.Title
	})
	return info
}

// authorOf is set where the chat alone does not say who writes.
func (a *API) authorOf(b *bot, u simulator.Utterance) *simulator.Author {
	switch {
	case u.Staff:
		connection, _ := a.connection(b, u.Business)
		return &simulator.Author{ID: connection.Owner, Name: connection.Name, Staff: true}
	case u.Group != nil:
		return &simulator.Author{ID: u.From, Name: u.Name, Username: u.Username, Language: u.Language}
	default:
		return nil
	}
}

// content makes the message as the phone shows it.
func (a *API) content(u simulator.Utterance) (simulator.Message, error) {
	m := simulator.Message{
		Chat: u.Chat(), Direction: simulator.Inbound, Kind: u.Kind, Text: u.Text, ReplyTo: u.ReplyTo, Quote: u.Quote,
		Album: u.Album, Forwarded: u.Forwarded, State: simulator.StateSent, Time: u.Time,
	}
	if u.Group != nil {
		m.Thread = u.Group.Thread
	}
	if u.Staff {
		m.Direction, m.State = simulator.Outbound, simulator.StateDelivered
	}
	m.Entities = found(u.Text)
	switch u.Kind {
	case "text":
		if strings.TrimSpace(u.Text) == "" {
			return m, errors.New("text is empty")
		}
		return m, nil
	case "image", "photo", "audio", "voice", "video", "document", "sticker", "animation", "video_note":
		kept, ok := a.shelf.Get(u.Media)
		if !ok {
			return m, errors.New("media is no id of POST /simulator/v1/media")
		}
		m.Media = &kept.Media
		return m, nil
	}
	if wireKind(u.Kind) == "contact" && len(u.Body) == 0 {
		u.Body = ownContact(u)
	}
	if len(u.Body) == 0 || !json.Valid(u.Body) {
		return m, fmt.Errorf("kind %q needs a body", u.Kind)
	}
	m.Content, m.Detail = u.Body, detail.Of(u.Body)
	return m, nil
}

// ownContact is the customer's own card, as the button that asks for it sends.
func ownContact(u simulator.Utterance) json.RawMessage {
	who := userOf(u.From, u.Name, "", "")
	card := map[string]any{"phone_number": phoneOf(u), "first_name": who.FirstName, "user_id": who.ID}
	if who.LastName != "" {
		card["last_name"] = who.LastName
	}
	raw, err := json.Marshal(card)
	if err != nil { // plain values only
		panic(err)
	}
	return raw
}

func phoneOf(u simulator.Utterance) string {
	if u.Phone != "" {
		return u.Phone
	}
	digits := "000000000" + u.From
	return "+573" + digits[len(digits)-9:]
}

// found marks commands and mentions, as Telegram's apps do.
func found(text string) []simulator.Entity {
	if !strings.ContainsAny(text, "/@") {
		return nil
	}
	var list []simulator.Entity
	for kind, pattern := range map[string]string{
		"bot_command": `(?:^|\s)(/[A-Za-z0-9_]{1,64}(?:@\w+)?)`, "mention": `(?:^|[^\w/])(@\w{4,32})`,
	} {
		for _, at := range regexp.MustCompile(pattern).FindAllStringSubmatchIndex(text, -1) {
			list = append(list, simulator.Entity{
				Type: kind, Offset: entities.Length(text[:at[2]]), Length: entities.Length(text[at[2]:at[3]]),
			})
		}
	}
	slices.SortFunc(list, func(a, b simulator.Entity) int { return a.Offset - b.Offset })
	return list
}

// Press lets a customer press an inline button, or one of the reply keyboard.
func (a *API) Press(p simulator.Press) (simulator.Message, error) {
	b, err := a.bot(p.Account)
	if err != nil {
		return simulator.Message{}, err
	}
	pressed, err := a.store.Message(p.Chat, p.Message)
	if err != nil {
		return simulator.Message{}, err
	}
	if button, ok := find(pressed.Keyboard, func(b simulator.Button) bool { return b.Text == p.Data }); ok {
		return a.Say(a.answer(p, button))
	}
	if _, ok := find(pressed.Buttons, func(b simulator.Button) bool { return b.Data == p.Data }); !ok || p.Data == "" {
		return simulator.Message{}, fmt.Errorf("%w: the message has no button with that data", chat.ErrNoMessage)
	}
	info, _ := a.store.Info(p.Chat)
	id := number(1e18)
	a.remember(b, id, p.Chat)
	from := customer(info)
	if info.Group != nil {
		from = a.member(p)
	}
	a.deliver(b, update{
		kind: "callback_query", chat: p.Chat, name: "callback " + id, lane: "callback/" + p.User, copies: p.Copies,
		lifetime: webhook.CallbackLifetime,
		value: map[string]any{
			"id": id, "from": from, "chat_instance": "-" + strings.TrimPrefix(peerOf(info.User), "-"), "data": p.Data,
			"message": a.wire(b, info, pressed),
		},
	})
	return pressed, nil
}

// answer is what a button of the reply keyboard says.
func (a *API) answer(p simulator.Press, button simulator.Button) simulator.Utterance {
	info, _ := a.store.Info(p.Chat)
	u := simulator.Utterance{
		Account: p.Account, From: peerOf(p.User), Business: connectionOf(p.User), Person: info.Person, Group: info.Group,
		Text: button.Text, Copies: p.Copies,
	}
	if info.Group != nil {
		u.From, u.Name = p.From, ""
	}
	if button.Request == "contact" {
		u.Kind, u.Text, u.ReplyTo = "contact", "", p.Message
	}
	return u
}

// member is who presses in a group: somebody who wrote there, or a stranger.
func (a *API) member(p simulator.Press) user {
	for _, m := range a.store.Messages(p.Chat, 0) {
		if m.Author != nil && m.Direction == simulator.Inbound && (p.From == "" || m.Author.ID == p.From) {
			return userOf(m.Author.ID, m.Author.Name, m.Author.Username, m.Author.Language)
		}
	}
	return userOf(p.From, "Cliente", "", "")
}

func find(rows [][]simulator.Button, match func(simulator.Button) bool) (simulator.Button, bool) {
	for _, row := range rows {
		if i := slices.IndexFunc(row, match); i >= 0 {
			return row[i], true
		}
	}
	return simulator.Button{}, false
}

// remember keeps a press until it is answered or too old to be.
func (a *API) remember(b *bot, id string, where simulator.Chat) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for old, waiting := range b.callbacks {
		if time.Since(waiting.time) > callbackLife {
			delete(b.callbacks, old)
		}
	}
	b.callbacks[id] = callback{chat: where, time: time.Now()}
}
