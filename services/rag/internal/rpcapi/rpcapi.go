// Package rpcapi serves the rag service's gRPC API. It is the only package that knows both generated and domain types;
// a handler parses, calls and converts.
package rpcapi

import (
	"encoding/base64"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// knowledgeBase returns the name asked for; empty stands for the default one.
func knowledgeBase(name string) string {
	if name == "" {
		return rag.DefaultKnowledgeBase
	}
	return name
}

// pageSize returns how many to list.
func pageSize(n int32) (int, error) {
	switch {
	case n < 0 || n > maxPageSize:
		return 0, fault.New(fault.Invalid, "PAGE_SIZE", "page_size must be between 1 and 1000, or 0 for 50")
	case n == 0:
		return defaultPageSize, nil
	}
	return int(n), nil
}

// pageToken is where the next page of a list begins. It names the list, so that no other list takes it.
func pageToken(list, after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\n" + after))
}

// pageStart returns the name that a page begins after.
func pageStart(list, token string) (after string, err error) {
	if token == "" {
		return "", nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		if of, after, ok := strings.Cut(string(decoded), "\n"); ok && of == list && isText(after) {
			return after, nil
		}
	}
	return "", fault.New(fault.Invalid, "PAGE_TOKEN", "page_token is not one that this list returned")
}

// isText tells whether PostgreSQL takes a string.
func isText(s string) bool { return strings.ToValidUTF8(s, "") == s && !strings.ContainsRune(s, 0) }

// page cuts off what was asked for beyond a page to know whether there is another.
func page[T any](list []T, size int, name func(T) string, of string) (cut []T, next string) {
	if len(list) <= size {
		return list, ""
	}
	return list[:size], pageToken(of, name(list[size-1]))
}

// timestamp converts a time.
func timestamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
