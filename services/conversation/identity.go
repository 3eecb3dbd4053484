package conversation

import (
	"strconv"
	"strings"
	"time"
)

// JoinWithin is how long ago a user may have been seen with a phone number to be known again by it alone: Meta shows one only to
// who exchanged messages with it in the last 30 days, and numbers are given to other people (business-scoped user IDs page,
// 2026-05-07).
const JoinWithin = 30 * 24 * time.Hour

// emailDomain is the mission's.
const emailDomain = "knowbot.local"

// User is a customer of one integration.
type User struct {
	ID          UserID
	Integration IntegrationID
	Platform    Platform
	// Username is a label made at creation.
	Username    string
	Role        string
	DisplayName string
	// ExternalID is the BSUID or Telegram's user id.
	ExternalID string
	Phone      string
	Blocked    bool
	CreateTime time.Time
}

// Email returns the temporary address that the mission gives to a user.
func Email(username string) string { return username + "@" + emailDomain }

// Identity is what tells one user of an integration from another.
type Identity struct {
	// ExternalID is the BSUID or Telegram's user id; it wins.
	ExternalID string
	// Phone is a WhatsApp number.
	Phone string
}

// Known reports whether it names anybody.
func (i Identity) Known() bool { return i.ExternalID != "" || i.Phone != "" }

// Identity returns what identifies the sender: never a name.
func (s Sender) Identity(p Platform) Identity {
	if p == Telegram {
		return Identity{ExternalID: s.UserID}
	}
	return Identity{ExternalID: s.UserID, Phone: s.PhoneNumber}
}

// Candidate is a stored user that one of the keys of an identity leads to.
type Candidate struct {
	ID         UserID
	ExternalID string
	Phone      string
	// PhoneSeen is when somebody last wrote as this user with the number.
	PhoneSeen time.Time
}

// Resolution says which stored user an identity is, and what has to change.
type Resolution struct {
	// User is empty when a new one has to be made.
	User UserID
	// Identity is what the user has afterwards.
	Identity Identity
	// Changed says that a stored user's identity is not yet so.
	Changed bool
	// PhoneFrom is the user that loses the phone number, empty for none.
	PhoneFrom UserID
}

// Resolve finds the user of an identity. byExternal and byPhone are the users that the keys lead to, nil for none.
//
// The BSUID wins: a known number moves to the BSUID's user. A user without BSUID becomes the BSUID's user. By a number alone
// nobody is known who has not been seen with it for JoinWithin: it may be somebody else's by now. Two users are never merged, and names
// play no part. A number is kept as it was given last, because that is where answers go.
func Resolve(id Identity, byExternal, byPhone *Candidate, now time.Time) Resolution {
	switch {
	case id.ExternalID == "":
		return resolvePhone(id, byPhone, now)
	case byExternal != nil:
		return resolveKnown(id, byExternal, byPhone)
	case byPhone != nil && byPhone.ExternalID == "" && byPhone.fresh(now):
		return Resolution{User: byPhone.ID, Identity: id, Changed: true}
	default:
		r := Resolution{Identity: id}
		if byPhone != nil {
			r.PhoneFrom = byPhone.ID
		}
		return r
	}
}

// resolvePhone is for a payload with a phone number only.
func resolvePhone(id Identity, byPhone *Candidate, now time.Time) Resolution {
	switch {
	case byPhone == nil:
		return Resolution{Identity: id}
	case !byPhone.fresh(now):
		return Resolution{Identity: id, PhoneFrom: byPhone.ID}
	default:
		return Resolution{
			User: byPhone.ID, Identity: Identity{ExternalID: byPhone.ExternalID, Phone: id.Phone}, Changed: byPhone.Phone != id.Phone,
		}
	}
}

func (c Candidate) fresh(now time.Time) bool { return now.Sub(c.PhoneSeen) <= JoinWithin }

// resolveKnown is for a BSUID or Telegram id that is stored.
func resolveKnown(id Identity, user, byPhone *Candidate) Resolution {
	r := Resolution{User: user.ID, Identity: Identity{ExternalID: id.ExternalID, Phone: user.Phone}}
	if id.Phone == "" || id.Phone == user.Phone {
		return r
	}
	r.Identity.Phone, r.Changed = id.Phone, true
	if byPhone != nil && byPhone.ID != user.ID {
		r.PhoneFrom = byPhone.ID
	}
	return r
}

// Username returns the label of a new user: whatsapp_<digits>, telegram_<username>, telegram_<id> or whatsapp_<bsuid>.
func Username(p Platform, s Sender) string {
	name := s.UserID
	switch {
	case p == WhatsApp && s.PhoneNumber != "":
		name = s.PhoneNumber
	case p == Telegram && plainUsername(s.Username):
		name = s.Username
	}
	return string(p) + "_" + name
}

// plainUsername accepts what Telegram allows in one (A-Z a-z 0-9 _), so that the address made of it is one.
func plainUsername(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
	return s != "" && len(s) <= 64 && strings.Trim(s, allowed) == ""
}

// SuffixedUsername returns the nth choice for a username that is taken: name, name_2, name_3 …
func SuffixedUsername(name string, nth int) string {
	if nth <= 1 {
		return name
	}
	return name + "_" + strconv.Itoa(nth)
}

// Scope tells the active conversations of an integration apart: one per user in private, else one per chat, thread and
// business connection.
func Scope(user UserID, a Address, group bool) string {
	private := a.Chat == nil || (!group && a.Chat.ThreadID == 0 && a.Chat.BusinessConnectionID == "")
	if private && user != "" {
		return "user/" + string(user)
	}
	if a.Chat == nil {
		return ""
	}
	return ChatScope(*a.Chat)
}

// ChatScope is the scope of a conversation that belongs to a chat and not to a user.
func ChatScope(c Chat) string {
	return "chat/" + strconv.FormatInt(c.ID, 10) + "/" + strconv.FormatInt(c.ThreadID, 10) + "/" + c.BusinessConnectionID
}
