package gateway

import (
	"errors"
	"time"
)

// Role is what a caller of the management API may do. Each may also do what those below it may.
type Role int

// The roles, from the least to the most.
const (
	Viewer   Role = iota + 1 // reads
	Operator                 // works: replays, closes, changes documents
	Owner                    // owns: integrations with their secrets, keys, deletion
)

// String is the role's name in settings, tokens and the database, empty for none.
func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Operator:
		return "operator"
	case Owner:
		return "owner"
	default:
		return ""
	}
}

// ParseRole reads a role's name.
func ParseRole(name string) (Role, bool) {
	for r := Viewer; r <= Owner; r++ {
		if r.String() == name {
			return r, true
		}
	}
	return 0, false
}

// Caller is somebody who proved to the management API who they are.
type Caller struct {
	ID            string // key:<id>, oidc:<subject> or environment
	Name          string // what people call them
	Role          Role
	IntegrationID string // the only one that they may work on; empty for all
}

// Digest is the SHA-256 of a key's secret.
type Digest [32]byte

// APIKey is a key of the management API. Of its secret nothing is kept but the digest.
type APIKey struct {
	ID            string
	Name          string
	Digest        Digest
	Role          Role
	IntegrationID string
	CreateTime    time.Time
	ExpireTime    time.Time // zero: never
	RevokeTime    time.Time // zero: not revoked
	LastUseTime   time.Time // zero: never used
}

// AuditEntry is a call that changes something, allowed or not.
type AuditEntry struct {
	ID         int64
	CreateTime time.Time
	Caller     string
	CallerName string
	Method     string // package.Service/Method
	Address    string
	Code       string
	Reason     string
	RequestID  string
}

// What a store of keys may return.
var (
	ErrKeyNotFound = errors.New("no such key")
	ErrKeyRevoked  = errors.New("the key is revoked")
	ErrKeyExists   = errors.New("a key of this name exists")
)
