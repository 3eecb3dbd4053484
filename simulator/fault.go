package simulator

// FaultKind names a fault that can be ordered.
type FaultKind string

// Faults of a send. Without method they hit calls that put a message on the
// phone; method names others (read, sendChatAction, …), * means every call.
const (
	// FaultThrottled answers 429 with retry_after, or 130429 on WhatsApp.
	FaultThrottled FaultKind = "throttled"
	// FaultError answers with code: a Graph API code such as 131056, 131047 or
	// 190, or a Bot API error_code with description.
	FaultError FaultKind = "error"
	// FaultServerError answers 500 with an HTML page, FaultBadGateway 502.
	FaultServerError FaultKind = "server_error"
	FaultBadGateway  FaultKind = "bad_gateway"
	// FaultEmpty answers 500 without a body.
	FaultEmpty FaultKind = "empty"
	// FaultHang accepts nothing and answers nothing for delay (60s).
	FaultHang FaultKind = "hang"
	// FaultReset accepts nothing and drops the connection.
	FaultReset FaultKind = "reset"
	// FaultLostReply accepts the message and then drops the connection, after
	// delay.
	FaultLostReply FaultKind = "lost_reply"
	// FaultSlow accepts the message and answers after delay.
	FaultSlow FaultKind = "slow"
	// FaultPaced accepts a template as held_for_quality_assessment.
	FaultPaced FaultKind = "paced"
)

// Faults of WhatsApp's statuses, one per message.
const (
	FaultStatusLate   FaultKind = "status_late"   // after delay
	FaultStatusEarly  FaultKind = "status_early"  // before the send is answered
	FaultStatusNever  FaultKind = "status_never"  // none at all
	FaultStatusFailed FaultKind = "status_failed" // failed, with code
	// FaultStatusReorder reports read, delivered and sent, in that order.
	FaultStatusReorder FaultKind = "status_reorder"
)

// Faults of webhook deliveries.
const (
	FaultWebhookDuplicate FaultKind = "webhook_duplicate" // delivered copies (2) times
	FaultWebhookLate      FaultKind = "webhook_late"      // after delay, so that later ones overtake it
	FaultWebhookNever     FaultKind = "webhook_never"     // lost
	// FaultWebhookReorder delivers a WhatsApp webhook after the number's next one,
	// or after delay (5s) when there is none.
	FaultWebhookReorder FaultKind = "webhook_reorder"
	// FaultWebhookBatch gathers a number's WhatsApp changes, up to copies (1,000)
	// of them or for delay (1s), and delivers them in one body.
	FaultWebhookBatch FaultKind = "webhook_batch"
	// FaultPhoneMissing leaves the phone number out of a WhatsApp message.
	FaultPhoneMissing FaultKind = "phone_missing"
)

// Faults of files. Without method they hit whatever comes first of media
// (GET /{media-id}), getFile and download.
const (
	// FaultMediaGone answers that there is no such file.
	FaultMediaGone FaultKind = "media_gone"
	// FaultMediaCorrupt gives other bytes than those that the hash is of.
	FaultMediaCorrupt FaultKind = "media_corrupt"
	// FaultMediaExpired gives out a link that is dead already.
	FaultMediaExpired FaultKind = "media_expired"
)

// Faults of what an owner looks up about a WhatsApp number.
const (
	// FaultTokenTemporary shows a token that ends within a day.
	FaultTokenTemporary FaultKind = "token_temporary"
	// FaultPermissionMissing shows a token that may neither send nor manage.
	FaultPermissionMissing FaultKind = "permission_missing"
	// FaultNumberFlagged shows a number that Meta has flagged.
	FaultNumberFlagged FaultKind = "number_flagged"
	// FaultAppUnsubscribed shows an account whose webhooks go nowhere.
	FaultAppUnsubscribed FaultKind = "app_unsubscribed"
	// FaultMessagesUnsubscribed shows an app that asks for no messages.
	FaultMessagesUnsubscribed FaultKind = "messages_unsubscribed"
)

// FaultClockSkew answers any call with a Date that is ahead by delay (1h).
const FaultClockSkew FaultKind = "clock_skew"

// Fault is an order for trouble: POST /simulator/v1/faults.
type Fault struct {
	ID   int64     `json:"id"`
	Kind FaultKind `json:"kind"`
	// Chat narrows the fault down; empty members match everything.
	Chat
	Method string `json:"method,omitempty"`
	// Skip lets the first matches pass; Count is how many are hit after that: 1
	// when zero, without end when negative.
	Skip        int      `json:"skip,omitempty"`
	Count       int      `json:"count,omitempty"`
	Code        int      `json:"code,omitempty"`
	Description string   `json:"description,omitempty"`
	RetryAfter  int      `json:"retry_after,omitempty"`
	Delay       Duration `json:"delay,omitempty"`
	Copies      int      `json:"copies,omitempty"`
	// Migrate is the migrate_to_chat_id of a Telegram error.
	Migrate int64 `json:"migrate_to_chat_id,omitempty"`
}
