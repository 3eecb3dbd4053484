package admin

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/gen/openapi"
)

func TestDocumentAndPageNeedNoKey(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for path, kind := range map[string]string{pathDocument: "application/json", pathPage: "text/html; charset=utf-8"} {
		got := s.do(t, http.MethodGet, path, nil, http.Header{"Authorization": nil})
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, kind, got.header.Get("Content-Type"))
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, got.header.Get("Content-Security-Policy"), "unsafe")
		require.Empty(t, got.header.Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, string(openapi.Document()), s.get(t, pathDocument).body)
	require.Empty(t, s.services.all())
}

func TestPageShowsEveryCallAndLoadsNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	html := s.get(t, pathPage).body
	require.NotRegexp(t, `<(script|link|img|iframe)|url\(|@import`, html)
	for _, target := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		to := target[1]
		if anchor, ok := strings.CutPrefix(to, "#"); ok {
			require.Contains(t, html, `id="`+anchor+`"`, "a link leads somewhere")
			continue
		}
		require.Equal(t, pathDocument, to)
	}
	d, err := readDocument(openapi.Document())
	require.NoError(t, err)
	for path, methods := range d.Paths {
		require.Contains(t, html, "<code>"+path+"</code>")
		for _, o := range methods {
			require.Contains(t, html, `id="`+o.OperationID+`"`)
		}
	}
	for name := range d.Components.Schemas {
		require.Contains(t, html, `id="`+name+`"`)
	}
}
