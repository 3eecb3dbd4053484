package lenient

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Bounds on decoded strings. Labels are repeated per event (a contact's name stands in each of its messages), so an
// unbounded one would multiply a 4 MiB body past any message limit.
const (
	maxID    = 256
	maxLabel = 512
	maxURL   = 2048
	maxText  = 1 << 20
)

// ID bounds an identifier.
func ID(s String) string { return Clip(s, maxID) }

// Label bounds a name, type or title.
func Label(s String) string { return Clip(s, maxLabel) }

// URL bounds an address or error text.
func URL(s String) string { return Clip(s, maxURL) }

// Text bounds what somebody wrote.
func Text(s String) string { return Clip(s, maxText) }

// Key joins the parts of an event's key with colons. A key over 256 bytes is replaced by its digest, so that two long
// ones never become equal by being cut.
func Key(parts ...string) string {
	key := strings.Join(parts, ":")
	if len(key) <= maxID {
		return key
	}
	return Digest([]byte(key))
}

// Digest is the key of an event that has no id: the SHA-256 of its JSON.
func Digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Time reads seconds since 1970 by a provider's clock. Neither platform existed before 2009, and a time more than a day
// ahead is a mistake in unit or clock: both give the zero time.
func Time(seconds Int, now time.Time) time.Time {
	const year2009 = 1230768000
	if seconds < year2009 || int64(seconds) > now.Add(24*time.Hour).Unix() {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
