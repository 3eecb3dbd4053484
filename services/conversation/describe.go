package conversation

import (
	"strconv"
	"strings"
)

// words are what a description is made of.
type words struct{ location, contact string }

func wordsOf(language string) words {
	switch BaseLanguage(language) {
	case "en":
		return words{"Location", "Contact"}
	case "pt":
		return words{"Localização", "Contato"}
	default:
		return words{"Ubicación", "Contacto"}
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
