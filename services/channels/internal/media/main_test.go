package media_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/bucket"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/media"
	"github.com/knobot/knobot/services/channels/internal/telegram"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	whatsAppID = "1013859600285441"
	telegramID = "BQACAgEAAxkBdoc"
	jpeg       = "\xff\xd8\xff\xe0 a picture"
)

// provider is a Graph API and a Bot API that have one file.
type provider struct {
	*httptest.Server
	content string
	// sha256 is stated by the Graph API; the right one if empty.
	sha256 string
	// located answers the question where the file is, and file gives it, where they are set.
	located, file http.HandlerFunc
	files         atomic.Int32
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{content: jpeg}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP answers.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if strings.HasPrefix(r.URL.Path, "/file/") {
		p.files.Add(1)
		if p.file != nil {
			p.file(w, r)
			return
		}
		_, _ = io.WriteString(w, p.content)
		return
	}
	if p.located != nil {
		p.located(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/getFile") {
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"file_id":"x","file_size":%d,"file_path":"photos/file_0.jpg"}}`, len(p.content))
		return
	}
	hash := p.sha256
	if hash == "" {
		hash = hexSum(p.content)
	}
	_, _ = fmt.Fprintf(w, `{"url":"http://%s/file/x","mime_type":"image/jpeg","sha256":%q,"file_size":"%d"}`, r.Host, hash, len(p.content))
}

func hexSum(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

type bundle struct {
	*channelstest.Bundle
	provider *provider
	dir      string
	bucket   *bucket.Bucket
	media    *media.Service
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bundle: channelstest.New(t), provider: newProvider(t), dir: t.TempDir()}
	var err error
	b.bucket, err = bucket.Open(t.Context(), "file://"+b.dir)
	require.NoError(t, err)
	t.Cleanup(b.bucket.Close)
	b.media = b.replica(t)
	return b
}

// replica is the service again, as another process has it.
func (b *bundle) replica(t *testing.T) *media.Service {
	t.Helper()
	s := media.New(b.Store, b.bucket, delivery.NewCaller(b.Integrations, b.Log), b.Integrations, map[channels.Platform]channels.MediaSource{
		channels.WhatsApp: whatsapp.New(whatsapp.Config{BaseURL: b.provider.URL}),
		channels.Telegram: telegram.New(telegram.Config{BaseURL: b.provider.URL}),
	}, b.Log)
	t.Cleanup(s.Close)
	return s
}

// kept lists the files in the bucket, without temporary ones of writes under way.
func (b *bundle) kept(t *testing.T) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(b.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(b.dir, path)
			found = append(found, filepath.ToSlash(name))
		}
		return err
	}))
	return found
}

func (b *bundle) rows(t *testing.T, table string) int {
	t.Helper()
	var n int
	require.NoError(t, b.Pool.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n))
	return n
}

func (b *bundle) fetch(ctx context.Context, i channels.Integration) (channels.MediaRecord, error) {
	r := channels.ReceivedMedia{ProviderID: whatsAppID}
	if i.Platform == channels.Telegram {
		r.ProviderID = telegramID
	}
	return b.media.Fetch(ctx, i.ID, r)
}

// read returns the bytes of a stored file.
func (b *bundle) read(t *testing.T, id string) string {
	t.Helper()
	_, body, err := b.media.Open(t.Context(), id)
	require.NoError(t, err)
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	return string(content)
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
}
