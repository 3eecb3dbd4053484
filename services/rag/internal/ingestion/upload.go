package ingestion

import (
	"cmp"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/reader"
)

// MaxFile bounds a file that is uploaded in pieces, in bytes.
const MaxFile = 32 << 20

// Other bounds of an upload.
const (
	maxText = 8 << 20
	maxName = 256
	maxURI  = 2048
)

// validate refuses what can never be taken in, and fills in how to read it: by its type, its name or its first bytes. The
// content is bounded by what the way in takes.
func (up *Upload) validate(limit int) error {
	switch {
	case !isName(up.Name):
		return invalid("DOCUMENT_NAME", "name must be 1 to 256 bytes of UTF-8 without control characters")
	case up.Title != "" && !isName(up.Title):
		return invalid("DOCUMENT_TITLE", "title must be at most 256 bytes of UTF-8 without control characters")
	case !isAddress(up.SourceURI):
		return invalid("DOCUMENT_SOURCE_URI", "source_uri must be an http or https address of at most 2048 bytes, or empty")
	case len(up.Content) > limit:
		return tooLarge(limit)
	}
	kind, known := reader.Kind(up.Type, up.Name, up.Content)
	if !known {
		return invalid("CONTENT_TYPE", "content_type must be that of plain text, Markdown, HTML, CSV, JSON, PDF, DOCX or XLSX")
	}
	up.Type = kind
	if err := up.validateText(); err != nil {
		return err
	}
	return CheckReaders(&up.Audience, &up.Trust)
}

func tooLarge(limit int) error {
	return fault.Newf(fault.Invalid, "CONTENT_TOO_LARGE", "content must be at most %d MiB", limit>>20)
}

// validateText refuses what cannot be text, in the kinds that are.
func (up *Upload) validateText() error {
	switch up.Type {
	case rag.PDF, rag.DOCX, rag.XLSX:
		return nil
	case rag.CSV:
	default:
		if !utf8.Valid(up.Content) {
			return invalid("CONTENT_NOT_UTF8", "content is not valid UTF-8")
		}
	}
	if len(up.Content) > maxText {
		return tooLarge(maxText)
	}
	return nil
}

// CheckReaders returns Invalid for an audience or a trust that it does not know, and fills in the ordinary ones.
func CheckReaders(audience *rag.Audience, trust *rag.Trust) error {
	*audience, *trust = cmp.Or(*audience, rag.Public), cmp.Or(*trust, rag.Company)
	switch {
	case *audience != rag.Public && *audience != rag.Internal:
		return invalid("AUDIENCE", "audience must be public or internal")
	case *trust != rag.Company && *trust != rag.FromUsers && *trust != rag.Draft:
		return invalid("TRUST", "trust must be company, user or draft")
	}
	return nil
}

func invalid(reason, message string) error { return fault.New(fault.Invalid, reason, message) }

func isName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && strings.TrimSpace(s) != "" &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func isAddress(s string) bool {
	if s == "" {
		return true
	}
	if len(s) > maxURI || strings.ContainsAny(s, " <>\"\\^`{|}\r\n\t") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
