package telegram

import (
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// message decodes a new message out of one field of an update. Its kind is that field, or for an ordinary message
// Telegram's word for its content.
func (d *decoder) message(m *message, field string, body []byte) gateway.Event {
	e := gateway.Event{Kind: field, OccurTime: lenient.Time(m.Date, d.now), Key: m.key()}
	if change := m.migration(); change != nil {
		e.Kind, e.Content = "migrate", change
		return e
	}
	built := d.build(m)
	name := m.fill(built)
	if name == "" {
		name = notice(built, field, body)
	}
	if field == fieldMessage {
		e.Kind = name
	}
	if m.complete() {
		e.Content = built
	}
	return e
}

// edit decodes the new version of a message.
func (d *decoder) edit(m *message, field string, body []byte) gateway.Event {
	e := d.message(m, field, body)
	e.OccurTime = lenient.Time(m.EditDate, d.now)
	if built, ok := e.Content.(*gateway.Message); ok {
		built.Kind, built.Command, built.OriginalMessageID = gateway.KindEdit, "", built.ID
	}
	return e
}

// key names a message: its id is unique within its chat only.
func (m *message) key() string {
	if m.Chat == nil || m.ID == 0 {
		return ""
	}
	parts := []string{"msg", string(m.BusinessConnectionID), decimal(m.Chat.ID), decimal(m.ID)}
	if m.EditDate != 0 {
		parts = append(parts, decimal(m.EditDate))
	}
	return lenient.Key(parts...)
}

// complete says that the message can be stored as somebody's and answered.
func (m *message) complete() bool {
	return m.Chat != nil && m.Chat.ID != 0 && m.ID != 0 && m.sender().UserID != ""
}

// migration says that a group became a supergroup, which changes its id. Both the old and the new chat are told.
func (m *message) migration() *gateway.IdentityChange {
	switch {
	case m.Chat == nil:
		return nil
	case m.MigrateTo != 0:
		return &gateway.IdentityChange{Kind: gateway.ChangeChatMigrated, OldID: decimal(m.Chat.ID), NewID: decimal(m.MigrateTo)}
	case m.MigrateFrom != 0:
		return &gateway.IdentityChange{Kind: gateway.ChangeChatMigrated, OldID: decimal(m.MigrateFrom), NewID: decimal(m.Chat.ID)}
	default:
		return nil
	}
}

// build reads who wrote what kind of thing where.
func (d *decoder) build(m *message) *gateway.Message {
	out := &gateway.Message{
		ID:        decimal(m.ID),
		Sender:    m.sender(),
		Address:   m.address(),
		Text:      lenient.Text(m.Text + m.Caption), // a message has one of the two.
		AlbumID:   lenient.ID(m.MediaGroupID),
		Echo:      m.echo(),
		Forwarded: m.ForwardOrigin != nil || m.ForwardDate != 0,
		Group:     m.Chat != nil && !m.Chat.private(),
	}
	if r := m.ReplyTo; r != nil && r.ForumTopicCreated == nil { // the first message of a topic is what every other one "replies" to.
		out.ReplyToMessageID = decimal(r.ID)
		out.QuotedText = lenient.Text(r.Text + r.Caption)
	}
	if m.Quote != nil {
		out.QuotedText = lenient.Text(m.Quote.Text)
	}
	if m.SenderBusinessBot != nil { // on the owner's behalf, and not the owner: most likely our own answer
		out.Sender.Bot = true
	}
	out.Addressed = !out.Group || d.addressed(m)
	if out.Group {
		out.Text = d.unaddressed(out.Text)
	}
	return out
}

// sender says who wrote. Channels write as themselves, and anonymous administrators as their group, behind the user ids
// of Telegram's own bots (Bot API, Message.sender_chat).
func (m *message) sender() gateway.Sender {
	switch {
	case m.SenderChat != nil && (m.From == nil || bool(m.From.IsBot) || bool(m.IsAutomaticForward)):
		return gateway.Sender{
			UserID:      decimal(m.SenderChat.ID),
			Username:    lenient.Label(m.SenderChat.Username),
			DisplayName: lenient.Label(m.SenderChat.Title),
			Bot:         bool(m.IsAutomaticForward),
		}
	case m.From != nil && m.From.ID != 0:
		return m.From.sender()
	default:
		return gateway.Sender{}
	}
}

func (u *user) sender() gateway.Sender {
	return gateway.Sender{
		UserID:       decimal(u.ID),
		Username:     lenient.Label(u.Username),
		DisplayName:  lenient.Label(lenient.String(fullName(u.FirstName, u.LastName))),
		LanguageCode: lenient.Clip(u.LanguageCode, 35),
		Bot:          bool(u.IsBot),
	}
}

func fullName(first, last lenient.String) string {
	return strings.TrimSpace(string(first) + " " + string(last))
}

// address says where an answer goes. message_thread_id also numbers threads of replies in ordinary groups, where it is
// not an address; is_topic_message tells the two apart.
func (m *message) address() gateway.Address {
	if m.Chat == nil {
		return nil
	}
	to := gateway.TelegramChat{ID: int64(m.Chat.ID), BusinessConnectionID: lenient.ID(m.BusinessConnectionID)}
	if m.IsTopicMessage {
		to.ThreadID = int64(m.ThreadID)
	}
	return to
}

// echo says that the owner of a business account, or a bot on their behalf, wrote: a private chat has the id of the
// customer, and everybody else in it is the company.
func (m *message) echo() bool {
	if m.BusinessConnectionID == "" || m.Chat == nil || m.From == nil {
		return false
	}
	return m.SenderBusinessBot != nil || (m.Chat.private() && m.From.ID != m.Chat.ID)
}
