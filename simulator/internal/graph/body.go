package graph

import (
	"encoding/json"
	"strings"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/entities"
)

// Limits of WhatsApp docs, Service messages and Interactive messages,
// 11 September 2026.
const (
	maxText = 4096
	maxEcho = 512
)

// body is what POST /messages takes.
type body struct {
	Product       string `json:"messaging_product"`
	RecipientType string `json:"recipient_type"`
	To            string `json:"to"`
	Recipient     string `json:"recipient"`
	Type          string `json:"type"`
	Echo          string `json:"biz_opaque_callback_data"`

	// Status and MessageID mark a customer's message as read.
	Status    string          `json:"status"`
	MessageID string          `json:"message_id"`
	Typing    json.RawMessage `json:"typing_indicator"`

	Context     *messageRef     `json:"context"`
	Text        *textBody       `json:"text"`
	Template    *templateBody   `json:"template"`
	Interactive *interactive    `json:"interactive"`
	Reaction    *reactionBody   `json:"reaction"`
	Image       *mediaBody      `json:"image"`
	Document    *mediaBody      `json:"document"`
	Audio       *mediaBody      `json:"audio"`
	Video       *mediaBody      `json:"video"`
	Sticker     *mediaBody      `json:"sticker"`
	Location    json.RawMessage `json:"location"`
	Contacts    json.RawMessage `json:"contacts"`
}

type messageRef struct {
	MessageID string `json:"message_id"`
}

type textBody struct {
	Body string `json:"body"`
}

type reactionBody struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type mediaBody struct {
	ID       string `json:"id"`
	Link     string `json:"link"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
}

// decode reads the body and checks what all kinds share.
func decode(raw []byte) (body, *failure) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, refused(codeParameter, "The request body is not a JSON object of the documented shape")
	}
	switch {
	case b.Product == "":
		return b, parameter("The parameter messaging_product is required.")
	case b.Product != "whatsapp":
		return b, parameter("Param messaging_product must be one of {WHATSAPP} - got %q.", b.Product)
	case b.Type == "":
		b.Type = "text"
	}
	return b, nil
}

// marksRead tells the read call from a message.
func (b body) marksRead() bool { return b.Status != "" }

// check refuses messages that Meta refuses.
func (a *API) check(n simulator.Number, b body) *failure {
	if b.RecipientType != "" && b.RecipientType != "individual" {
		return refused(codeValue, "recipient_type must be individual")
	}
	if entities.Length(b.Echo) > maxEcho {
		return parameter("Param biz_opaque_callback_data must be at most %d characters long.", maxEcho)
	}
	if failed := checkRecipient(b); failed != nil {
		return failed
	}
	switch b.Type {
	case "text":
		return checkText(b.Text)
	case "template":
		return a.checkTemplate(n, b.Template)
	case "interactive":
		return a.checkInteractive(b.Interactive)
	case "reaction":
		return a.checkReaction(n, b.Reaction)
	case "image", "document", "audio", "video", "sticker":
		return a.checkMedia(b.Type, b.file())
	case "location":
		return checkLocation(b.Location)
	case "contacts":
		return present(b.Type, len(b.Contacts) > 0)
	default:
		return parameter("Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, "+
			"STICKER, TEMPLATE, TEXT, VIDEO} - got %q.", b.Type)
	}
}

// checkRecipient wants a phone number with its +. Meta takes one without, puts
// the business's own country code in front and reaches a stranger (WhatsApp
// docs, Service messages, 11 September 2026); here that is an error.
func checkRecipient(b body) *failure {
	phone, plus := strings.CutPrefix(b.To, "+")
	switch {
	case b.To == "" && b.Recipient == "":
		return parameter("The parameter to is required.")
	case b.To == "" && !isUserID(b.Recipient):
		return refused(codeValue, "recipient is not a business-scoped user id")
	case b.To != "" && !plus:
		return refused(codeValue, "to must be a phone number with + and country code: without + it may reach a stranger")
	case b.To != "" && (!digits(phone) || len(phone) < 5 || len(phone) > 20):
		return refused(codeValue, "to is not a phone number")
	}
	return nil
}

// isUserID knows a BSUID: a country code, a point, up to 128 alphanumerics
// (WhatsApp docs, Business-scoped user IDs, 7 May 2026).
func isUserID(s string) bool {
	country, id, ok := strings.Cut(s, ".")
	id = strings.TrimPrefix(id, "ENT.")
	alphanumeric := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
	return ok && len(country) == 2 && id != "" && len(id) <= 128 && strings.TrimFunc(id, alphanumeric) == ""
}

func present(kind string, ok bool) *failure {
	if ok {
		return nil
	}
	return refused(codeMissing, "Parameter '%s' is mandatory for type '%s'", kind, kind)
}

func checkText(t *textBody) *failure {
	switch {
	case t == nil:
		return present("text", false)
	case strings.TrimSpace(t.Body) == "":
		return parameter("The parameter text['body'] is required.")
	case entities.Length(t.Body) > maxText:
		return parameter("Param text['body'] must be at most %d characters long.", maxText)
	}
	return nil
}

func checkLocation(raw json.RawMessage) *failure {
	var place struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
	}
	if len(raw) == 0 {
		return present("location", false)
	}
	if json.Unmarshal(raw, &place) != nil || place.Latitude == nil || place.Longitude == nil {
		return refused(codeMissing, "Parameters 'latitude' and 'longitude' are mandatory for type 'location'")
	}
	return nil
}

func (a *API) checkReaction(n simulator.Number, r *reactionBody) *failure {
	if r == nil {
		return present("reaction", false)
	}
	if _, err := a.store.Locate(simulator.WhatsApp, n.ID, r.MessageID); err != nil {
		return refused(codeValue, "reaction message_id is not a message of this number")
	}
	return nil
}

// file returns the media object of the message's type.
func (b body) file() *mediaBody {
	switch b.Type {
	case "image":
		return b.Image
	case "document":
		return b.Document
	case "audio":
		return b.Audio
	case "video":
		return b.Video
	case "sticker":
		return b.Sticker
	default:
		return nil
	}
}

func (a *API) checkMedia(kind string, file *mediaBody) *failure {
	switch {
	case file == nil:
		return present(kind, false)
	case (file.ID == "") == (file.Link == ""):
		return refused(codeParameter, "Exactly one of id and link is needed in %s", kind)
	case file.Caption != "" && (kind == "audio" || kind == "sticker"):
		return parameter("Param %s['caption'] is not supported.", kind)
	case entities.Length(file.Caption) > maxBody:
		return parameter("Param %s['caption'] must be at most %d characters long.", kind, maxBody)
	case file.Link != "" && !strings.HasPrefix(file.Link, "https://") && !strings.HasPrefix(file.Link, "http://"):
		return refused(codeValue, "link must be an http or https URL")
	}
	if _, ok := a.shelf.Get(file.ID); file.ID != "" && !ok {
		return refused(codeValue, "media id was not uploaded to this number")
	}
	return nil
}
