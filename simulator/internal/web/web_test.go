package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/internal/web"
)

func TestPage(t *testing.T) {
	t.Parallel()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		web.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	files := map[string]string{}
	static := os.DirFS("static")
	names, err := fs.Glob(static, "*")
	require.NoError(t, err)
	for _, name := range names {
		content, err := fs.ReadFile(static, name)
		require.NoError(t, err)
		files[name] = string(content)
	}

	t.Run("EveryFileThatIsNamedIsThere", func(t *testing.T) {
		t.Parallel()
		named := regexp.MustCompile(`(?:src|href)="([^"]+)"|from '\./([^']+)'`)
		for name, content := range files {
			for _, match := range named.FindAllStringSubmatch(content, -1) {
				require.Contains(t, files, match[1]+match[2], name)
			}
		}
		require.Equal(t, http.StatusOK, get("/").Code)
		require.Contains(t, get("/app.js").Header().Get("Content-Type"), "javascript")
		require.Equal(t, http.StatusNotFound, get("/nothing.js").Code)
	})

	t.Run("LoadsNothingFromElsewhere", func(t *testing.T) {
		t.Parallel()
		for name, content := range files {
			for _, address := range regexp.MustCompile(`https?://[a-z][^\s'"<>)]*`).FindAllString(content, -1) {
				require.Equal(t, "http://www.w3.org/2000/svg", address, name)
			}
		}
		require.Contains(t, get("/").Header().Get("Content-Security-Policy"), "script-src 'self'")
	})

	t.Run("TextNeverBecomesMarkup", func(t *testing.T) {
		t.Parallel()
		for name, content := range files {
			for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
				require.NotContains(t, content, danger, name)
			}
		}
	})

	t.Run("EveryChoiceHasAName", func(t *testing.T) {
		t.Parallel()
		for _, match := range regexp.MustCompile(`(?:file|say)\('(\w+)'|label: '(\w+)'`).FindAllStringSubmatch(files["attach.js"], -1) {
			name := regexp.MustCompile(`\b` + match[1] + match[2] + `: ['"]`)
			require.Len(t, name.FindAllString(files["words.js"], -1), 2, "%s in both languages", match[0])
		}
	})

	t.Run("EveryFaultCanBeOrdered", func(t *testing.T) {
		t.Parallel()
		source, err := os.ReadFile("../../fault.go")
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`FaultKind = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			require.Contains(t, files["faults.js"], "'"+match[1]+"'")
		}
	})

	t.Run("SaysEverythingInBothLanguages", func(t *testing.T) {
		t.Parallel()
		spanish, english, ok := strings.Cut(files["words.js"], "\n  en: {")
		require.True(t, ok)
		english, _, _ = strings.Cut(english, "\n};")
		used := regexp.MustCompile(`word\('(\w+)'\)|data-(?:text|title)="(\w+)"`)
		for name, content := range files {
			for _, match := range used.FindAllStringSubmatch(content, -1) {
				key := regexp.MustCompile(`\b` + match[1] + match[2] + `: ['"]`)
				require.Regexp(t, key, spanish, name)
				require.Regexp(t, key, english, name)
			}
		}
	})
}
