// Package intent recognises, without a model, messages that documents cannot serve: who wants a person, who asks about their
// own order or account, and who takes KnoBot for a general assistant.
package intent

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Kind is what a message wants.
type Kind int

// The kinds.
const (
	None Kind = iota
	// Person is who wants to speak with one.
	Person
	// Account is who asks about what only their own data tell: where their order is, how many points they have.
	Account
	// Outside is who asks for what a general assistant does: homework, code, poems, translations. Meta's terms allow a
	// company's customer service on WhatsApp and forbid general assistants (in force since 2026-01-15, read 2026-11-23).
	Outside
)

// maxText bounds the work on one message, in bytes.
const maxText = 2000

var (
	person = regexp.MustCompile(`\b(?:habl\w+|comunic\w+|contact\w+|pas[ae]\w*|atiend\w+|conect\w+|transfi\w+|quiero|necesito|prefiero|falar|quero|` +
		`talk|speak|chat|connect|need|want)\b.{0,24}\b(?:(?:una? |alguna? |otra? |com uma? |a |an |with a |to a |to an )?` +
		`(?:persona|human[oa]?|asesora?|agente|operadora?|representante|alguien real|atendente|pessoa|person|agent|representative|someone real))\b` +
		`|^\W*(?:agente|asesora?|humano|persona|operador|atendente|human|agent)\W*$` +
		`|\b(?:agente|persona|ser|asesor|real) (?:humano|human|real)\b`)

	account = regexp.MustCompile(`\b(?:pedidos?|ordene?s?|compras?|envios?|paquetes?|guia|factura|order|encomenda)\s*(?:n[o°º.]*|numero|#|number)*\s*#?\d{4,}\b` +
		`|\b(?:donde|where|onde)\s+(?:viene|esta|va|anda|quedo|is|esta)\s+(?:mi|my|o meu|a minha)\s+\w+` +
		`|\b(?:saldo|estado|status)\b.{0,12}\b(?:mis?|my|meus?|minha)\s+\w+|\b(?:mi|my|meu) (?:saldo|balance)\b|\bsaldo tiene mi\b` +
		`|\b(?:puntos|millas|points|pontos)\b.{0,6}\b(?:tengo|llevo|me quedan|do i have|eu tenho)\b(?: (?:acumulad\w+|disponib\w+)|\W*$)` +
		`|\bya (?:me )?(?:aprobaron|enviaron|despacharon|procesaron|reembolsaron|devolvieron|hicieron)\b.{0,8}\b(?:mi|mis|el|la)\b`)

	outside = regexp.MustCompile(`\b(?:escrib\w*|redact\w*|hazme|haceme|inventa\w*|componme|genera\w*|cuenta\w*|dime|write|tell me|compose|escreva|conte)\b.{0,20}` +
		`\b(?:poemas?|poesias?|cancion\w*|chistes?|ensayos?|cuentos?|codigo|programas? en|script|poems?|songs?|jokes?|essays?|stor(?:y|ies)|code|poema|piada|redacao)\b` +
		`|\b(?:tarea|deberes|homework|licao)\b.{0,16}\b(?:de|of|math\w*|matematic\w*|fisica|historia)\b` +
		`|\b(?:cuanto es|what is|quanto e)\s+\d+\s*(?:por|x|\*|mas|menos|entre|times|plus|minus|vezes|mais|\+|-|/)\s*\d+` +
		`|\b(?:traduc\w+|translate|traduz\w*)\b.{0,24}\b(?:al|to|into|para o)\b`)
)

// Recognise returns what a message wants, None for a question like any other.
func Recognise(text string) Kind {
	folded := fold(strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
	switch {
	case person.MatchString(folded):
		return Person
	case account.MatchString(folded):
		return Account
	case outside.MatchString(folded):
		return Outside
	}
	return None
}

// fold lower-cases, takes accents off and makes all white space single spaces.
func fold(s string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		if r < 0x300 || r > 0x36f {
			out.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}
