package conversation

import (
	"strconv"
	"strings"
)

// words are what a description is made of.
type words struct{ location, contact, order string }

func wordsOf(language string) words {
	switch BaseLanguage(language) {
	case "en":
		return words{"Location", "Contact", "Order"}
	case "pt":
		return words{"Localização", "Contato", "Pedido"}
	default:
		return words{"Ubicación", "Contacto", "Pedido"}
	}
}

// describeLocation says in words where a place is, because the answerer reads text.
func describeLocation(l Location, language string) string {
	var names []string
	for _, s := range []string{l.Name, l.Address} {
		if s = strings.TrimSpace(s); s != "" {
			names = append(names, s)
		}
	}
	at := "(" + degrees(l.Latitude) + ", " + degrees(l.Longitude) + ")"
	return wordsOf(language).location + ": " + strings.Join(append(names, at), ", ")
}

func degrees(d float64) string { return strconv.FormatFloat(d, 'f', 6, 64) }

// describeContacts says in words who was shared.
func describeContacts(cards []ContactCard, language string) string {
	lines := make([]string, 0, len(cards))
	for _, c := range cards {
		line := wordsOf(language).contact + ": " + strings.TrimSpace(c.DisplayName)
		if len(c.PhoneNumbers) > 0 {
			line += " (" + strings.Join(c.PhoneNumbers, ", ") + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// describeOrder says in words what was ordered, and under it what the customer wrote along.
func describeOrder(items []OrderItem, note, language string) string {
	lines := []string{wordsOf(language).order + ":"}
	for _, i := range items {
		line := i.ProductID
		if i.Quantity > 0 {
			line = strconv.FormatInt(i.Quantity, 10) + " × " + line
		}
		if price := strings.TrimSpace(i.Price + " " + i.Currency); i.Price != "" {
			line += " (" + price + ")"
		}
		lines = append(lines, line)
	}
	if note = strings.TrimSpace(note); note != "" {
		lines = append(lines, note)
	}
	return strings.Join(lines, "\n")
}
