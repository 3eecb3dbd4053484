package channels_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

func TestFilenamesFromOutsideAreOnlyNames(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]string{
		"factura.pdf":                      "factura.pdf",
		"Cotización ñ 2026.pdf":            "Cotización ñ 2026.pdf",
		"../../etc/passwd":                 "passwd",
		`C:\Users\ana\foto.jpg`:            "foto.jpg",
		"a\x00b\r\n.pdf":                   "ab.pdf",
		"fac\u202Efdp.exe":                 "facfdp.exe",
		"\xff.pdf":                         ".pdf",
		"":                                 "",
		"..":                               "",
		"/":                                "",
		" x ":                              "x",
		strings.Repeat("a", 300) + ".pdf":  strings.Repeat("a", 236) + ".pdf",
		strings.Repeat("ñ", 200) + ".jpeg": strings.Repeat("ñ", 117) + ".jpeg",
	} {
		require.Equal(t, want, channels.CleanFilename(name), name)
	}
}

func TestTypesOfReceivedFiles(t *testing.T) {
	t.Parallel()
	const (
		jpeg = "\xff\xd8\xff\xe0"
		page = "<!DOCTYPE html><script>"
		svg  = "<?xml version=\"1.0\"?><svg>"
	)

	for _, c := range []struct{ stated, head, want string }{
		{"image/jpeg", jpeg, "image/jpeg"},
		{"audio/ogg; codecs=opus", "OggS\x00", "audio/ogg; codecs=opus"},
		{"IMAGE/JPEG; name=x", jpeg, "image/jpeg"},
		{"", jpeg, "image/jpeg"},
		{"", "OggS\x00", "audio/ogg"},
		{"application/octet-stream", jpeg, "image/jpeg"},
		{"nonsense", jpeg, "image/jpeg"},
		{"image/jpeg\r\nX: y", jpeg, "image/jpeg"},
		{"text/csv", "a,b", "text/csv"},
		{"text/plain", page, "text/plain"},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"text/html", page, "application/octet-stream"},
		{"text/html", jpeg, "image/jpeg"},
		{"image/svg+xml", svg, "application/octet-stream"},
		{"application/javascript", "x", "text/plain"},
		{"image/jpeg", page, "application/octet-stream"},
		{"application/pdf", svg, "application/octet-stream"},
		{"", page, "application/octet-stream"},
		{"multipart/form-data", "\x00\x01", "application/octet-stream"},
		{"application/" + strings.Repeat("x", 200), "\x00\x01", "application/octet-stream"},
	} {
		require.Equal(t, c.want, channels.SafeMIMEType(c.stated, []byte(c.head)), "%q %q", c.stated, c.head)
	}
}

func TestUploadsAreWhatThePlatformTakes(t *testing.T) {
	t.Parallel()

	for mimeType, want := range map[string]int64{
		"image/jpeg": 5 << 20, "audio/ogg; codecs=opus": 16 << 20, "video/mp4": 16 << 20, "image/webp": 512 << 10, "application/pdf": channels.MaxMediaBytes,
	} {
		limit, ok := channels.UploadLimit(channels.WhatsApp, mimeType)
		require.True(t, ok, mimeType)
		require.Equal(t, want, limit, mimeType)
		limit, ok = channels.UploadLimit(channels.Telegram, mimeType)
		require.True(t, ok, mimeType)
		require.EqualValues(t, channels.MaxMediaBytes, limit)
	}
	for _, mimeType := range []string{"", "image/gif", "image/svg+xml", "text/html", "application/zip", "nonsense"} {
		_, ok := channels.UploadLimit(channels.WhatsApp, mimeType)
		require.False(t, ok, mimeType)
	}
	for mimeType, want := range map[string]bool{"image/gif": true, "application/zip": true, "text/html": false, "image/svg+xml": false, "": false} {
		_, ok := channels.UploadLimit(channels.Telegram, mimeType)
		require.Equal(t, want, ok, mimeType)
	}
}

func TestUploadsAreWhatTheirTypeSays(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		stated, head string
		ok           bool
	}{
		{"image/jpeg", "\xff\xd8\xff\xe0", true},
		{"image/png", "\xff\xd8\xff\xe0", false},
		{"application/pdf", "%PDF-1.7", true},
		{"application/pdf", "<html><body>", false},
		{"text/plain", "<html><body>", true},
		{"text/html", "<html><body>", false},
		{"audio/ogg; codecs=opus", "OggS\x00", true},
	} {
		_, ok := channels.UploadType(c.stated, []byte(c.head))
		require.Equal(t, c.ok, ok, "%q %q", c.stated, c.head)
	}
}
