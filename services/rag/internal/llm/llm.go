// Package llm asks models to complete a dialogue, and to write down what is said in a recording. OpenAI's protocol is spoken by
// OpenAI, Azure, Groq, Ollama, vLLM, llama.cpp and many more; Anthropic has its own.
package llm

import "context"

// Role is who speaks in a dialogue with a model.
type Role int

// The roles.
const (
	System Role = iota + 1
	User
	Assistant
)

// Message is one message to a model.
type Message struct {
	Role Role
	Text string
	// Files belong to a user's message, for a model that sees.
	Files []File
}

// File is an image or a PDF document.
type File struct {
	MIMEType string
	Content  []byte
}

// Prompt is a dialogue to complete.
type Prompt struct {
	// RequestID names the request in the provider's logs.
	RequestID string
	Messages  []Message
}

// Completion is what a model wrote.
type Completion struct {
	// Model is the name of the one that wrote it.
	Model        string
	Text         string
	InputTokens  int64
	OutputTokens int64
}

// Model completes dialogues.
type Model interface {
	// Name is the provider and the model.
	Name() string
	// Sees says whether the model reads images and PDF documents.
	Sees() bool
	// Complete returns the model's next message, whole and never empty. It tries again by itself what may pass; its errors
	// hold no address, key or text. ErrRefused is an answer that depends on what was sent, ErrEmpty and ErrCut are what
	// the model made of it.
	Complete(ctx context.Context, prompt Prompt) (Completion, error)
}

// Streamer is a model that shows what it writes while it does.
type Streamer interface {
	Model
	// Stream is Complete, and calls seen with the whole text so far whenever it has grown. A stream that breaks off, hangs or
	// floods is given up and the model is asked again by Complete, so that what was seen need not be what is returned.
	Stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error)
}
