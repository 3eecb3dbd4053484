package telegram

import (
	"encoding/json"

	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// The shapes below name what KnoBot reads of an Update (Bot API 10.3, 24 Aug 2026). Fields are only ever added, so
// everything else is ignored.

type update struct {
	ID                      *lenient.Int     `json:"update_id"`
	Message                 *message         `json:"message"`
	EditedMessage           *message         `json:"edited_message"`
	ChannelPost             *message         `json:"channel_post"`
	EditedChannelPost       *message         `json:"edited_channel_post"`
	BusinessMessage         *message         `json:"business_message"`
	EditedBusinessMessage   *message         `json:"edited_business_message"`
	CallbackQuery           *callbackQuery   `json:"callback_query"`
	DeletedBusinessMessages *deletedMessages `json:"deleted_business_messages"`
	MyChatMember            *memberChange    `json:"my_chat_member"`
	MessageReaction         *reactionChange  `json:"message_reaction"`
}

type reactionChange struct {
	Chat      *chat       `json:"chat"`
	MessageID lenient.Int `json:"message_id"`
	User      *user       `json:"user"`
	Date      lenient.Int `json:"date"`
	New       []struct {
		Type  lenient.String `json:"type"`
		Emoji lenient.String `json:"emoji"`
	} `json:"new_reaction"`
}

type user struct {
	ID           lenient.Int    `json:"id"`
	IsBot        lenient.Bool   `json:"is_bot"`
	FirstName    lenient.String `json:"first_name"`
	LastName     lenient.String `json:"last_name"`
	Username     lenient.String `json:"username"`
	LanguageCode lenient.String `json:"language_code"`
}

type chat struct {
	ID        lenient.Int    `json:"id"`
	Type      lenient.String `json:"type"`
	Title     lenient.String `json:"title"`
	FirstName lenient.String `json:"first_name"`
	LastName  lenient.String `json:"last_name"`
	Username  lenient.String `json:"username"`
}

func (c *chat) private() bool { return c.Type == "private" || (c.Type == "" && c.ID > 0) }

type message struct {
	ID                   lenient.Int      `json:"message_id"`
	ThreadID             lenient.Int      `json:"message_thread_id"`
	IsTopicMessage       lenient.Bool     `json:"is_topic_message"`
	From                 *user            `json:"from"`
	SenderChat           *chat            `json:"sender_chat"`
	SenderBusinessBot    *user            `json:"sender_business_bot"`
	BusinessConnectionID lenient.String   `json:"business_connection_id"`
	Chat                 *chat            `json:"chat"`
	Date                 lenient.Int      `json:"date"`
	EditDate             lenient.Int      `json:"edit_date"`
	MediaGroupID         lenient.String   `json:"media_group_id"`
	Text                 lenient.String   `json:"text"`
	Caption              lenient.String   `json:"caption"`
	Entities             []entity         `json:"entities"`
	CaptionEntities      []entity         `json:"caption_entities"`
	ReplyTo              *repliedMessage  `json:"reply_to_message"`
	Quote                *quote           `json:"quote"`
	ForwardOrigin        *json.RawMessage `json:"forward_origin"`
	ForwardDate          lenient.Int      `json:"forward_date"`
	IsAutomaticForward   lenient.Bool     `json:"is_automatic_forward"`
	MigrateTo            lenient.Int      `json:"migrate_to_chat_id"`
	MigrateFrom          lenient.Int      `json:"migrate_from_chat_id"`
	ReplyMarkup          *replyMarkup     `json:"reply_markup"`
	attachments
}

// repliedMessage is what is read of a message that another one replies to. It does not nest.
type repliedMessage struct {
	ID                lenient.Int      `json:"message_id"`
	From              *user            `json:"from"`
	Text              lenient.String   `json:"text"`
	Caption           lenient.String   `json:"caption"`
	ForumTopicCreated *json.RawMessage `json:"forum_topic_created"`
}

// attachments are the contents of which a message has at most one. An animation also fills document, and a venue
// location, for older clients.
type attachments struct {
	Photo      []file      `json:"photo"`
	Animation  *file       `json:"animation"`
	Video      *file       `json:"video"`
	VideoNote  *file       `json:"video_note"`
	Audio      *file       `json:"audio"`
	Voice      *file       `json:"voice"`
	Document   *file       `json:"document"`
	Sticker    *file       `json:"sticker"`
	Venue      *venue      `json:"venue"`
	Location   *location   `json:"location"`
	Contact    *contact    `json:"contact"`
	WebAppData *webAppData `json:"web_app_data"`
}

type file struct {
	ID       lenient.String `json:"file_id"`
	Name     lenient.String `json:"file_name"`
	MIMEType lenient.String `json:"mime_type"`
	Size     lenient.Int    `json:"file_size"`
	Width    lenient.Int    `json:"width"`
	Height   lenient.Int    `json:"height"`
}

type location struct {
	Latitude  lenient.Float `json:"latitude"`
	Longitude lenient.Float `json:"longitude"`
}

type venue struct {
	Location location       `json:"location"`
	Title    lenient.String `json:"title"`
	Address  lenient.String `json:"address"`
}

type contact struct {
	PhoneNumber lenient.String `json:"phone_number"`
	FirstName   lenient.String `json:"first_name"`
	LastName    lenient.String `json:"last_name"`
}

type webAppData struct {
	Data lenient.String `json:"data"`
}

type quote struct {
	Text lenient.String `json:"text"`
}

// entity marks a part of the text. Offset and length count UTF-16 code units (Bot API, MessageEntity).
type entity struct {
	Type   lenient.String `json:"type"`
	Offset lenient.Int    `json:"offset"`
	Length lenient.Int    `json:"length"`
	User   *user          `json:"user"`
}

type replyMarkup struct {
	InlineKeyboard [][]struct {
		Text         lenient.String `json:"text"`
		CallbackData lenient.String `json:"callback_data"`
	} `json:"inline_keyboard"`
}

type callbackQuery struct {
	ID      lenient.String `json:"id"`
	From    *user          `json:"from"`
	Message *message       `json:"message"`
	Data    lenient.String `json:"data"`
}

type deletedMessages struct {
	BusinessConnectionID lenient.String `json:"business_connection_id"`
	Chat                 *chat          `json:"chat"`
	MessageIDs           []lenient.Int  `json:"message_ids"`
}

type memberChange struct {
	Chat *chat       `json:"chat"`
	Date lenient.Int `json:"date"`
	New  struct {
		Status   lenient.String `json:"status"`
		IsMember lenient.Bool   `json:"is_member"`
	} `json:"new_chat_member"`
}
