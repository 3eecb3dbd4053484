package botapi

import (
	"encoding/json"
	"net/url"

	"github.com/knobot/knobot/simulator"
)

type inlineKeyboard struct {
	Rows [][]inlineButton `json:"inline_keyboard"`
}

// inlineButton has pointers where absence and emptiness differ.
type inlineButton struct {
	Text   string          `json:"text"`
	Data   *string         `json:"callback_data,omitempty"`
	URL    *string         `json:"url,omitempty"`
	WebApp json.RawMessage `json:"web_app,omitempty"`
	Copy   json.RawMessage `json:"copy_text,omitempty"`
	Switch *string         `json:"switch_inline_query,omitempty"`
}

// keys are the buttons of a message: under it, or in place of the phone's
// keyboard.
type keys struct {
	inline, reply [][]simulator.Button
	// replaces says that reply takes the place of the keyboard before, also when
	// it is empty.
	replaces bool
}

// markup reads reply_markup.
func markup(raw string, info simulator.ChatInfo) (keys, *failure) {
	if raw == "" {
		return keys{}, nil
	}
	var members struct {
		Inline json.RawMessage `json:"inline_keyboard"`
		Reply  json.RawMessage `json:"keyboard"`
		Remove bool            `json:"remove_keyboard"`
		Force  bool            `json:"force_reply"`
	}
	if json.Unmarshal([]byte(raw), &members) != nil {
		return keys{}, badRequest("object expected as reply markup")
	}
	switch {
	case members.Inline != nil:
		rows, failed := inlineRows(members.Inline)
		return keys{inline: rows}, failed
	case members.Reply != nil:
		rows, failed := replyRows(members.Reply, info)
		return keys{reply: rows, replaces: true}, failed
	default:
		return keys{replaces: members.Remove}, nil
	}
}

// inlineMarkup is the markup of an edit, which knows inline keyboards only.
func inlineMarkup(raw string, info simulator.ChatInfo) ([][]simulator.Button, *failure) {
	read, failed := markup(raw, info)
	if failed == nil && read.replaces {
		failed = badRequest("inline keyboard expected")
	}
	return read.inline, failed
}

func inlineRows(rows json.RawMessage) ([][]simulator.Button, *failure) {
	var keyboard inlineKeyboard
	if json.Unmarshal(rows, &keyboard.Rows) != nil {
		return nil, badRequest("can't parse inline keyboard: expected an Array of Array of InlineKeyboardButton")
	}
	total := 0
	buttons := make([][]simulator.Button, 0, len(keyboard.Rows))
	for _, row := range keyboard.Rows {
		shown := make([]simulator.Button, 0, len(row))
		for _, b := range row {
			button, failed := b.check()
			if failed != nil {
				return nil, failed
			}
			shown = append(shown, button)
		}
		total += len(row)
		if len(shown) > 0 {
			buttons = append(buttons, shown)
		}
	}
	if total > maxButtons {
		return nil, badRequest("reply markup is too long")
	}
	return buttons, nil
}

// replyButton is a KeyboardButton, or a text alone.
type replyButton struct {
	Text     string `json:"text"`
	Contact  bool   `json:"request_contact"`
	Location bool   `json:"request_location"`
}

// UnmarshalJSON reads both ways to write a button.
func (b *replyButton) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &b.Text) == nil {
		return nil
	}
	type plain replyButton
	return json.Unmarshal(raw, (*plain)(b))
}

func replyRows(raw json.RawMessage, info simulator.ChatInfo) ([][]simulator.Button, *failure) {
	var rows [][]replyButton
	if json.Unmarshal(raw, &rows) != nil {
		return nil, badRequest("can't parse keyboard: expected an Array of Array of KeyboardButton")
	}
	keyboard := make([][]simulator.Button, 0, len(rows))
	for _, row := range rows {
		shown := make([]simulator.Button, 0, len(row))
		for _, b := range row {
			button := simulator.Button{Text: b.Text}
			switch {
			case b.Text == "":
				return nil, badRequest("can't parse keyboard button: field \"text\" must be non-empty")
			case b.Contact && info.Group != nil:
				return nil, badRequest("phone number can be requested in private chats only")
			case b.Location && info.Group != nil:
				return nil, badRequest("location can be requested in private chats only")
			case b.Contact:
				button.Request = "contact"
			case b.Location:
				button.Request = "location"
			}
			shown = append(shown, button)
		}
		keyboard = append(keyboard, shown)
	}
	return keyboard, nil
}

func (b inlineButton) check() (simulator.Button, *failure) {
	shown := simulator.Button{Text: b.Text}
	switch {
	case b.Text == "":
		return shown, badRequest("can't parse inline keyboard button: field \"text\" must be non-empty")
	case b.Data != nil:
		// "callback_data: 1-64 bytes", bytes of UTF-8.
		if len(*b.Data) < 1 || len(*b.Data) > 64 {
			return shown, badRequest("BUTTON_DATA_INVALID")
		}
		shown.Data = *b.Data
	case b.URL != nil:
		u, err := url.Parse(*b.URL)
		if err != nil || *b.URL == "" || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tg" {
			return shown, badRequest("BUTTON_URL_INVALID")
		}
		shown.URL = *b.URL
	case b.WebApp == nil && b.Copy == nil && b.Switch == nil:
		return shown, badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	}
	return shown, nil
}

// markupOf writes buttons back as the Bot API returns them.
func markupOf(buttons [][]simulator.Button) json.RawMessage {
	if len(buttons) == 0 {
		return nil
	}
	var keyboard inlineKeyboard
	for _, row := range buttons {
		written := make([]inlineButton, 0, len(row))
		for _, b := range row {
			button := inlineButton{Text: b.Text}
			if b.Data != "" {
				button.Data = &b.Data
			}
			if b.URL != "" {
				button.URL = &b.URL
			}
			written = append(written, button)
		}
		keyboard.Rows = append(keyboard.Rows, written)
	}
	raw, err := json.Marshal(keyboard)
	if err != nil { // plain text only
		panic(err)
	}
	return raw
}
