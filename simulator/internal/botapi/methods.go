package botapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// method is one method of the Bot API.
type method struct {
	name string
	// required lists what the Bot API's documentation marks so.
	required []string
	// sends says that the method puts a message on the phone.
	sends bool
	run   func(*bot, arguments) (result, *failure)
}

// table lists the methods that the simulator knows, by their name in small
// letters.
func (a *API) table() map[string]method {
	all := []method{
		{name: "getMe", run: a.getMe},
		{name: "setWebhook", required: []string{"url"}, run: a.setWebhook},
		{name: "deleteWebhook", run: a.deleteWebhook},
		{name: "getWebhookInfo", run: a.getWebhookInfo},
		{name: "getUpdates", run: a.getUpdates},
		{name: "setMyCommands", required: []string{"commands"}, run: confirm},
		{name: "sendMessage", required: []string{"chat_id", "text"}, sends: true, run: a.sendMessage},
		{name: "sendMessageDraft", required: []string{"chat_id", "draft_id"}, run: a.sendMessageDraft},
		{name: "sendChatAction", required: []string{"chat_id", "action"}, run: a.sendChatAction},
		{name: "editMessageText", run: a.editMessageText},
		{name: "editMessageReplyMarkup", run: a.editMessageReplyMarkup},
		{name: "setMessageReaction", required: []string{"chat_id", "message_id"}, run: a.setMessageReaction},
		{name: "answerCallbackQuery", required: []string{"callback_query_id"}, run: a.answerCallbackQuery},
		{name: "getFile", required: []string{"file_id"}, run: a.getFile},
	}
	for name, kind := range map[string]string{
		"sendPhoto": "photo", "sendDocument": "document", "sendVideo": "video", "sendAudio": "audio", "sendVoice": "voice",
		"sendSticker": "sticker", "sendAnimation": "animation", "sendVideoNote": "video_note",
	} {
		all = append(all, method{name: name, required: []string{"chat_id", kind}, sends: true, run: a.sendFile(kind)})
	}
	table := make(map[string]method, len(all))
	for _, m := range all {
		table[strings.ToLower(m.name)] = m
	}
	return table
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
	Language  string `json:"language_code,omitempty"`
}

func (b *bot) user() user {
	id, _ := strconv.ParseInt(b.ID, 10, 64) // the token's shape was checked
	return user{ID: id, IsBot: true, FirstName: b.Name, Username: b.Username}
}

func (a *API) getMe(b *bot, _ arguments) (result, *failure) {
	return result{value: struct {
		user
		CanJoinGroups  bool `json:"can_join_groups"`
		ReadsAllGroups bool `json:"can_read_all_group_messages"`
		Inline         bool `json:"supports_inline_queries"`
	}{b.user(), true, true, false}}, nil // privacy mode is off: it reads whole groups
}

func (a *API) getUpdates(b *bot, _ arguments) (result, *failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b.hook.url != "" {
		return result{}, &failure{
			code: http.StatusConflict,
			description: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the " +
				"webhook first",
		}
	}
	return result{value: []any{}}, nil // the simulator delivers by webhook only
}

func confirm(*bot, arguments) (result, *failure) { return result{value: true}, nil }

// chatAction keeps a typing indicator alive for 5 seconds (Bot API,
// sendChatAction).
const chatAction = 5 * time.Second

func (a *API) sendChatAction(b *bot, args arguments) (result, *failure) {
	switch args.get("action") {
	case "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
		"choose_sticker", "find_location", "record_video_note", "upload_video_note":
	default:
		return result{}, badRequest("wrong parameter action in request")
	}
	info, failed := a.reachable(b, args)
	if failed != nil {
		return result{}, failed
	}
	a.store.Typing(info.Chat, time.Now().Add(chatAction))
	return result{value: true}, nil
}

// callbackLife is how long a button press waits for its answer; the message of
// the refusal tells it.
const callbackLife = 5 * time.Minute

func (a *API) answerCallbackQuery(b *bot, args arguments) (result, *failure) {
	text := args.get("text")
	if len([]rune(text)) > 200 {
		return result{}, badRequest("MESSAGE_TOO_LONG")
	}
	id := args.get("callback_query_id")
	a.mu.Lock()
	waiting, ok := b.callbacks[id]
	delete(b.callbacks, id)
	a.mu.Unlock()
	if !ok || time.Since(waiting.time) > callbackLife {
		return result{}, missing("callback_query_id")
	}
	a.store.Notice(waiting.chat, text, args.truth("show_alert"))
	return result{value: true}, nil
}
