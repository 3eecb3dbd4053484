package conversation

import (
	"encoding/json"
	"strings"
)

// readableForm writes what a customer filled in as lines "name: value", in the order of the form. What is no JSON object stays
// as it is: a Telegram web app may send anything.
func readableForm(data string) string {
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') || !json.Valid([]byte(data)) {
		return data
	}
	var lines []string
	for d.More() { // nothing fails any more: all of it is JSON
		name, _ := d.Token()
		var value any
		_ = d.Decode(&value)
		if line := formLine(name, value); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// flowToken is WhatsApp's own, not the customer's.
const flowToken = "flow_token"

func formLine(name json.Token, value any) string {
	label, _ := name.(string)
	text := formValue(value)
	if label == "" || label == flowToken || text == "" {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(label, "_", " ")) + ": " + text
}

// formValue writes a value in one line.
func formValue(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strings.Join(strings.Fields(v), " ")
	case []any:
		var parts []string
		for _, part := range v {
			if s := formValue(part); s != "" {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, ", ")
	default:
		plain, err := json.Marshal(v)
		if err != nil { // what was decoded has a form
			return ""
		}
		return string(plain)
	}
}
