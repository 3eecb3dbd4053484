package botapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/knobot/knobot/simulator"
)

// wire is a message of the phone in the Bot API's words.
func (a *API) wire(b *bot, info simulator.ChatInfo, m simulator.Message) map[string]any {
	w := map[string]any{
		"message_id": integer(m.ID), "date": m.Time.Unix(), "from": a.author(b, info, m), "chat": chatValue(info),
	}
	for name, set := range map[string]bool{
		"edit_date":              !m.EditTime.IsZero(),
		"message_thread_id":      m.Thread != 0,
		"is_topic_message":       m.Thread != 0,
		"media_group_id":         m.Album != "",
		"forward_origin":         m.Forwarded,
		"business_connection_id": connectionOf(info.User) != "",
		"sender_business_bot":    connectionOf(info.User) != "" && m.Direction == simulator.Outbound && m.Author == nil,
	} {
		if set {
			w[name] = a.aside(b, info, m, name)
		}
	}
	if quoted, err := a.store.Message(m.Chat, m.ReplyTo); err == nil && m.ReplyTo != "" {
		quoted.ReplyTo, quoted.Quote = "", "" // "will not contain further reply_to_message fields"
		w["reply_to_message"] = a.wire(b, info, quoted)
		if m.Quote != "" {
			w["quote"] = map[string]any{"text": m.Quote, "position": position(quoted.Text, m.Quote), "is_manual": true}
		}
	}
	maps.Copy(w, contentOf(m))
	if markup := markupOf(m.Buttons); markup != nil {
		w["reply_markup"] = markup
	}
	return w
}

// aside is a member that says where a message stands rather than what it says.
func (a *API) aside(b *bot, info simulator.ChatInfo, m simulator.Message, name string) any {
	switch name {
	case "edit_date":
		return m.EditTime.Unix()
	case "message_thread_id":
		return m.Thread
	case "is_topic_message":
		return true
	case "media_group_id":
		return m.Album
	case "business_connection_id":
		return connectionOf(info.User)
	case "sender_business_bot":
		return b.user()
	default:
		return map[string]any{"type": "hidden_user", "date": m.Time.Unix(), "sender_user_name": "Alguien"}
	}
}

// contentOf is what a message says.
func contentOf(m simulator.Message) map[string]any {
	switch {
	case m.Media != nil:
		w := fileParts(m)
		if m.Text != "" {
			w["caption"] = m.Text
		}
		if len(m.Entities) > 0 {
			w["caption_entities"] = m.Entities
		}
		return w
	case len(m.Content) > 0:
		w := map[string]any{wireKind(m.Kind): m.Content}
		var venue struct {
			Location json.RawMessage `json:"location"`
		}
		if m.Kind == "venue" && json.Unmarshal(m.Content, &venue) == nil && venue.Location != nil {
			w["location"] = venue.Location // "for backward compatibility"
		}
		return w
	default:
		w := map[string]any{"text": m.Text}
		if len(m.Entities) > 0 {
			w["entities"] = m.Entities
		}
		return w
	}
}

// wireKind is the Bot API's word for a kind that both platforms have.
func wireKind(kind string) string {
	switch kind {
	case "image":
		return "photo"
	case "contacts":
		return "contact"
	default:
		return kind
	}
}

func fileParts(m simulator.Message) map[string]any {
	f := fileOf(*m.Media)
	kind := wireKind(m.Kind)
	switch kind {
	case "photo":
		f.Width, f.Height, f.Name, f.MIMEType = 800, 600, "", ""
		return map[string]any{kind: []file{f}}
	case "sticker":
		f.Width, f.Height, f.Name, f.MIMEType = 512, 512, "", ""
		return map[string]any{kind: sticker{file: f, Type: "regular", Emoji: "👍"}}
	case "voice":
		f.Duration, f.Name = 3, ""
	case "audio":
		f.Duration = 3
	case "video_note":
		f.Duration, f.Length, f.Name, f.MIMEType = 3, 240, "", ""
	case "video":
		f.Duration, f.Width, f.Height = 3, 640, 360
	case "animation":
		document := f
		f.Duration, f.Width, f.Height = 3, 640, 360
		return map[string]any{kind: f, "document": document} // "for backward compatibility"
	}
	return map[string]any{kind: f}
}

type sticker struct {
	file
	Type     string `json:"type"`
	Animated bool   `json:"is_animated"`
	Video    bool   `json:"is_video"`
	Emoji    string `json:"emoji"`
}

// author is who a message is from. The bot writes in its own name, in a
// business chat in the owner's.
func (a *API) author(b *bot, info simulator.ChatInfo, m simulator.Message) user {
	switch {
	case m.Author != nil:
		return userOf(m.Author.ID, m.Author.Name, m.Author.Username, m.Author.Language)
	case m.Direction == simulator.Inbound:
		return customer(info)
	}
	if connection, ok := a.connection(b, connectionOf(info.User)); ok {
		return owner(connection)
	}
	return b.user()
}

func owner(c simulator.Connection) user { return userOf(c.Owner, c.Name, "", "") }

// customer is the chat's person in the Bot API's words.
func customer(info simulator.ChatInfo) user {
	return userOf(peerOf(info.User), info.Name, info.Username, info.Language)
}

func userOf(id, name, username, language string) user {
	first, last, _ := strings.Cut(name, " ")
	return user{ID: integer(id), FirstName: first, LastName: last, Username: username, Language: language}
}

type chatObject struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	Title     string `json:"title,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
	Forum     bool   `json:"is_forum,omitempty"`
}

func chatValue(info simulator.ChatInfo) chatObject {
	if g := info.Group; g != nil {
		kind := "group"
		if supergroup(g.ID) {
			kind = "supergroup"
		}
		return chatObject{ID: integer(g.ID), Type: kind, Title: g.Title, Forum: g.Thread != 0}
	}
	who := customer(info)
	return chatObject{ID: who.ID, Type: "private", FirstName: who.FirstName, LastName: who.LastName, Username: who.Username}
}

// supergroup tells a supergroup by its id (Bot API, Chat).
func supergroup(id string) bool { return integer(id) < -1_000_000_000_000 }

// connectionOf and peerOf take the name of a business chat apart, which is
// connection:customer.
func connectionOf(user string) string {
	connection, _, ok := strings.Cut(user, ":")
	if !ok {
		return ""
	}
	return connection
}

func peerOf(user string) string { return user[strings.IndexByte(user, ':')+1:] }

// integer reads an id that was checked when it came in.
func integer(id string) int64 {
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}

// position is where a quotation starts, in UTF-16 code units.
func position(text, quote string) int {
	at := max(strings.Index(text, quote), 0)
	units := 0
	for _, r := range text[:at] {
		units++
		if r > 0xffff {
			units++
		}
	}
	return units
}

// linkID stands for the file that Telegram makes of a link.
func linkID(link string) string {
	sum := sha256.Sum256([]byte(link))
	return "AgAC" + hex.EncodeToString(sum[:12])
}
