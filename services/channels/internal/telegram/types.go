package telegram

import (
	"cmp"
	"strconv"

	"github.com/knobot/knobot/services/channels"
)

// maxConnections is Telegram's own default of simultaneous webhook calls.
const maxConnections = 40

// allowedUpdates are the kinds that KnoBot acts upon. They are always sent: a setWebhook without them keeps the old ones.
func allowedUpdates() []string {
	return []string{
		"message", "edited_message", "callback_query", "my_chat_member", "message_reaction",
		"business_connection", "business_message", "edited_business_message", "deleted_business_messages",
	}
}

// destination is where a message or an action goes.
type destination struct {
	BusinessConnectionID string `json:"business_connection_id,omitempty"`
	ChatID               int64  `json:"chat_id"`
	MessageThreadID      int64  `json:"message_thread_id,omitempty"`
}

func destinationOf(c channels.TelegramChat) destination {
	return destination{BusinessConnectionID: c.BusinessConnectionID, ChatID: c.ID, MessageThreadID: c.ThreadID}
}

// message is the parameters of sendMessage and of the methods that send a file, whose own parameter is named as the file's
// kind and added when it is known.
type message struct {
	destination
	Text      string       `json:"text,omitempty"`
	Caption   string       `json:"caption,omitempty"`
	ParseMode string       `json:"parse_mode,omitempty"`
	Preview   *linkPreview `json:"link_preview_options,omitempty"`
	Reply     *reply       `json:"reply_parameters,omitempty"`
	// Markup is an *inlineKeyboard or a *replyKeyboard.
	Markup any `json:"reply_markup,omitempty"`
}

type linkPreview struct {
	Disabled bool `json:"is_disabled"`
}

type reply struct {
	MessageID    int64 `json:"message_id"`
	AllowWithout bool  `json:"allow_sending_without_reply"`
}

// replyTo quotes a message; nil for an id that is none of Telegram's.
func replyTo(messageID string) *reply {
	id, err := strconv.ParseInt(messageID, 10, 64)
	if err != nil || id <= 0 {
		return nil
	}
	return &reply{MessageID: id, AllowWithout: true}
}

type inlineKeyboard struct {
	Rows [][]inlineButton `json:"inline_keyboard"`
}

type inlineButton struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

// maxCallbackData is in bytes, not characters.
const maxCallbackData = 64

// keyboard returns the buttons as rows of an inline keyboard.
func keyboard(rows [][]channels.Button) (inlineKeyboard, error) {
	var out inlineKeyboard
	for _, row := range rows {
		var line []inlineButton
		for _, b := range row {
			if b.Title == "" || b.ID == "" || len(b.ID) > maxCallbackData {
				return inlineKeyboard{}, &channels.SendError{
					Class: channels.ClassInvalid, Message: "a Telegram button needs a title and an id of 1 to 64 bytes",
				}
			}
			line = append(line, inlineButton{Text: b.Title, Data: b.ID})
		}
		if len(line) > 0 {
			out.Rows = append(out.Rows, line)
		}
	}
	return out, nil
}

// replyKeyboard stands in place of the customer's own until it is used.
type replyKeyboard struct {
	Rows    [][]replyButton `json:"keyboard"`
	Resize  bool            `json:"resize_keyboard"`
	OneTime bool            `json:"one_time_keyboard"`
}

type replyButton struct {
	Text           string `json:"text"`
	RequestContact bool   `json:"request_contact"`
}

// shareNumber is the label of the button that shares the phone number. It is Spanish, as the product is, because a send does
// not say in which language the conversation is.
const shareNumber = "Compartir mi número"

// contactKeyboard asks for the phone number; in private chats only (Bot API 10.1, KeyboardButton).
func contactKeyboard(r channels.ContactRequest) *replyKeyboard {
	return &replyKeyboard{
		Rows:   [][]replyButton{{{Text: cmp.Or(r.ButtonTitle, shareNumber), RequestContact: true}}},
		Resize: true, OneTime: true,
	}
}

// reactionChange is the parameters of setMessageReaction. Without reactions ours is taken away.
type reactionChange struct {
	ChatID    int64           `json:"chat_id"`
	MessageID int64           `json:"message_id"`
	Reactions []emojiReaction `json:"reaction"`
}

type emojiReaction struct {
	Type  string `json:"type"`
	Emoji string `json:"emoji"`
}

// chatAction is the parameters of sendChatAction.
type chatAction struct {
	destination
	Action string `json:"action"`
}

// draft is the parameters of sendMessageDraft.
type draft struct {
	ChatID          int64  `json:"chat_id"`
	MessageThreadID int64  `json:"message_thread_id,omitempty"`
	DraftID         int64  `json:"draft_id"`
	Text            string `json:"text"`
	ParseMode       string `json:"parse_mode,omitempty"`
}

// callbackAnswer is the parameters of answerCallbackQuery.
type callbackAnswer struct {
	CallbackQueryID string `json:"callback_query_id"`
	Text            string `json:"text,omitempty"`
}

// webhook is the parameters of setWebhook.
type webhook struct {
	URL            string   `json:"url"`
	SecretToken    string   `json:"secret_token,omitempty"`
	MaxConnections int      `json:"max_connections"`
	AllowedUpdates []string `json:"allowed_updates"`
}

// webhookInfo is the result of getWebhookInfo, as far as we use it.
type webhookInfo struct {
	URL                string   `json:"url"`
	IPAddress          string   `json:"ip_address"`
	PendingUpdateCount int      `json:"pending_update_count"`
	LastErrorDate      int64    `json:"last_error_date"`
	LastErrorMessage   string   `json:"last_error_message"`
	MaxConnections     int      `json:"max_connections"`
	AllowedUpdates     []string `json:"allowed_updates"`
}

// user is the result of getMe, as far as we use it.
type user struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	// ReadsGroups says that privacy mode is off.
	ReadsGroups bool `json:"can_read_all_group_messages"`
}
