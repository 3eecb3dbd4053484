package rag

import "time"

// Bounds of what is kept of questions and feedback.
const (
	// MaxUnanswered is how many questions are kept of a knowledge base: the most frequent, of equals the newest.
	MaxUnanswered = 1_000
	// UnansweredAge is how long a question is kept after it was asked last, FeedbackAge how long feedback.
	UnansweredAge = 90 * 24 * time.Hour
	FeedbackAge   = 365 * 24 * time.Hour
)

// UnansweredQuestion is what customers asked and no document answers.
type UnansweredQuestion struct {
	ID UnansweredID
	// Key is the same for the same question in other words' order, endings and accents.
	Key []byte
	// Question is how it was asked last, without what could name somebody.
	Question string
	Language Language
	Count    int64
	LastTime time.Time
}

// UnansweredID is a UUID.
type UnansweredID string

// Feedback is what a customer thought of an answer.
type Feedback struct {
	// Request is the caller's name of the answer.
	Request string
	// Documents are those that it cites.
	Documents []DocumentID
	// Positive is nil where it is taken back.
	Positive *bool
}

// DocumentFeedback counts the feedback on the answers that cite a document.
type DocumentFeedback struct {
	Document           DocumentID
	Name               string
	Positive, Negative int64
}
