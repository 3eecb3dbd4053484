package rpcapi

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
	// latest is the end of the year 9999, in microseconds: PostgreSQL refuses times far beyond it.
	latest = 253_402_300_799_999_999
)

func pageSize(n int32) (int, error) {
	switch {
	case n < 0:
		return 0, fault.New(fault.Invalid, "PAGE_SIZE_INVALID", "page_size must not be negative")
	case n == 0:
		return defaultPageSize, nil
	default:
		return min(int(n), maxPageSize), nil
	}
}

// cut cuts a list that was asked for one more than the page down to the page, and makes the token of the rest.
func cut[T any](items []T, n int, token func(T) string) ([]T, string) {
	if len(items) <= n {
		return items, ""
	}
	return items[:n], base64.RawURLEncoding.EncodeToString([]byte(token(items[n-1])))
}

// place reads a token: two parts, of which the first is a number.
func place(token string) (number int64, rest string, err error) {
	if token == "" {
		return 0, "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	first, rest, found := strings.Cut(string(text), "/")
	if err == nil && found {
		number, err = strconv.ParseInt(first, 10, 64)
	}
	if err != nil || !found || number <= 0 || len(rest) > maxKeyID || strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return 0, "", fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page_token is not one of this list")
	}
	return number, rest, nil
}

func keyToken(k gateway.APIKey) string {
	return strconv.FormatInt(k.CreateTime.UnixMicro(), 10) + "/" + k.ID
}

// keysPage reads page_size and page_token of a list of keys.
func keysPage(size int32, token string) (int, *gateway.APIKey, error) {
	n, err := pageSize(size)
	if err != nil {
		return 0, nil, err
	}
	micros, id, err := place(token)
	if err != nil || token == "" {
		return n, nil, err
	}
	if id == "" || micros > latest {
		return n, nil, fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page_token is not one of this list")
	}
	return n, &gateway.APIKey{ID: id, CreateTime: time.UnixMicro(micros)}, nil
}

func entryToken(e gateway.AuditEntry) string { return strconv.FormatInt(e.ID, 10) + "/" }

// entriesPage reads page_size and page_token of the audit.
func entriesPage(size int32, token string) (n int, before int64, err error) {
	if n, err = pageSize(size); err != nil {
		return 0, 0, err
	}
	before, rest, err := place(token)
	if rest != "" {
		err = fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page_token is not one of this list")
	}
	return n, before, err
}
