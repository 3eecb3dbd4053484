package conversation

import "strings"

// Sentence names one of the sentences that this service says by itself.
type Sentence string

// The sentences.
const (
	SentenceGreeting    Sentence = "greeting"
	SentenceApology     Sentence = "apology"
	SentenceVoice       Sentence = "voice"
	SentenceImage       Sentence = "image"
	SentenceVideo       Sentence = "video"
	SentenceDocument    Sentence = "document"
	SentenceSticker     Sentence = "sticker"
	SentenceUnsupported Sentence = "unsupported"
	SentenceEmpty       Sentence = "empty"
	SentenceInaudible   Sentence = "inaudible"
	SentenceButton      Sentence = "button"
	// SentenceLimit answers a question too many. Statements know it by this word.
	SentenceLimit Sentence = "limit"
)

// sentenceFor returns what to say to a message that holds nothing to read.
func sentenceFor(k MessageKind) Sentence {
	switch k {
	case KindVoice, KindAudio:
		return SentenceVoice
	case KindImage:
		return SentenceImage
	case KindVideo:
		return SentenceVideo
	case KindDocument:
		return SentenceDocument
	case KindSticker:
		return SentenceSticker
	case KindButtonReply:
		return SentenceButton
	case KindText, KindCommand:
		return SentenceEmpty
	default:
		return SentenceUnsupported
	}
}

// In returns the sentence in a language, Spanish where there is none.
func (s Sentence) In(language string) string {
	switch BaseLanguage(language) {
	case "en":
		return s.english()
	case "pt":
		return s.portuguese()
	default:
		return s.spanish()
	}
}

func (s Sentence) spanish() string {
	switch s {
	case SentenceGreeting:
		return "¡Hola! Soy el asistente virtual. Escríbeme tu pregunta y te respondo con la información que tengo."
	case SentenceApology:
		return "Lo siento, no pude responder a tu mensaje por un problema técnico. Por favor, inténtalo de nuevo más tarde."
	case SentenceVoice:
		return "Todavía no puedo escuchar audios. ¿Me escribes tu pregunta, por favor?"
	case SentenceImage:
		return "Todavía no puedo ver imágenes. ¿Me escribes tu pregunta, por favor?"
	case SentenceVideo:
		return "Todavía no puedo ver videos. ¿Me escribes tu pregunta, por favor?"
	case SentenceDocument:
		return "Todavía no puedo leer documentos. ¿Me escribes tu pregunta, por favor?"
	case SentenceSticker:
		return "¡Qué bueno saber de ti! Si tienes una pregunta, escríbemela y te ayudo."
	case SentenceInaudible:
		return "No pude escuchar nada en tu audio. ¿Me escribes tu pregunta, por favor?"
	case SentenceButton:
		return "Ese botón ya no está disponible. ¿Me escribes tu pregunta, por favor?"
	case SentenceLimit:
		return "Recibí muchas preguntas tuyas en poco tiempo y necesito una pausa. Escríbeme de nuevo más tarde, por favor."
	case SentenceEmpty:
		return "Tu mensaje llegó vacío. ¿Me escribes tu pregunta, por favor?"
	default:
		return "No puedo leer este tipo de mensaje. ¿Me escribes tu pregunta, por favor?"
	}
}

func (s Sentence) english() string {
	switch s {
	case SentenceGreeting:
		return "Hello! I am the virtual assistant. Write me your question and I will answer with the information that I have."
	case SentenceApology:
		return "I am sorry, a technical problem kept me from answering your message. Please try again later."
	case SentenceVoice:
		return "I cannot listen to audio yet. Could you write me your question, please?"
	case SentenceImage:
		return "I cannot see images yet. Could you write me your question, please?"
	case SentenceVideo:
		return "I cannot watch videos yet. Could you write me your question, please?"
	case SentenceDocument:
		return "I cannot read documents yet. Could you write me your question, please?"
	case SentenceSticker:
		return "Good to hear from you! If you have a question, write it to me and I will help."
	case SentenceInaudible:
		return "I could not hear anything in your audio. Could you write me your question, please?"
	case SentenceButton:
		return "That button is no longer available. Could you write me your question, please?"
	case SentenceLimit:
		return "I received many questions from you in a short time and need a break. Please write to me again later."
	case SentenceEmpty:
		return "Your message arrived empty. Could you write me your question, please?"
	default:
		return "I cannot read this kind of message. Could you write me your question, please?"
	}
}

func (s Sentence) portuguese() string {
	switch s {
	case SentenceGreeting:
		return "Olá! Sou o assistente virtual. Escreva a sua pergunta e eu respondo com a informação que tenho."
	case SentenceApology:
		return "Desculpe, um problema técnico me impediu de responder à sua mensagem. Por favor, tente de novo mais tarde."
	case SentenceVoice:
		return "Ainda não consigo ouvir áudios. Pode escrever a sua pergunta, por favor?"
	case SentenceImage:
		return "Ainda não consigo ver imagens. Pode escrever a sua pergunta, por favor?"
	case SentenceVideo:
		return "Ainda não consigo ver vídeos. Pode escrever a sua pergunta, por favor?"
	case SentenceDocument:
		return "Ainda não consigo ler documentos. Pode escrever a sua pergunta, por favor?"
	case SentenceSticker:
		return "Que bom falar com você! Se tiver uma pergunta, escreva para mim e eu ajudo."
	case SentenceInaudible:
		return "Não consegui ouvir nada no seu áudio. Pode escrever a sua pergunta, por favor?"
	case SentenceButton:
		return "Esse botão já não está disponível. Pode escrever a sua pergunta, por favor?"
	case SentenceLimit:
		return "Recebi muitas perguntas suas em pouco tempo e preciso de uma pausa. Escreva para mim de novo mais tarde, por favor."
	case SentenceEmpty:
		return "A sua mensagem chegou vazia. Pode escrever a sua pergunta, por favor?"
	default:
		return "Não consigo ler este tipo de mensagem. Pode escrever a sua pergunta, por favor?"
	}
}

// BaseLanguage returns the language of a tag without region: "es" for "es-CO" and "es_MX".
func BaseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(base)
}

// LanguageOf returns the first of the tags that we have sentences in, else Spanish.
func LanguageOf(tags ...string) string {
	for _, t := range tags {
		switch base := BaseLanguage(t); base {
		case "es", "en", "pt":
			return base
		}
	}
	return DefaultLanguage
}
