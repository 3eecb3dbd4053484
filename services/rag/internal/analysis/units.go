package analysis

import "strings"

// unit is the whole word for a unit of measure as people shorten it, the word itself for any other: who asks for "2 kilos" is
// answered by a table in "kg".
func unit(word string) string {
	switch word {
	case "kg", "kgs", "kilo", "kilos":
		return "kilogramo"
	case "gr", "grs":
		return "gramo"
	case "lt", "lts":
		return "litro"
	case "mt", "mts":
		return "metro"
	case "cm", "cms":
		return "centimetro"
	case "hr", "hrs", "hs":
		return "hora"
	case "min", "mins":
		return "minuto"
	}
	return word
}

// measured parts a number from the unit that is written against it: "2kg" is "2 kg", and "qf45" is one word.
func measured(word string) []string {
	letters := strings.TrimLeft(word, "0123456789")
	if len(letters) == len(word) || letters == "" || unit(letters) == letters {
		return []string{unit(word)}
	}
	return []string{word[:len(word)-len(letters)], unit(letters)}
}
