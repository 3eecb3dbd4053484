package graph

import (
	"slices"
	"strings"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/entities"
)

// Limits of WhatsApp docs, Interactive messages, 11 September 2026.
const (
	maxButtons     = 3
	maxButtonTitle = 20
	maxButtonID    = 256
	maxRows        = 10
	maxSections    = 10
	maxRowTitle    = 24
	maxRowID       = 200
	maxRowText     = 72
	maxBody        = 1024
	maxHeader      = 60
)

type interactive struct {
	Type   string       `json:"type"`
	Header *header      `json:"header"`
	Body   *contentPart `json:"body"`
	Footer *contentPart `json:"footer"`
	Action *struct {
		Name     string         `json:"name"`
		Button   string         `json:"button"`
		Buttons  []replyButton  `json:"buttons"`
		Sections []listSection  `json:"sections"`
		Params   map[string]any `json:"parameters"`
	} `json:"action"`
}

// header is a text or a file; lists take text only.
type header struct {
	Type     string     `json:"type"`
	Text     string     `json:"text"`
	Image    *mediaBody `json:"image"`
	Video    *mediaBody `json:"video"`
	Document *mediaBody `json:"document"`
}

func (h *header) file() *mediaBody {
	return templateParameter{Image: h.Image, Video: h.Video, Document: h.Document}.file()
}

type contentPart struct {
	Text string `json:"text"`
}

type replyButton struct {
	Type  string `json:"type"`
	Reply struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"reply"`
}

type listSection struct {
	Title string    `json:"title"`
	Rows  []listRow `json:"rows"`
}

type listRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func (a *API) checkInteractive(i *interactive) *failure {
	switch {
	case i == nil:
		return present("interactive", false)
	case i.Action == nil:
		return refused(codeMissing, "Parameter 'action' is mandatory for interactive messages")
	case i.Body == nil || i.Body.Text == "":
		return refused(codeMissing, "Parameter 'body' is mandatory for interactive type '%s'", i.Type)
	case outside(i.Body.Text, 1, maxBody):
		return refused(codeValue, "Body text length invalid. Min length: 1, Max length: %d", maxBody)
	}
	if failed := a.checkHeader(i); failed != nil {
		return failed
	}
	switch i.Type {
	case "button":
		return checkButtons(i.Action.Buttons)
	case "list":
		return checkList(i.Action.Button, i.Action.Sections)
	case "request_contact_info":
		if i.Action.Name != "request_contact_info" {
			return refused(codeValue, "action name must be request_contact_info")
		}
		return nil
	case "cta_url", "location_request_message", "flow":
		return nil
	default:
		return refused(codeValue, "interactive type '%s' is not supported", i.Type)
	}
}

func (a *API) checkHeader(i *interactive) *failure {
	if i.Header == nil {
		return nil
	}
	file := i.Header.file()
	switch {
	case outside(i.Header.Text, 0, maxHeader):
		return refused(codeValue, "Header text length invalid. Max length: %d", maxHeader)
	case i.Type == "list" && file != nil:
		return refused(codeValue, "Header of a list must be text")
	case file != nil:
		return a.checkMedia(i.Header.Type, file)
	}
	return nil
}

func checkButtons(buttons []replyButton) *failure {
	if len(buttons) < 1 || len(buttons) > maxButtons {
		return refused(codeValue, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: %d", maxButtons)
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for _, b := range buttons {
		switch {
		case b.Type != "reply":
			return refused(codeValue, "Button type must be reply")
		case outside(b.Reply.Title, 1, maxButtonTitle):
			return refused(codeValue, "Button title length invalid. Min length: 1, Max length: %d", maxButtonTitle)
		case outside(b.Reply.ID, 1, maxButtonID):
			return refused(codeValue, "Button id length invalid. Min length: 1, Max length: %d", maxButtonID)
		case ids[b.Reply.ID]:
			return refused(codeValue, "Duplicated button id")
		case titles[b.Reply.Title]:
			return refused(codeValue, "Duplicated button title")
		}
		ids[b.Reply.ID], titles[b.Reply.Title] = true, true
	}
	return nil
}

func checkList(button string, sections []listSection) *failure {
	if outside(button, 1, maxButtonTitle) {
		return refused(codeValue, "Button label length invalid. Min length: 1, Max length: %d", maxButtonTitle)
	}
	if len(sections) < 1 || len(sections) > maxSections {
		return refused(codeValue, "Invalid sections count. Min: 1, Max: %d", maxSections)
	}
	ids := map[string]bool{}
	for _, section := range sections {
		if outside(section.Title, 0, maxRowTitle) || len(sections) > 1 && section.Title == "" {
			return refused(codeValue, "Section title length invalid. Min length: 1, Max length: %d", maxRowTitle)
		}
		if len(section.Rows) == 0 {
			return refused(codeValue, "A section needs at least one row")
		}
		for _, row := range section.Rows {
			if failed := checkRow(row, ids); failed != nil {
				return failed
			}
		}
	}
	if len(ids) > maxRows {
		return refused(codeValue, "Total row count exceed max allowed count: %d", maxRows)
	}
	return nil
}

func checkRow(row listRow, ids map[string]bool) *failure {
	switch {
	case outside(row.ID, 1, maxRowID):
		return refused(codeValue, "Row id length invalid. Min length: 1, Max length: %d", maxRowID)
	case outside(row.Title, 1, maxRowTitle):
		return refused(codeValue, "Row title length invalid. Min length: 1, Max length: %d", maxRowTitle)
	case outside(row.Description, 0, maxRowText):
		return refused(codeValue, "Row description length invalid. Max length: %d", maxRowText)
	case ids[row.ID]:
		return refused(codeValue, "Duplicated row id")
	}
	ids[row.ID] = true
	return nil
}

func outside(text string, least, most int) bool {
	length := entities.Length(text)
	return length < least || length > most
}

// showInteractive puts an interactive message on the phone.
func (a *API) showInteractive(m *simulator.Message, i *interactive) {
	parts := []string{i.Body.Text}
	if i.Header != nil {
		parts = append([]string{i.Header.Text}, parts...)
		if file := i.Header.file(); file != nil {
			a.showFile(m, file)
		}
	}
	if i.Footer != nil {
		parts = append(parts, i.Footer.Text)
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	m.Text, m.Menu = strings.Join(parts, "\n\n"), i.Action.Button
	for _, b := range i.buttons() {
		m.Buttons = append(m.Buttons, []simulator.Button{b})
	}
}

func (i *interactive) buttons() []simulator.Button {
	var buttons []simulator.Button
	for _, b := range i.Action.Buttons {
		buttons = append(buttons, simulator.Button{Text: b.Reply.Title, Data: b.Reply.ID})
	}
	for _, section := range i.Action.Sections {
		for _, row := range section.Rows {
			buttons = append(buttons, simulator.Button{Text: row.Title, Data: row.ID, Description: row.Description})
		}
	}
	switch i.Type {
	case "cta_url":
		url, _ := i.Action.Params["url"].(string)
		title, _ := i.Action.Params["display_text"].(string)
		buttons = append(buttons, simulator.Button{Text: title, URL: url})
	case "request_contact_info":
		buttons = append(buttons, simulator.Button{Text: "Compartir contacto", Data: i.Action.Name, Request: "contact"})
	}
	return buttons
}
