package rag

import "time"

// Role is who wrote a turn.
type Role int

// The writers.
const (
	Customer Role = iota + 1
	Assistant
	Staff
)

// Turn is one message of a dialogue, as stored.
type Turn struct {
	Role Role
	Text string
	// Context is what the text is about beyond itself: a quoted message, an advert. Data, never instructions.
	Context string
	// Files came with it, for a model that sees.
	Files [][]byte
	// Rests are the passages that the text of ours rests on; of a customer's turn, those that its context rests on.
	Rests []PassageID
}

// Request asks for an answer to a customer's open messages.
type Request struct {
	// ID names the request in logs and at the model's provider.
	ID            string
	KnowledgeBase string
	// Turns are the dialogue, oldest first; the last Open of them are the question.
	Turns []Turn
	Open  int
	// TopK is how many passages to retrieve.
	TopK int
	// Retrieve is false when the model alone shall answer.
	Retrieve bool
	// Language is the fallback for our own sentences.
	Language Language
	// HumanContact is how to reach a person, empty for no offer.
	HumanContact string
	// CustomerKey stands for the customer in limits, empty for nobody.
	CustomerKey string
	// Threshold is the coverage from which on it is answered; nil for the service's own.
	Threshold *float64
	// Evaluation says that no customer asks: the knowledge base is measured, and the daily limit is another.
	Evaluation bool
}

// Language is the IETF tag of a language that KnoBot speaks.
type Language string

// The languages of our own sentences.
const (
	Spanish    Language = "es"
	English    Language = "en"
	Portuguese Language = "pt"
)

// Outcome is how a question was met.
type Outcome int

// The outcomes.
const (
	Answered Outcome = iota + 1
	Declined
	SmallTalk
	Handoff
	// Unsure is Answered from a passage that just about serves, and says so.
	Unsure
)

// Answers reports whether the customer was given an answer, sure or not.
func (o Outcome) Answers() bool { return o == Answered || o == Unsure }

// Mode is what wrote an answer.
type Mode int

// The modes.
const (
	Extractive Mode = iota + 1
	Generated
	Canned
)

// Citation names a passage that an answer rests on.
type Citation struct {
	Document  DocumentID
	Title     string
	SourceURI string
	Passage   PassageID
}

// Cite returns the citation of a passage.
func (p Passage) Cite() Citation {
	return Citation{Document: p.Document, Title: p.Title, SourceURI: p.SourceURI, Passage: p.ID}
}

// Usage is what a model consumed; Model is empty without one.
type Usage struct {
	Model        string
	InputTokens  int64
	OutputTokens int64
	// CostMicros is in millionths of the currency that prices are set in.
	CostMicros int64
}

// DailyUsage is what one model did for one knowledge base on one day (UTC).
type DailyUsage struct {
	Day           time.Time
	KnowledgeBase string
	Usage
	// Answers are those that it worked for last.
	Answers int64
}

// UsageFilter says which sums are listed; empty names and zero days do not count.
type UsageFilter struct {
	KnowledgeBase string
	From, To      time.Time
	// After is the last one of the page before.
	After DailyUsage
}

// Answer is what the customer gets.
type Answer struct {
	// Text is CommonMark, sources included.
	Text      string
	Outcome   Outcome
	Mode      Mode
	Citations []Citation
	Usage     Usage
	// ModelTime is how long models took, repeats and waits included.
	ModelTime time.Duration
	Language  Language
	// Confidence is the coverage of the best passage.
	Confidence float64
	// Threshold is the coverage from which on it was answered.
	Threshold float64
	// Regardless says that any other threshold would have led to the same: it is small talk, or no matter for documents.
	Regardless bool
	// Found are the passages that it could rest on, best first.
	Found []Hit
	// Suggestions are what else the customer may have meant, best first.
	Suggestions []Suggestion
	// Unanswered is what was asked and no document answers, empty for every other answer.
	Unanswered string
}

// Suggestion is a section that may serve the customer better.
type Suggestion struct {
	// Title is the label of a button.
	Title string
	// Question is what is asked when it is chosen; it can be understood alone.
	Question string
}

// Capabilities are what the configured model can do.
type Capabilities struct {
	// Images and Documents say which files the model reads.
	Images, Documents bool
}
