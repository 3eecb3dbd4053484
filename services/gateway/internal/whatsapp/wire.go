package whatsapp

import (
	"bytes"
	"encoding/json"

	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// The shapes below name what KnoBot reads of Meta's webhooks (WhatsApp docs, Webhooks overview and reference, 11 Sep 2026;
// Business-scoped user IDs, 7 May 2026). Elements of lists stay raw, so that a malformed one costs itself alone.

type envelope struct {
	Object lenient.String `json:"object"`
	Entry  []struct {
		Changes []change `json:"changes"`
	} `json:"entry"`
}

type change struct {
	Field lenient.String  `json:"field"`
	Value json.RawMessage `json:"value"`
}

type value struct {
	Metadata struct {
		PhoneNumberID lenient.String `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts      []contact         `json:"contacts"`
	Messages      []json.RawMessage `json:"messages"`
	MessageEchoes []json.RawMessage `json:"message_echoes"`
	Statuses      []json.RawMessage `json:"statuses"`
	Errors        []json.RawMessage `json:"errors"`
	UserIDUpdates []json.RawMessage `json:"user_id_update"`
}

func (v *value) size() int {
	return len(v.Messages) + len(v.MessageEchoes) + len(v.Statuses) + len(v.Errors) + len(v.UserIDUpdates)
}

type contact struct {
	WaID    lenient.String `json:"wa_id"`
	UserID  lenient.String `json:"user_id"`
	Profile struct {
		Name     lenient.String `json:"name"`
		Username lenient.String `json:"username"`
	} `json:"profile"`
}

type message struct {
	ID         lenient.String `json:"id"`
	From       lenient.String `json:"from"`
	FromUserID lenient.String `json:"from_user_id"`
	To         lenient.String `json:"to"`
	ToUserID   lenient.String `json:"to_user_id"`
	GroupID    lenient.String `json:"group_id"`
	Timestamp  lenient.Int    `json:"timestamp"`
	content
	Context     *messageContext `json:"context"`
	Referral    *referral       `json:"referral"`
	Location    *location       `json:"location"`
	Contacts    []card          `json:"contacts"`
	Reaction    *reaction       `json:"reaction"`
	Interactive *interactive    `json:"interactive"`
	Button      *button         `json:"button"`
	Order       *order          `json:"order"`
	System      *system         `json:"system"`
	Edit        *edit           `json:"edit"`
	Revoke      *revoke         `json:"revoke"`
	Unsupported *unsupported    `json:"unsupported"`
}

// content is what a message and the new version of an edited one have in common.
type content struct {
	Type     lenient.String `json:"type"`
	Text     *text          `json:"text"`
	Image    *media         `json:"image"`
	Video    *media         `json:"video"`
	Audio    *media         `json:"audio"`
	Document *media         `json:"document"`
	Sticker  *media         `json:"sticker"`
}

type text struct {
	Body lenient.String `json:"body"`
}

type media struct {
	ID       lenient.String `json:"id"`
	MIMEType lenient.String `json:"mime_type"`
	SHA256   lenient.String `json:"sha256"`
	Filename lenient.String `json:"filename"`
	Caption  lenient.String `json:"caption"`
	FileSize lenient.Int    `json:"file_size"`
	Voice    lenient.Bool   `json:"voice"`
}

type messageContext struct {
	ID                  lenient.String   `json:"id"`
	Forwarded           lenient.Bool     `json:"forwarded"`
	FrequentlyForwarded lenient.Bool     `json:"frequently_forwarded"`
	ReferredProduct     *referredProduct `json:"referred_product"`
}

type referredProduct struct {
	ProductRetailerID lenient.String `json:"product_retailer_id"`
}

type referral struct {
	Headline  lenient.String `json:"headline"`
	Body      lenient.String `json:"body"`
	SourceURL lenient.String `json:"source_url"`
	SourceID  lenient.String `json:"source_id"`
}

type location struct {
	Latitude  lenient.Float  `json:"latitude"`
	Longitude lenient.Float  `json:"longitude"`
	Name      lenient.String `json:"name"`
	Address   lenient.String `json:"address"`
}

type card struct {
	Name struct {
		FormattedName lenient.String `json:"formatted_name"`
		FirstName     lenient.String `json:"first_name"`
	} `json:"name"`
	Phones []struct {
		Phone lenient.String `json:"phone"`
		WaID  lenient.String `json:"wa_id"`
	} `json:"phones"`
}

type reaction struct {
	MessageID lenient.String `json:"message_id"`
	Emoji     lenient.String `json:"emoji"`
}

type interactive struct {
	Type        lenient.String `json:"type"`
	ButtonReply *choice        `json:"button_reply"`
	ListReply   *choice        `json:"list_reply"`
	FormReply   *formReply     `json:"nfm_reply"`
}

type choice struct {
	ID    lenient.String `json:"id"`
	Title lenient.String `json:"title"`
}

// formReply keeps its data raw: it is documented as JSON in a string, and objects and null were seen (channel notes 1.4).
type formReply struct {
	Body         lenient.String  `json:"body"`
	ResponseJSON json.RawMessage `json:"response_json"`
}

func (f *formReply) data() lenient.String {
	if len(f.ResponseJSON) > 0 && (f.ResponseJSON[0] == '{' || f.ResponseJSON[0] == '[') {
		var compact bytes.Buffer
		_ = json.Compact(&compact, f.ResponseJSON) // valid JSON, for the whole body is.
		return lenient.String(lenient.Clean(compact.String()))
	}
	var s lenient.String
	if err := lenient.Unmarshal(f.ResponseJSON, &s); err != nil || s == "" {
		return f.Body
	}
	return s
}

type button struct {
	Text    lenient.String `json:"text"`
	Payload lenient.String `json:"payload"`
}

type order struct {
	Text  lenient.String `json:"text"`
	Items []orderItem    `json:"product_items"`
}

type orderItem struct {
	ProductRetailerID lenient.String `json:"product_retailer_id"`
	Quantity          lenient.Int    `json:"quantity"`
	ItemPrice         lenient.String `json:"item_price"`
	Currency          lenient.String `json:"currency"`
}

type system struct {
	Type           lenient.String `json:"type"`
	Body           lenient.String `json:"body"`
	WaID           lenient.String `json:"wa_id"`
	NewWaID        lenient.String `json:"new_wa_id"`
	UserID         lenient.String `json:"user_id"`
	PreviousUserID lenient.String `json:"previous_user_id"`
}

type edit struct {
	OriginalMessageID lenient.String `json:"original_message_id"`
	Message           content        `json:"message"`
}

type revoke struct {
	OriginalMessageID lenient.String `json:"original_message_id"`
}

type unsupported struct {
	Type lenient.String `json:"type"`
}

type status struct {
	ID        lenient.String `json:"id"`
	Status    lenient.String `json:"status"`
	Timestamp lenient.Int    `json:"timestamp"`
	Echo      lenient.String `json:"biz_opaque_callback_data"`
	Pricing   struct {
		Billable lenient.Bool   `json:"billable"`
		Category lenient.String `json:"category"`
		Model    lenient.String `json:"pricing_model"`
		Type     lenient.String `json:"type"`
	} `json:"pricing"`
	Errors []statusError `json:"errors"`
}

type statusError struct {
	Code      lenient.Int    `json:"code"`
	Title     lenient.String `json:"title"`
	ErrorData struct {
		Details lenient.String `json:"details"`
	} `json:"error_data"`
}

type userIDUpdate struct {
	Timestamp lenient.Int `json:"timestamp"`
	UserID    struct {
		Previous lenient.String `json:"previous"`
		Current  lenient.String `json:"current"`
	} `json:"user_id"`
}
