// Package smalltalk recognises messages that only greet, thank or say goodbye.
package smalltalk

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Kind is a kind of small talk.
type Kind int

// The kinds.
const (
	None Kind = iota
	Greeting
	Thanks
	Farewell
)

// maxWords is the length beyond which a message is no small talk.
const maxWords = 8

// Recognise returns the kind of a message that is small talk and nothing else; "hola, ¿cuánto cuesta?" is a question.
func Recognise(text string) Kind {
	words := split(text)
	if len(words) == 0 || len(words) > maxWords {
		return None
	}
	var found Kind
	for _, word := range words {
		kind, known := lookup(word)
		if !known {
			return None
		}
		// Thanks weigh more than the greeting around them, and a farewell more than both.
		found = max(found, kind)
	}
	return found
}

// split returns the lower-case words without accents, stretched letters shortened ("holaaa").
func split(text string) []string {
	if len(text) > 200 {
		return nil
	}
	var out strings.Builder
	var last rune
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r):
			r = ' '
			if last == ' ' {
				continue
			}
		case r == last && r != 'l' && r != 'r' && r != 'o' && r != 'e' && r != 's':
			continue
		}
		out.WriteRune(r)
		last = r
	}
	return strings.Fields(squeeze(out.String()))
}

// squeeze shortens three and more of the same letter to one.
func squeeze(s string) string {
	runes := []rune(s)
	var out []rune
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && runes[j] == runes[i] {
			j++
		}
		if n := j - i; n < 3 {
			out = append(out, runes[i:j]...)
		} else {
			out = append(out, runes[i])
		}
		i = j
	}
	return string(out)
}

// lookup knows the words of small talk; fillers are known and have no kind of their own.
func lookup(word string) (kind Kind, known bool) {
	switch word {
	case "hola", "holi", "holis", "ola", "oi", "hello", "helo", "hi", "hey", "hei", "buenas", "buenos", "buen", "saludos",
		"alo", "bom", "boa", "good", "tal", "estas", "estan", "start":
		return Greeting, true
	case "gracias", "grax", "grcs", "thanks", "thank", "thx", "obrigado", "obrigada", "valeu", "agradezco", "agradecido",
		"agradecida", "ok", "okay", "listo", "perfecto", "genial", "excelente", "great", "perfect", "perfeito", "otimo":
		return Thanks, true
	case "adios", "chao", "chau", "bye", "goodbye", "tchau", "vemos", "luego", "cuidate", "hasta", "ate":
		return Farewell, true
	case "dias", "tardes", "noches", "dia", "tarde", "noite", "morning", "afternoon", "evening", "day", "night", "que",
		"como", "esta", "muy", "muchas", "muchisimas", "mil", "muito", "very", "much", "so", "you", "how", "are", "todo",
		"bien", "tudo", "bem", "y", "e", "and", "a", "todos", "todas", "por", "pela", "la", "el", "su", "tu", "ayuda", "atencion",
		"the", "for", "your", "help", "amigo", "amiga", "amigos", "bot", "knobot", "vale", "super", "manana", "amanha", "logo",
		"mais", "ajuda", "there", "muchos", "igualmente", "feliz", "lindo", "linda", "no", "si", "nos", "pronto", "mas":
		return None, true
	}
	return None, false
}
