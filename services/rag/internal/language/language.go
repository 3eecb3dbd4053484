// Package language tells which of KnoBot's languages a customer writes in.
package language

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	rag "github.com/knobot/knobot/services/rag"
)

// maxText bounds the work on one text, in bytes.
const maxText = 1000

// Detect returns the language of a text, or the fallback if the text does not tell. Chat messages are short, so the
// commonest words decide, and statistics of letters only where they say nothing.
func Detect(text string, fallback rag.Language) rag.Language {
	text = strings.ToValidUTF8(text[:min(len(text), maxText)], "")
	if lang, ok := byWords(text); ok {
		return lang
	}
	if lang, ok := byLetters(text); ok {
		return lang
	}
	return fallback
}

// byWords counts words and letters that only one of the languages has.
func byWords(text string) (rag.Language, bool) {
	counts := map[rag.Language]int{}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, word := range words {
		counts[owner(word)]++
	}
	if strings.ContainsAny(text, "¿¡") {
		counts[rag.Spanish]++
	}
	best, second, lang := 0, 0, rag.Language("")
	for _, l := range []rag.Language{rag.Spanish, rag.English, rag.Portuguese} {
		switch n := counts[l]; {
		case n > best:
			best, second, lang = n, best, l
		case n > second:
			second = n
		}
	}
	return lang, best > second
}

// owner returns the language that a word belongs to alone, or "".
func owner(word string) rag.Language {
	switch word {
	case "el", "los", "las", "del", "y", "con", "una", "es", "cuánto", "cuanto", "cuál", "cual", "cuándo", "cuando",
		"dónde", "donde", "cómo", "qué", "hola", "gracias", "quiero", "puedo", "tienen", "hay", "pero", "buenas",
		"buenos", "días", "noches", "tardes", "mi", "yo", "adiós", "adios", "envío", "envíos", "está", "también",
		"tambien", "cuesta", "necesito", "ustedes", "pedido", "horario", "precio", "xq", "pa", "chao", "hasta",
		"luego", "muchas", "quién", "quien", "ayer", "hoy", "más", "tienda", "en", "su", "sus", "ese", "eso":
		return rag.Spanish
	case "the", "is", "are", "what", "how", "when", "where", "which", "who", "why", "do", "does", "can", "could",
		"you", "your", "i", "my", "of", "to", "and", "for", "with", "hello", "hi", "hey", "thanks", "thank",
		"please", "it", "have", "much", "many", "long", "there", "this", "that", "bye", "goodbye", "good", "morning",
		"evening", "want", "need", "an", "be", "in", "on", "at", "from", "they", "we", "if", "not":
		return rag.English
	case "os", "um", "uma", "da", "das", "você", "voce", "vocês", "vc", "não", "nao", "em", "na", "quanto", "custa",
		"quando", "onde", "qual", "olá", "ola", "oi", "obrigado", "obrigada", "bom", "boa", "dia", "noite", "tem",
		"têm", "posso", "quero", "meu", "minha", "é", "são", "até", "tchau", "prazo", "frete", "preciso", "quem",
		"ontem", "hoje", "isso", "muito", "mais", "loja", "com", "ao", "aos", "pra", "ou", "eu":
		return rag.Portuguese
	}
	if strings.Contains(word, "ñ") {
		return rag.Spanish
	}
	if strings.ContainsAny(word, "ãõç") {
		return rag.Portuguese
	}
	return ""
}

// enoughWords is from where on the statistics of letters mean anything: in fewer words they see a language in any nonsense.
const enoughWords = 8

// byLetters asks the statistics of letters.
func byLetters(text string) (rag.Language, bool) {
	if len(strings.Fields(text)) < enoughWords {
		return "", false
	}
	info := whatlanggo.DetectWithOptions(text, whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{
		whatlanggo.Spa: true, whatlanggo.Eng: true, whatlanggo.Por: true,
	}})
	if !info.IsReliable() {
		return "", false
	}
	switch info.Lang {
	case whatlanggo.Spa:
		return rag.Spanish, true
	case whatlanggo.Eng:
		return rag.English, true
	case whatlanggo.Por:
		return rag.Portuguese, true
	}
	return "", false
}

// Parse returns the language of a tag such as "pt-BR", and Spanish for what KnoBot does not speak.
func Parse(tag string) rag.Language {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	switch lang := rag.Language(base); lang {
	case rag.English, rag.Portuguese:
		return lang
	}
	return rag.Spanish
}
