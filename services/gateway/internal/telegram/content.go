package telegram

import (
	"encoding/json"
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// fill reads the content of a message and returns Telegram's word for it, or "" if it is none of the known ones.
func (m *message) fill(out *gateway.Message) string {
	if name := m.fillFile(out); name != "" {
		return name
	}
	switch {
	case m.Venue != nil:
		out.Kind, out.Location = gateway.KindLocation, m.Venue.place()
		return "venue"
	case m.Location != nil:
		out.Kind, out.Location = gateway.KindLocation, m.Location.place()
		return "location"
	case m.Contact != nil:
		out.Kind, out.Contacts = gateway.KindContacts, []gateway.ContactCard{m.Contact.card()}
		return "contact"
	case m.WebAppData != nil:
		out.Kind, out.Text = gateway.KindFormReply, lenient.Text(m.WebAppData.Data)
		return "web_app_data"
	case m.Text != "":
		out.Kind = gateway.KindText
		if name, _ := command(out.Text); name != "" {
			out.Kind, out.Command = gateway.KindCommand, name
		}
		return "text"
	default:
		return ""
	}
}

func (m *message) fillFile(out *gateway.Message) string {
	if len(m.Photo) > 0 {
		fillMedia(out, gateway.KindImage, largest(m.Photo))
		out.Media.MIMEType = "image/jpeg" // Telegram sends photos without a type; they are always JPEG.
		return "photo"
	}
	for _, known := range []struct {
		name string
		kind gateway.MessageKind
		file *file
	}{
		{"animation", gateway.KindVideo, m.Animation}, // before document, which repeats it.
		{"video", gateway.KindVideo, m.Video},
		{"video_note", gateway.KindVideo, m.VideoNote},
		{"audio", gateway.KindAudio, m.Audio},
		{"voice", gateway.KindVoice, m.Voice},
		{"document", gateway.KindDocument, m.Document},
		{"sticker", gateway.KindSticker, m.Sticker},
	} {
		if known.file != nil {
			fillMedia(out, known.kind, known.file)
			return known.name
		}
	}
	return ""
}

func fillMedia(out *gateway.Message, kind gateway.MessageKind, f *file) {
	out.Kind = kind
	out.Media = &gateway.Media{
		ID: lenient.ID(f.ID), MIMEType: lenient.ID(f.MIMEType), Filename: lenient.Label(f.Name), SizeBytes: max(0, int64(f.Size)),
	}
}

// largest picks the size of a photo that shows most; the list holds thumbnails too.
func largest(sizes []file) *file {
	best := &sizes[0]
	for i := range sizes {
		if float64(sizes[i].Width)*float64(sizes[i].Height) > float64(best.Width)*float64(best.Height) {
			best = &sizes[i]
		}
	}
	return best
}

func (l *location) place() *gateway.Location {
	return &gateway.Location{Latitude: float64(l.Latitude), Longitude: float64(l.Longitude)}
}

func (v *venue) place() *gateway.Location {
	place := v.Location.place()
	place.Name, place.Address = lenient.Label(v.Title), lenient.Label(v.Address)
	return place
}

func (c *contact) card() gateway.ContactCard {
	return gateway.ContactCard{
		DisplayName:  lenient.Label(lenient.String(fullName(c.FirstName, c.LastName))),
		PhoneNumbers: []string{lenient.ID(c.PhoneNumber)},
	}
}

// notice names a message of unknown content by the field that holds it, and tells the platform's own notices from what a
// person sent.
func notice(out *gateway.Message, field string, body []byte) string {
	var update map[string]json.RawMessage
	_ = lenient.Unmarshal(body, &update)
	name := unnamed(update[field], envelopeFields()...)
	out.Kind = gateway.KindUnsupported
	if service(name) {
		out.Kind = gateway.KindSystem
	}
	return name
}

// envelopeFields are the fields that say who, where and when, not what (Bot API 10.3, Message).
func envelopeFields() []string {
	return []string{
		"message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count",
		"sender_business_bot", "sender_tag", "date", "business_connection_id", "chat", "forward_origin", "forward_from",
		"forward_from_chat", "forward_from_message_id", "forward_signature", "forward_sender_name", "forward_date",
		"is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
		"reply_to_checklist_task_id", "via_bot", "edit_date", "has_protected_content", "is_from_offline", "is_paid_post",
		"media_group_id", "author_signature", "paid_star_count", "text", "entities", "link_preview_options",
		"suggested_post_info", "effect_id", "caption", "caption_entities", "show_caption_above_media", "has_media_spoiler",
		"reply_markup", "guest_query_id",
	}
}

// service says that a field of this name is a service message. The Bot API has no mark for them but their names.
func service(name string) bool {
	for _, word := range []string{
		"new_chat_", "left_chat_", "delete_chat_", "group_chat_", "supergroup_chat_", "channel_chat_", "chat_", "pinned_",
		"message_auto_delete_", "forum_topic_", "general_forum_topic_", "video_chat_", "boost_added", "proximity_alert_",
		"users_shared", "user_shared", "write_access_allowed", "connected_website", "successful_payment",
		"refunded_payment", "giveaway_", "gift", "unique_gift", "direct_message_price_", "suggested_post_", "checklist_tasks_",
	} {
		if strings.HasPrefix(name, word) {
			return true
		}
	}
	return false
}
