package export

import (
	"time"

	"github.com/knobot/knobot/services/conversation"
)

// The names of fields are a contract with those who read the documents.

type user struct {
	ID          string    `json:"id"`
	Integration string    `json:"integration_id"`
	Platform    string    `json:"platform"`
	Username    string    `json:"username"`
	Email       string    `json:"email"`
	Role        string    `json:"role"`
	DisplayName string    `json:"display_name,omitempty"`
	Blocked     bool      `json:"blocked"`
	CreateTime  time.Time `json:"create_time"`
	Identities  struct {
		PlatformUserID string   `json:"platform_user_id,omitempty"`
		PhoneNumber    string   `json:"phone_number,omitempty"`
		Former         []string `json:"former_platform_user_ids,omitempty"`
	} `json:"identities"`
}

func newUser(u conversation.User, former []string) user {
	out := user{
		ID: string(u.ID), Integration: string(u.Integration), Platform: string(u.Platform), Username: u.Username,
		Email: conversation.Email(u.Username), Role: u.Role, DisplayName: u.DisplayName, Blocked: u.Blocked, CreateTime: u.CreateTime,
	}
	out.Identities.PlatformUserID, out.Identities.PhoneNumber, out.Identities.Former = u.ExternalID, u.Phone, former
	return out
}

type talk struct {
	ID              string            `json:"id"`
	Group           bool              `json:"group"`
	Closed          bool              `json:"closed"`
	Metadata        map[string]string `json:"metadata"`
	CreateTime      time.Time         `json:"create_time"`
	LastMessageTime time.Time         `json:"last_message_time"`
}

func newTalk(c conversation.ExportedConversation) talk {
	return talk{
		ID: string(c.ID), Group: c.Group, Closed: c.Closed, Metadata: c.Metadata(), CreateTime: c.CreateTime,
		LastMessageTime: c.LastMessageTime,
	}
}

type message struct {
	ID                string                          `json:"id"`
	Position          int64                           `json:"position"`
	Role              string                          `json:"role"`
	Kind              string                          `json:"kind"`
	Text              string                          `json:"text"`
	Transcript        string                          `json:"transcript,omitempty"`
	State             string                          `json:"state"`
	PlatformMessageID string                          `json:"platform_message_id,omitempty"`
	ReplyTo           string                          `json:"reply_to_message_id,omitempty"`
	Quoted            string                          `json:"quoted_text,omitempty"`
	CreateTime        time.Time                       `json:"create_time"`
	Feedback          string                          `json:"feedback,omitempty"`
	File              *file                           `json:"file,omitempty"`
	Webhooks          []conversation.WebhookReference `json:"webhooks,omitempty"`
}

type file struct {
	// MediaID is what channels' GetMedia knows it by.
	MediaID   string `json:"media_id,omitempty"`
	MIMEType  string `json:"mime_type,omitempty"`
	Filename  string `json:"filename,omitempty"`
	SizeBytes int64  `json:"size_bytes,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	Error     string `json:"error,omitempty"`
}

func newMessage(m conversation.ExportedMessage) message {
	out := message{
		ID: string(m.ID), Position: m.Position, Role: string(m.Role), Kind: string(m.Kind), Text: m.Text, Transcript: m.Transcript,
		State: string(m.State), PlatformMessageID: m.PlatformMessageID, ReplyTo: m.ReplyToMessageID, Quoted: m.Quoted,
		CreateTime: m.CreateTime, Feedback: feedback(m.Feedback), Webhooks: m.Webhooks,
	}
	if m.Media != nil {
		out.File = &file{
			MediaID: string(m.Media.Stored), MIMEType: m.Media.MIMEType, Filename: m.Media.Filename, SizeBytes: m.Media.SizeBytes,
			SHA256: m.Media.SHA256, Error: m.Media.Error,
		}
	}
	return out
}

func feedback(f conversation.Feedback) string {
	switch f {
	case conversation.Liked:
		return "positive"
	case conversation.Disliked:
		return "negative"
	default:
		return ""
	}
}
