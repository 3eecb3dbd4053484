// Package phrase holds the sentences that KnoBot says in its own words, in every language it speaks.
package phrase

import (
	"fmt"
	"strings"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/smalltalk"
)

// Phrases are the sentences of one language.
type Phrases struct {
	unknown, unclear, human  string
	unsure                   string
	person, account, outside string
	hello, welcome, farewell string
	source, sources          string
}

// In returns the sentences of a language.
func In(lang rag.Language) Phrases {
	switch lang {
	case rag.English:
		return Phrases{
			unknown:  "I'm sorry, I don't know: I found nothing about it in my documents. Could you ask it in other words?",
			unsure:   "I'm not sure, but this may answer your question:",
			unclear:  "I didn't understand your message. Could you write your question in words?",
			human:    "You can also reach a person: %s",
			person:   "Of course, this is how you reach a person: %s",
			account:  "That depends on your own data, which I cannot see.",
			outside:  "I can only help with questions about this company.",
			hello:    "Hello! How can I help you?",
			welcome:  "You're welcome! I'm here if you need anything else.",
			farewell: "Goodbye! Write whenever you like.",
			source:   "Source", sources: "Sources",
		}
	case rag.Portuguese:
		return Phrases{
			unknown:  "Desculpe, não sei: não encontrei nada sobre isso nos meus documentos. Pode perguntar com outras palavras?",
			unsure:   "Não tenho certeza, mas isto pode responder à sua pergunta:",
			unclear:  "Não entendi a sua mensagem. Pode escrever a pergunta com palavras?",
			human:    "Você também pode falar com uma pessoa: %s",
			person:   "Claro, assim você fala com uma pessoa: %s",
			account:  "Isso depende dos seus dados, que eu não posso ver.",
			outside:  "Só posso ajudar com perguntas sobre esta empresa.",
			hello:    "Olá! Em que posso ajudar?",
			welcome:  "De nada! Estou aqui se precisar de mais alguma coisa.",
			farewell: "Até logo! Escreva quando quiser.",
			source:   "Fonte", sources: "Fontes",
		}
	}
	return Phrases{
		unknown:  "Lo siento, no lo sé: no encontré nada sobre eso en mis documentos. ¿Puedes preguntarlo con otras palabras?",
		unsure:   "No estoy seguro, pero esto podría responder a tu pregunta:",
		unclear:  "No entendí tu mensaje. ¿Puedes escribir tu pregunta con palabras?",
		human:    "También puedes hablar con una persona: %s",
		person:   "Claro, así puedes hablar con una persona: %s",
		account:  "Eso depende de tus propios datos, que no puedo ver.",
		outside:  "Solo puedo ayudarte con preguntas sobre esta empresa.",
		hello:    "¡Hola! ¿En qué puedo ayudarte?",
		welcome:  "¡Con gusto! Aquí estoy si necesitas algo más.",
		farewell: "¡Hasta luego! Escribe cuando quieras.",
		source:   "Fuente", sources: "Fuentes",
	}
}

// Unknown says that nothing relevant was found, and offers the contact if there is one.
func (p Phrases) Unknown(contact string) string { return p.offering(p.unknown, contact) }

// Unclear says that the message holds no question, and offers the contact if there is one.
func (p Phrases) Unclear(contact string) string { return p.offering(p.unclear, contact) }

// Unsure puts before an answer that it may be none, and after it the contact if there is one.
func (p Phrases) Unsure(answer, contact string) string {
	text := p.unsure + "\n\n" + answer
	if contact = strings.TrimSpace(contact); contact != "" {
		text += "\n\n" + fmt.Sprintf(p.human, contact)
	}
	return text
}

// Person says how to reach one, "" where nobody is named.
func (p Phrases) Person(contact string) string {
	if contact = strings.TrimSpace(contact); contact == "" {
		return ""
	}
	return fmt.Sprintf(p.person, contact)
}

// Account says that the customer's own data are asked for, and offers the contact if there is one.
func (p Phrases) Account(contact string) string { return p.offering(p.account, contact) }

// Outside says that this is nothing for a company's customer service.
func (p Phrases) Outside() string { return p.outside }

func (p Phrases) offering(sentence, contact string) string {
	if contact = strings.TrimSpace(contact); contact == "" {
		return sentence
	}
	return sentence + " " + fmt.Sprintf(p.human, contact)
}

// SmallTalk replies to small talk.
func (p Phrases) SmallTalk(kind smalltalk.Kind) string {
	switch kind {
	case smalltalk.Thanks:
		return p.welcome
	case smalltalk.Farewell:
		return p.farewell
	}
	return p.hello
}

// maxSources is how many documents a customer is shown.
const maxSources = 2

// Sources names the documents that an answer rests on, each once, as a line of CommonMark; "" without any.
func (p Phrases) Sources(citations []rag.Citation) string {
	var names []string
	seen := map[rag.DocumentID]bool{}
	for _, c := range citations {
		if !seen[c.Document] && len(names) < maxSources {
			seen[c.Document] = true
			names = append(names, reference(c))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "_" + p.source + ": " + names[0] + "_"
	}
	return "_" + p.sources + ": " + strings.Join(names, ", ") + "_"
}

// maxLink is the length of a link, in bytes, that a chat message has room for.
const maxLink = 300

// reference is a document's title, linked where people can read it.
func reference(c rag.Citation) string {
	title := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`).Replace(c.Title)
	if c.SourceURI == "" || len(c.SourceURI) > maxLink {
		return title
	}
	return "[" + title + "](" + strings.NewReplacer("(", "%28", ")", "%29").Replace(c.SourceURI) + ")"
}
