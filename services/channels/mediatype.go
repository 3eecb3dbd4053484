package channels

import (
	"mime"
	"net/http"
	"strings"
)

// opaqueType is the type of a file of which no more is known or believed.
const opaqueType = "application/octet-stream"

const mebibyte = 1 << 20

// maxMIMEType bounds a stated type; the longest registered ones have some 80 characters.
const maxMIMEType = 120

// SafeMIMEType returns the type that a received file is kept under: the stated one if it is sane, else what its first bytes
// (up to 512) show. It never returns a type that a browser would run, such as HTML or SVG, whatever is stated or shown.
func SafeMIMEType(stated string, head []byte) string {
	said, sane := inertType(stated)
	shown, harmless := inertType(sniff(head))
	switch {
	case !harmless && !strings.HasPrefix(said, "text/"):
		return opaqueType
	case sane && said != opaqueType:
		return said
	case harmless:
		return shown
	}
	return opaqueType
}

// sniff is http.DetectContentType, which calls Ogg an application's though phones send nothing but sound in it.
func sniff(head []byte) string {
	if shown := http.DetectContentType(head); shown != "application/ogg" {
		return shown
	}
	return "audio/ogg"
}

// inertType returns a stated type in its plain form, with the codecs as its only parameter, and false for one that is no
// type of a file or that a browser would run.
func inertType(stated string) (string, bool) {
	if len(stated) > maxMIMEType {
		return "", false
	}
	// Of a type with broken parameters the type itself is returned beside the error.
	base, parameters, _ := mime.ParseMediaType(stated)
	kind, _, found := strings.Cut(base, "/")
	if !found || isActive(base) {
		return "", false
	}
	switch kind {
	case "image", "audio", "video", "text", "application":
	default:
		return "", false
	}
	if codecs := parameters["codecs"]; codecs != "" {
		return mime.FormatMediaType(base, map[string]string{"codecs": codecs}), true
	}
	return base, true
}

// isActive reports types that browsers run or that can hold scripts.
func isActive(base string) bool {
	switch base {
	case "text/html", "text/xml", "text/xsl", "application/xml":
		return true
	}
	return strings.HasSuffix(base, "+xml") || strings.HasSuffix(base, "javascript") || strings.HasSuffix(base, "ecmascript")
}

// UploadLimit returns how large a file of a type may be to be sent through a platform, and false for a type that the platform
// does not take. The types and sizes of WhatsApp are Meta's ("Media", page of 2025-12-11); a static sticker may have 100 KB
// only. Telegram takes any type, as a document at least.
func UploadLimit(p Platform, mimeType string) (limit int64, ok bool) {
	said, sane := inertType(mimeType)
	if !sane {
		return 0, false
	}
	if p == Telegram {
		return MaxMediaBytes, true
	}
	base, _, _ := strings.Cut(said, ";")
	switch base {
	case "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "video/mp4", "video/3gpp":
		return 16 * mebibyte, true
	case "image/jpeg", "image/png":
		return 5 * mebibyte, true
	case "image/webp": // stickers
		return mebibyte / 2, true
	case "text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation":
		return MaxMediaBytes, true // Meta takes 100 MB
	}
	return 0, false
}

// UploadType returns the type that an uploaded file is kept under, and false if its first bytes show something else: providers
// look too, and refuse it when it is to be sent. Only images are told apart for sure.
func UploadType(stated string, head []byte) (string, bool) {
	said, sane := inertType(stated)
	shown := sniff(head)
	if !sane || strings.HasPrefix(said, "image/") && strings.HasPrefix(shown, "image/") && said != shown {
		return "", false
	}
	return said, SafeMIMEType(stated, head) == said
}
