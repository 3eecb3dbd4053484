package conversation

import (
	"context"
	"math/rand/v2"
	"time"
)

// Limits of a turn.
const (
	// MaxAttempts is how many recorded failures make a turn dead.
	MaxAttempts = 8
	// MaxSideAttempts is the same for what we say beside answers: apologies and templates.
	MaxSideAttempts = 3
	// MaxCrashes is how many expired leases make a turn dead: something in it kills the worker.
	MaxCrashes = 10
	// SoloCrashes is from how many on a turn runs alone, so that it takes no other down with it.
	SoloCrashes = 2
	// MaxDiscards is how many drafts are thrown away because the customer went on writing.
	MaxDiscards = 2
	// HistoryMessages is how many earlier messages the answerer sees.
	HistoryMessages = 12
	// ServiceWindow is how long WhatsApp allows free text after a customer's message (messaging pages, 2026-09-11).
	ServiceWindow = 24 * time.Hour

	maxBackoff = 5 * time.Minute
)

// Backoff returns how long to wait after the nth recorded failure, from 1: 1 s, 2 s, 4 s … up to 5 min, and up to a fifth
// less, so that what failed together does not come back together.
func Backoff(failure int) time.Duration {
	d := maxBackoff
	if failure < 10 {
		d = min(d, time.Second<<max(failure-1, 0))
	}
	return d - Jitter(d/5)
}

// Jitter returns something up to d, so that what meets once does not meet again.
func Jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}

// Lease is a worker's hold on a conversation. The token fences it: what comes with an old one stores nothing.
type Lease struct {
	Conversation ID
	Token        string
}

// Turn is a conversation with work, held by a worker.
type Turn struct {
	Lease
	Integration IntegrationID
	Platform    Platform
	// Seq is the position of the last message that waits, First of the first.
	Seq, First int64
	Attempt    int
	Crashes    int
	OpenedAt   time.Time
	// Address is where the answer goes.
	Address Address
	// WindowExpires is until when free text may go out, zero where there is no window.
	WindowExpires time.Time
	// Answer is decided already and has to be settled before anything else; nil for none.
	Answer *Answer
}

// Purpose is what a message of ours is for.
type Purpose string

// The purposes.
const (
	// Reply answers the open messages.
	Reply Purpose = "reply"
	// Apology tells the customer, once, that there will be no answer.
	Apology Purpose = "apology"
	// Invitation is the template that asks the customer to write again.
	Invitation Purpose = "invitation"
	// ByStaff is what staff write through us. It answers what the customer wrote before it.
	ByStaff Purpose = "staff"
)

// Answer is a message of ours that is decided: it goes out whatever arrives meanwhile.
type Answer struct {
	ID      MessageID
	Request RequestID
	Purpose Purpose
	Text    string
	// Through is the position of the last message that it answers.
	Through int64
	// ReplyTo is the provider's id of the message to quote, empty for none.
	ReplyTo string
	// Template and Language are set for an invitation.
	Template, Language string
	// Buttons stand under it.
	Buttons []Button
	// Trace is the W3C traceparent of the turn that decided it, empty where nobody traced that.
	Trace string
	// ModelTime is how long models and the customer's files took, zero for an answer that another turn composed.
	ModelTime time.Duration
}

// Draft is an answer before the decision to send it.
type Draft struct {
	Text string
	// Seen is the turn's seq when it was composed, Through the last message that it answers.
	Seen, Through int64
	// Language is the customer's as far as known.
	Language string
	ReplyTo  string
	Basis    *Basis
	Buttons  []Button
}

// OpenMessage is a message that waits for an answer.
type OpenMessage struct {
	ID                MessageID
	Position          int64
	User              UserID
	Kind              MessageKind
	Text              string
	Sentence          Sentence
	Language          string
	PlatformMessageID string
	// Album is what the parts of one message share, empty for a message that is whole.
	Album string
	// Context is what the text is about beyond itself: a quoted message, the advert that the customer came from.
	Context string
	// Rests are the passages that a quoted answer cites.
	Rests []string
	// File is what came with it, nil without one.
	File *Attachment
	// Transcript is what was heard in it, nil as long as nobody has listened.
	Transcript *string
	// Loaded is the file for the answerer to see, nil where it is not shown to it.
	Loaded *File
	// Chosen says that a button of ours was pressed: the text is ours, and can be understood alone.
	Chosen bool
	// Trace is the W3C traceparent of the webhook that brought it, empty where nobody traced that.
	Trace string
}

// PastMessage is a message of the history.
type PastMessage struct {
	Role Role
	Text string
	// Rests are the passages that an answer cites.
	Rests []string
}

// Dialogue is what an answer is composed from.
type Dialogue struct {
	Open     []OpenMessage
	History  []PastMessage
	Group    bool
	Passages int32
	RAG      bool
	// Asked is how much each customer has asked before.
	Asked map[UserID]Asked
}

// Sent is what channels says of a send.
type Sent struct {
	PlatformMessageID string
	// Parts are the provider's ids of the messages after the first.
	Parts          []string
	State          DeliveryState
	MaybeDuplicate bool
}

