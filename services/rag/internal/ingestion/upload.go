package ingestion

import (
	"cmp"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// Bounds of an upload.
const (
	maxContent = 8 << 20
	maxName    = 256
	maxURI     = 2048
)

// validate refuses what can never be taken in, and fills in the type by the name's ending.
func (up *Upload) validate() error {
	switch {
	case !isName(up.Name):
		return invalid("DOCUMENT_NAME", "name must be 1 to 256 bytes of UTF-8 without control characters")
	case up.Title != "" && !isName(up.Title):
		return invalid("DOCUMENT_TITLE", "title must be at most 256 bytes of UTF-8 without control characters")
	case !isAddress(up.SourceURI):
		return invalid("DOCUMENT_SOURCE_URI", "source_uri must be an http or https address of at most 2048 bytes, or empty")
	case len(up.Content) > maxContent:
		return invalid("CONTENT_TOO_LARGE", "content must be at most 8 MiB")
	case !utf8.Valid(up.Content):
		return invalid("CONTENT_NOT_UTF8", "content is not valid UTF-8")
	}
	kind, ok := contentType(up.Type, up.Name)
	if !ok {
		return invalid("CONTENT_TYPE", "content_type must be text/plain, text/markdown or text/html")
	}
	up.Type = kind
	return up.validateReaders()
}

// validateReaders refuses an audience or a trust that it does not know, and fills in the ordinary ones.
func (up *Upload) validateReaders() error {
	up.Audience, up.Trust = cmp.Or(up.Audience, rag.Public), cmp.Or(up.Trust, rag.Company)
	switch {
	case up.Audience != rag.Public && up.Audience != rag.Internal:
		return invalid("AUDIENCE", "audience must be public or internal")
	case up.Trust != rag.Company && up.Trust != rag.FromUsers && up.Trust != rag.Draft:
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

// contentType takes the type given, without its parameters, else goes by the name's ending.
func contentType(given rag.ContentType, name string) (rag.ContentType, bool) {
	base, _, _ := strings.Cut(string(given), ";")
	switch kind := rag.ContentType(strings.ToLower(strings.TrimSpace(base))); kind {
	case rag.PlainText, rag.Markdown, rag.HTML:
		return kind, true
	case "":
	default:
		return "", false
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown":
		return rag.Markdown, true
	case ".html", ".htm":
		return rag.HTML, true
	}
	return rag.PlainText, true
}
