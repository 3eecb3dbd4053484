package whatsapp

import (
	"encoding/json"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// message decodes what a customer sent.
func (d *decoder) message(raw json.RawMessage) {
	var m message
	_ = lenient.Unmarshal(raw, &m)
	e, ok := d.begin(&m, raw, "")
	if !ok {
		return
	}
	id, sender := d.contacts.sender(newIdentity(m.From, m.FromUserID))
	if d.system(e, &m) {
		return
	}
	// A group has no address that KnoBot could answer to, and its history must never mix with a private one: recorded only.
	if id.known() && m.GroupID == "" {
		e.Content = m.build(sender, id.user())
	}
	d.emit(e)
}

// echo decodes what the company's own staff wrote on another device (field smb_message_echoes).
func (d *decoder) echo(raw json.RawMessage) {
	var m message
	_ = lenient.Unmarshal(raw, &m)
	e, ok := d.begin(&m, raw, "echo.")
	if !ok {
		return
	}
	if to := newIdentity(m.To, m.ToUserID); to.known() {
		staff := newIdentity(m.From, m.FromUserID)
		built := m.build(gateway.Sender{UserID: lenient.ID(staff.userID), PhoneNumber: lenient.ID(staff.phone)}, to.user())
		built.Echo = true
		e.Content = built
	}
	d.emit(e)
}

// begin makes the event of a message. A message without id cannot be told from its repeat, marked as read or replied to:
// it is recorded by its digest, and begin reports false.
func (d *decoder) begin(m *message, raw json.RawMessage, prefix string) (gateway.Event, bool) {
	e := gateway.Event{Kind: prefix + m.kind(), OccurTime: lenient.Time(m.Timestamp, d.now)}
	if m.ID == "" {
		e.Key = lenient.Digest(raw)
		d.emit(e)
		return e, false
	}
	e.Key = lenient.Key("msg", string(m.ID))
	return e, true
}

// kind is Meta's word for the message, with the second word where the first says little.
func (m *message) kind() string {
	switch {
	case m.GroupID != "":
		return word("group", m.Type)
	case m.Interactive != nil:
		return word(m.Type, m.Interactive.Type)
	case m.System != nil:
		return word(m.Type, m.System.Type)
	case m.Unsupported != nil:
		return word(m.Type, m.Unsupported.Type)
	default:
		return word(m.Type)
	}
}

func (m *message) build(sender gateway.Sender, to gateway.WhatsAppUser) *gateway.Message {
	out := &gateway.Message{ID: lenient.ID(m.ID), Sender: sender, Address: to, Addressed: true}
	m.content.fill(out)
	m.fillSpecial(out)
	m.fillContext(out)
	return out
}

// fill reads text and media.
func (c *content) fill(out *gateway.Message) {
	out.Kind = gateway.KindUnsupported
	switch c.Type {
	case "text":
		if c.Text != nil {
			out.Kind, out.Text = gateway.KindText, lenient.Text(c.Text.Body)
		}
	case "image":
		fillMedia(out, gateway.KindImage, c.Image)
	case "video":
		fillMedia(out, gateway.KindVideo, c.Video)
	case "document":
		fillMedia(out, gateway.KindDocument, c.Document)
	case "sticker":
		fillMedia(out, gateway.KindSticker, c.Sticker)
	case "audio":
		kind := gateway.KindAudio
		if c.Audio != nil && bool(c.Audio.Voice) {
			kind = gateway.KindVoice
		}
		fillMedia(out, kind, c.Audio)
	}
}

// fillMedia takes the file. Without one (Meta sends errors in its place when it could not fetch the file) the kind stands
// alone.
func fillMedia(out *gateway.Message, kind gateway.MessageKind, m *media) {
	out.Kind = kind
	if m == nil {
		return
	}
	out.Text = lenient.Text(m.Caption)
	if m.ID == "" {
		return
	}
	out.Media = &gateway.Media{
		ID: lenient.ID(m.ID), MIMEType: lenient.ID(m.MIMEType), SHA256: lenient.ID(m.SHA256),
		Filename: lenient.Label(m.Filename), SizeBytes: max(0, int64(m.FileSize)),
	}
}

// fillSpecial reads the kinds that are neither text nor a file. A type whose own object is missing stays unsupported.
func (m *message) fillSpecial(out *gateway.Message) {
	switch {
	case m.Type == "location" && m.Location != nil:
		out.Kind = gateway.KindLocation
		out.Location = &gateway.Location{
			Latitude: float64(m.Location.Latitude), Longitude: float64(m.Location.Longitude),
			Name: lenient.Label(m.Location.Name), Address: lenient.Label(m.Location.Address),
		}
	case m.Type == "contacts" && m.Contacts != nil:
		out.Kind, out.Contacts = gateway.KindContacts, cards(m.Contacts)
	case m.Type == "reaction" && m.Reaction != nil:
		out.Kind, out.Text = gateway.KindReaction, lenient.Label(m.Reaction.Emoji)
		out.ReplyToMessageID = lenient.ID(m.Reaction.MessageID)
	case m.Type == "interactive" && m.Interactive != nil:
		m.Interactive.fill(out)
	case m.Type == "button" && m.Button != nil:
		out.Kind, out.Text, out.ButtonID = gateway.KindButtonReply, lenient.Text(m.Button.Text), lenient.ID(m.Button.Payload)
	case m.Type == "order":
		out.Kind = gateway.KindOrder
		if m.Order != nil {
			out.Text, out.OrderItems = lenient.Text(m.Order.Text), m.Order.lines()
		}
	default:
		m.fillNotice(out)
	}
}

// fillNotice reads edits, deletions and what the platform itself says.
func (m *message) fillNotice(out *gateway.Message) {
	switch {
	case m.Type == "edit" && m.Edit != nil:
		m.Edit.Message.fill(out)
		out.Kind, out.OriginalMessageID = gateway.KindEdit, lenient.ID(m.Edit.OriginalMessageID)
	case m.Type == "revoke" && m.Revoke != nil:
		out.Kind, out.OriginalMessageID = gateway.KindDeletion, lenient.ID(m.Revoke.OriginalMessageID)
	case m.Type == "system":
		out.Kind = gateway.KindSystem
		if m.System != nil {
			out.Text = lenient.Text(m.System.Body)
		}
	case m.Type == "request_welcome":
		out.Kind = gateway.KindSystem
	}
}

func (i *interactive) fill(out *gateway.Message) {
	picked := i.ButtonReply
	if picked == nil {
		picked = i.ListReply
	}
	switch {
	case picked != nil:
		out.Kind, out.Text, out.ButtonID = gateway.KindButtonReply, lenient.Text(picked.Title), lenient.ID(picked.ID)
	case i.FormReply != nil:
		out.Kind, out.Text = gateway.KindFormReply, lenient.Text(i.FormReply.data())
	}
}

func (m *message) fillContext(out *gateway.Message) {
	if c := m.Context; c != nil {
		out.Forwarded = bool(c.Forwarded) || bool(c.FrequentlyForwarded)
		if out.ReplyToMessageID == "" {
			out.ReplyToMessageID = lenient.ID(c.ID)
		}
		if c.ReferredProduct != nil {
			out.Referral = &gateway.Referral{SourceID: lenient.ID(c.ReferredProduct.ProductRetailerID)}
		}
	}
	if r := m.Referral; r != nil {
		out.Referral = &gateway.Referral{
			Headline: lenient.Label(r.Headline), Body: lenient.URL(r.Body),
			SourceURL: lenient.URL(r.SourceURL), SourceID: lenient.ID(r.SourceID),
		}
	}
}

// lines are the products of an order; one without an id says nothing.
func (o *order) lines() []gateway.OrderItem {
	const most = 100
	var out []gateway.OrderItem
	for _, i := range o.Items[:min(len(o.Items), most)] {
		if i.ProductRetailerID != "" {
			out = append(out, gateway.OrderItem{
				ProductID: lenient.ID(i.ProductRetailerID), Quantity: max(0, int64(i.Quantity)),
				Price: lenient.Clip(i.ItemPrice, 32), Currency: lenient.Clip(i.Currency, 8),
			})
		}
	}
	return out
}

func cards(list []card) []gateway.ContactCard {
	const most = 100
	out := make([]gateway.ContactCard, 0, min(len(list), most))
	for _, c := range list[:min(len(list), most)] {
		made := gateway.ContactCard{DisplayName: lenient.Label(firstOf(c.Name.FormattedName, c.Name.FirstName))}
		for _, p := range c.Phones[:min(len(c.Phones), most)] {
			made.PhoneNumbers = append(made.PhoneNumbers, lenient.ID(firstOf(p.Phone, p.WaID)))
		}
		out = append(out, made)
	}
	return out
}
