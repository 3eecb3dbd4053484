package crawl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzSitemap reads what a stranger's server calls a sitemap: bounded in number, and without anything unreadable in it.
func FuzzSitemap(f *testing.F) {
	for _, seed := range []string{
		`<urlset><url><loc>https://a.example/</loc></url></urlset>`, `<sitemapindex><sitemap><loc>x</loc></sitemap></sitemapindex>`,
		`<urlset><url><loc>a<b>c</b></loc>`, "\x1f\x8b", `<?xml version="1.0" encoding="latin1"?><urlset/>`, `<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>`,
		`<urlset>` + strings.Repeat(`<url><loc>a</loc></url>`, 600) + `</urlset>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := parseSitemap(body)
		if err != nil {
			require.Empty(t, found)
			return
		}
		require.LessOrEqual(t, len(found.pages), maxPages+1)
		require.LessOrEqual(t, len(found.sitemaps), maxSitemaps+1)
		for _, address := range within("https://a.example/sitemap.xml", found.pages) {
			require.Equal(t, "a.example", hostOf(address), "only pages of its own host")
		}
	})
}
