package conversation

import "time"

// PauseCause is why the bot keeps silent in a conversation.
type PauseCause string

// The causes.
const (
	// PausedByWriting is a message of staff, from their own device or through us.
	PausedByWriting PauseCause = "staff_wrote"
	// PausedByHandOver is a member of staff who took over.
	PausedByHandOver PauseCause = "handed_over"
)

// DefaultStaffPause is how long a hand-over lasts where the settings say that messages of staff pause nothing.
const DefaultStaffPause = 30 * time.Minute

// Limits of what staff say through us, in characters.
const (
	MaxStaffText   = 4096
	MaxStaffName   = 100
	MaxStaffReason = 500
)

// HandOver is a member of staff taking a conversation over.
type HandOver struct {
	// Staff and Reason are theirs, and may be empty.
	Staff, Reason string
	// Pause is how long the bot keeps silent if they do not write.
	Pause time.Duration
}

// StaffReply is what staff write through us.
type StaffReply struct {
	Text string
	// Request names it: the same again is the same reply.
	Request RequestID
	// Pause is how long the bot keeps silent after it.
	Pause time.Duration
}
