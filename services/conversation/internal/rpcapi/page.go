package rpcapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// size reads a page_size.
func size(n int32) (int, error) {
	switch {
	case n < 0:
		return 0, fault.New(fault.Invalid, "PAGE_SIZE_INVALID", "page_size must not be negative")
	case n == 0:
		return defaultPageSize, nil
	default:
		return min(int(n), maxPageSize), nil
	}
}

// token is what a page token holds. It is bound to the list and its filter: with another one it would lead nowhere.
type token struct {
	List     uint64 `json:"l"`
	Micros   int64  `json:"t,omitempty"`
	ID       string `json:"i,omitempty"`
	Position int64  `json:"p,omitempty"`
}

// list names a list and its filter.
func list(name string, filter ...any) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %q", name, filter)
	return h.Sum64()
}

// encode makes the token of the place where a page ended.
func encode(list uint64, c conversation.Cursor) string {
	t := token{List: list, ID: c.ID, Position: c.Position}
	if !c.Time.IsZero() {
		t.Micros = c.Time.UnixMicro()
	}
	b, err := json.Marshal(t)
	if err != nil { // numbers and a string always have a form
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decode reads a token of the same list, nil for the first page.
func decode(list uint64, s string) (*conversation.Cursor, error) {
	if s == "" {
		var first *conversation.Cursor
		return first, nil
	}
	var t token
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(&t)
	}
	if err != nil || t.List != list || t.Position < 0 || (t.Position == 0 && !isID(t.ID)) {
		return nil, fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page_token is not one of this list")
	}
	return &conversation.Cursor{Time: time.UnixMicro(t.Micros).UTC(), ID: t.ID, Position: t.Position}, nil
}

// page reads page_size and page_token.
func page(list uint64, pageSize int32, pageToken string) (int, *conversation.Cursor, error) {
	n, err := size(pageSize)
	if err != nil {
		return 0, nil, err
	}
	after, err := decode(list, pageToken)
	return n, after, err
}

// next cuts a list that was asked for one more than the page down to the page, and makes the token of the rest.
func next[T any](list uint64, items []T, n int, cursor func(T) conversation.Cursor) ([]T, string) {
	if len(items) <= n {
		return items, ""
	}
	return items[:n], encode(list, cursor(items[n-1]))
}
