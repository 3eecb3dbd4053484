package conversation

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Subject is a customer as payloads of webhooks name them.
type Subject struct {
	// IDs are BSUIDs or Telegram ids.
	IDs map[string]bool
	// Phones are numbers in digits.
	Phones map[string]bool
	// Messages are WhatsApp's ids of messages from or to them.
	Messages map[string]bool
	// Mention is how others call them on Telegram, with "@"; empty when not known.
	Mention string
}

// Scrubbed is what a payload became.
type Scrubbed struct {
	// Found says that the payload holds something of the customer.
	Found bool
	// Alone says that it holds nothing of anybody else.
	Alone bool
	// Body is the payload without what is the customer's; the rest is as it was, but for the order of fields.
	Body []byte
	// Phones are further numbers of the customer, by which their messages came: theirs of before.
	Phones []string
}

// erasedValue stands where something of an erased customer stood.
const erasedValue = "erased"

// Scrub takes out of a payload what is a customer's. It knows no platform's format: an object is theirs if it bears an id of
// theirs, as WhatsApp's messages, contacts and statuses do, or if a person or chat in it does, as in Telegram's messages. Then
// every value in it goes, texts and names too. A payload that is no JSON is left as it is: such are not stored.
func Scrub(payload []byte, s Subject) Scrubbed {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var root any
	if d.Decode(&root) != nil {
		return Scrubbed{Body: payload}
	}
	w := &scrubber{Subject: s}
	root = w.clean(root)
	if !w.found {
		return Scrubbed{Body: payload}
	}
	body, err := json.Marshal(root)
	if err != nil { // it was JSON before
		return Scrubbed{Found: true, Alone: true}
	}
	return Scrubbed{Found: true, Alone: w.others == 0, Body: body, Phones: w.phones}
}

type scrubber struct {
	Subject
	found bool
	// others counts what is somebody else's.
	others int
	phones []string
}

// clean returns a value without what is the customer's.
func (w *scrubber) clean(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if w.theirs(v) {
			w.found = true
			w.learn(v)
			return blank(v)
		}
		if somebody(v) {
			w.others++
		}
		for k := range v {
			v[k] = w.clean(v[k])
		}
		return v
	case []any:
		for i := range v {
			before, others := w.found, w.others
			w.found = false
			v[i] = w.clean(v[i])
			if !w.found && w.others == others {
				w.others++ // an entry that is not theirs, and names nobody
			}
			w.found = w.found || before
		}
		return v
	case string:
		return w.unnamed(v)
	default:
		return v
	}
}

// theirs reports whether an object is the customer's.
func (w *scrubber) theirs(o map[string]any) bool {
	for k, v := range o {
		if w.names(k, v) {
			return true
		}
		if person, ok := v.(map[string]any); ok && owner(k) && w.names("id", person["id"]) {
			return true
		}
	}
	return false
}

// owner reports whether whoever stands in a field is whose the object is. Others, as who was added to a group or is mentioned,
// stand beside somebody else's words.
func owner(field string) bool {
	switch field {
	case "from", "chat", "user", "sender_user", "sender_chat":
		return true
	default:
		return false
	}
}

// somebody reports whether an object says whose it is.
func somebody(o map[string]any) bool {
	for _, k := range []string{"from", "wa_id", "recipient_id"} {
		if o[k] != nil {
			return true
		}
	}
	return false
}

// names reports whether a field holds an id of the customer.
func (w *scrubber) names(field string, v any) bool {
	var id string
	switch v := v.(type) {
	case json.Number:
		id = v.String()
	case string:
		id = v
	default:
		return false
	}
	if w.Phones[id] || w.Phones[PhoneKey(id)] || w.Phones[plain(id)] || w.Messages[id] {
		return true
	}
	return identifies(field) && w.IDs[id]
}

// identifies reports whether a field may hold the id of a person or a private chat. Telegram's ids are plain numbers, and numbers
// of other things may be the same.
func identifies(field string) bool {
	switch field {
	case "message_id", "update_id", "message_thread_id", "media_group_id", "phone_number_id":
		return false
	default:
		return field == "id" || field == "from" || field == "to" || strings.HasSuffix(field, "_id")
	}
}

// plain returns a number as people write it in the form of ids, empty for what is none.
func plain(s string) string {
	if len(s) > 32 || !strings.HasPrefix(s, "+") {
		return ""
	}
	return strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "").Replace(s)
}

// learn takes the number by which one of their messages came.
func (w *scrubber) learn(o map[string]any) {
	id, _ := o["id"].(string)
	from, _ := o["from"].(string)
	if w.Messages[id] && digits(from) && !w.Phones[from] && !w.IDs[from] {
		w.phones = append(w.phones, from)
	}
}

// unnamed takes unmistakable names of the customer out of somebody else's text.
func (w *scrubber) unnamed(s string) string {
	out := s
	if w.Mention != "" {
		out = strings.ReplaceAll(out, w.Mention, erasedValue)
	}
	for p := range w.Phones {
		if len(p) >= minPhone {
			out = strings.ReplaceAll(out, p, erasedValue)
		}
	}
	w.found = w.found || out != s
	return out
}

// minPhone is how long a run of digits has to be to be nobody else's.
const minPhone = 8

// blank returns a value whose every text and number is gone. Its fields stay, to show what kind of thing it was.
func blank(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = blank(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = blank(v[i])
		}
		return v
	case string:
		return erasedValue
	case json.Number:
		return 0
	default:
		return v
	}
}
