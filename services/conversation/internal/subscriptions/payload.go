package subscriptions

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/knobot/knobot/services/conversation"
)

// maxBody is how large a payload may be: Standard Webhooks wants it below 20 kB (specification, "Payload size", read 2026-11-26).
const maxBody = 20_000

// payloadVersion is raised when a field changes its meaning or goes; new fields may come at any time.
const payloadVersion = "1"

// payload is what is posted. docs/events.md describes it.
type payload struct {
	Type      conversation.NoticeType `json:"type"`
	Version   string                  `json:"version"`
	Timestamp time.Time               `json:"timestamp"`
	Data      data                    `json:"data"`
}

type data struct {
	IntegrationID  conversation.IntegrationID `json:"integration_id"`
	Platform       conversation.Platform      `json:"platform"`
	ConversationID conversation.ID            `json:"conversation_id"`
	UserID         conversation.UserID        `json:"user_id,omitempty"`
	Message        *message                   `json:"message,omitempty"`
	HandOver       *handOver                  `json:"hand_over,omitempty"`
}

type message struct {
	ID                conversation.MessageID    `json:"id"`
	Position          int64                     `json:"position"`
	Role              conversation.Role         `json:"role"`
	Kind              conversation.MessageKind  `json:"kind"`
	Text              string                    `json:"text"`
	TextTruncated     bool                      `json:"text_truncated,omitempty"`
	State             conversation.MessageState `json:"state"`
	Error             string                    `json:"error,omitempty"`
	Outcome           string                    `json:"outcome,omitempty"`
	PlatformMessageID string                    `json:"platform_message_id,omitempty"`
	CreateTime        time.Time                 `json:"create_time"`
}

type handOver struct {
	Cause  string `json:"cause"`
	Staff  string `json:"staff,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// body writes what is posted. A text that is too long is cut.
func body(t conversation.Telling) ([]byte, error) {
	p := payload{
		Type: t.Type, Version: payloadVersion, Timestamp: t.CreateTime.UTC(),
		Data: data{IntegrationID: t.Integration, Platform: t.Platform, ConversationID: t.Conversation, UserID: t.User, Message: messageOf(t.About)},
	}
	if t.Cause != "" {
		p.Data.HandOver = &handOver{Cause: t.Cause, Staff: t.Staff, Reason: t.Reason}
	}
	for {
		b, err := json.Marshal(p)
		if err != nil || len(b) <= maxBody || p.Data.Message == nil || p.Data.Message.Text == "" {
			return b, err
		}
		p.Data.Message.Text = firstHalf(p.Data.Message.Text)
		p.Data.Message.TextTruncated = true
	}
}

func messageOf(m conversation.Message) *message {
	if m.ID == "" {
		return nil
	}
	out := &message{
		ID: m.ID, Position: m.Position, Role: m.Role, Kind: m.Kind, Text: m.Text, State: m.State, Error: m.Error,
		PlatformMessageID: m.PlatformMessageID, CreateTime: m.CreateTime.UTC(),
	}
	if text := []rune(m.Text); len(text) > conversation.MaxToldText {
		out.Text, out.TextTruncated = string(text[:conversation.MaxToldText]), true
	}
	if m.Basis != nil {
		out.Outcome = m.Basis.Outcome
	}
	return out
}

// firstHalf cuts a text at a character.
func firstHalf(s string) string {
	cut := len(s) / 2
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