// ClaimRequest says what a worker has room for.
type ClaimRequest struct {
	Lease time.Duration
	Limit int
	// Rooms are the integrations that may be claimed from, each with the slots that are free for it and those it holds.
	Rooms []Room
	// Solo claims a turn that crashed its worker before, and no other.
	Solo bool
}

// Room is what an integration may still claim.
type Room struct {
	Integration IntegrationID
	Free, Held  int
}

// Waiting is how much is due.
type Waiting struct {
	// Next is when the next turn is due, negative for now; false in Any when there is none.
	Next time.Duration
	Any  bool
	// Solo says that a turn is due which has to run alone.
	Solo bool
}

// Mailbox hands out conversations that wait for an answer, each to one worker at a time. Every method that takes a Turn
// returns ErrLeaseLost, storing nothing, if another worker holds it now.
type Mailbox interface {
	// Claim leases the turns that are due longest, those of integrations that hold little first. An expired lease counts
	// as a crash of the worker that had it. Returns none if none is due.
	Claim(ctx context.Context, r ClaimRequest) ([]Turn, error)
	// Waiting says when Claim is worth calling again for these integrations.
	Waiting(ctx context.Context, integrations []IntegrationID) (Waiting, error)
	// Extend prolongs leases and returns those that are lost.
	Extend(ctx context.Context, lease time.Duration, held []Lease) ([]Lease, error)
	// Dialogue loads what an answer is composed from. Open is empty if nothing waits any more.
	Dialogue(ctx context.Context, t Turn) (Dialogue, error)
	// Hear stores what was said in a voice note, so that nobody pays for listening twice.
	Hear(ctx context.Context, t Turn, m MessageID, s StoredMedia, transcript string) error
	// Limit stores which open messages are too much: those that a sentence of ours answers, and those that are only recorded.
	Limit(ctx context.Context, t Turn, tell, silent []MessageID) error
	// Checkpoint decides to send the draft. Returns ErrMoved if the customer wrote meanwhile and may be waited for,
	// and ErrPaused if staff did.
	Checkpoint(ctx context.Context, t Turn, d Draft) (Answer, error)
	// Finish stores that the answer went out and closes the turn, or reopens it if the customer wrote meanwhile.
	Finish(ctx context.Context, t Turn, a Answer, s Sent) error
	// Abandon stores that an apology, an invitation or a reply of staff will not go out, and closes the turn like Finish. What the
	// reply was to answer still waits.
	Abandon(ctx context.Context, t Turn, a Answer, cause string) error
	// Hold stores that WhatsApp's window is closed: the answer and what it answers wait for the customer's next message.
	// The template, if any, is decided to be sent, once per window.
	Hold(ctx context.Context, t Turn, a Answer, template *WindowTemplate) error
	// Dismiss closes a turn that has nothing to answer.
	Dismiss(ctx context.Context, t Turn) error
	// Fail records a failure: the turn is due again after the delay.
	Fail(ctx context.Context, t Turn, cause string, delay time.Duration) error
	// Postpone makes the turn due after the delay, without an attempt.
	Postpone(ctx context.Context, t Turn, delay time.Duration) error
	// Release hands the turn back as it was, for another worker.
	Release(ctx context.Context, t Turn) error
	// Bury gives up: the open messages and their events are dead. The apology, if any, is decided to be sent.
	Bury(ctx context.Context, t Turn, cause, apology string) error
}

// Answerer composes answers.
type Answerer interface {
	// Answer composes one. Returns a *PeerError.
	Answer(ctx context.Context, q Question) (Composed, error)
	// Stream is Answer, and hands over drafts while it is written: each the whole text so far. What is returned counts alone.
	Stream(ctx context.Context, q Question, draft func(text string)) (Composed, error)
}

// Question is what the answerer is asked.
type Question struct {
	// Request names the call in logs.
	Request RequestID
	// Customer stands for the customer in limits; never a phone number.
	Customer UserID
	History  []PastMessage
	// Open are the customer's texts, unchanged, and Contexts what each is about beyond itself.
	Open, Contexts []string
	// Rests are the passages that each of the contexts rests on.
	Rests [][]string
	// Files are those that came with each of the texts.
	Files         [][]File
	KnowledgeBase string
	RAG           bool
	Passages      int32
	Language      string
	HumanContact  string
}

// Courier delivers what is decided.
type Courier interface {
	// Send delivers an answer. The same request again sends only what did not go out. Returns a *PeerError.
	Send(ctx context.Context, t Turn, a Answer) (Sent, error)
	// ShowTyping shows that an answer is being composed; messageID is the received message that it is for.
	ShowTyping(ctx context.Context, a Address, integration IntegrationID, messageID string) error
	// ShowDraft shows an answer as far as it is written, in place of the draft with the same id, which is not 0. After an error
	// no draft should follow.
	ShowDraft(ctx context.Context, a Address, integration IntegrationID, draft int64, text string) error
}
