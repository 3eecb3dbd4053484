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

// markup reads reply_markup. Of the four kinds only inline keyboards leave a
// mark on the simulated phone.
func markup(raw string) ([][]simulator.Button, *failure) {
	if raw == "" {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &members) != nil {
		return nil, badRequest("object expected as reply markup")
	}
	rows, ok := members["inline_keyboard"]
	if !ok {
		return nil, nil
	}
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
