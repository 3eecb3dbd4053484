package crawl

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/fetch"
)

const (
	// maxSitemap bounds a sitemap, in bytes; sitemaps.org allows 50 MiB, of which 500 pages need little.
	maxSitemap = 16 << 20
	// maxSitemaps bounds the sitemaps that an index leads to.
	maxSitemaps = 20
)

// listed returns the addresses of a source's pages, in the sitemap's order. With an error, the list is nil if nothing could
// be read, else it is not whole.
func (c *Crawler) listed(ctx context.Context, crawl rag.Crawl) ([]string, error) {
	if crawl.Kind == rag.PageSource {
		return []string{crawl.URL}, nil
	}
	root, err := c.sitemap(ctx, crawl.URL)
	if err != nil {
		return nil, err
	}
	pages := within(crawl.URL, root.pages)
	children := within(crawl.URL, root.sitemaps)
	var incomplete error
	if len(children) > maxSitemaps {
		children, incomplete = children[:maxSitemaps], tooManyPages()
	}
	for _, child := range children {
		if len(pages) > maxPages {
			break
		}
		more, err := c.sitemap(ctx, child)
		if err != nil {
			incomplete = err
			continue
		}
		pages = append(pages, within(crawl.URL, more.pages)...)
	}
	if len(pages) > maxPages {
		pages, incomplete = pages[:maxPages], tooManyPages()
	}
	if pages == nil && incomplete == nil {
		incomplete = fault.New(fault.Precondition, "SITEMAP_EMPTY", "the sitemap lists no page of its own host")
	}
	return pages, incomplete
}

func tooManyPages() error {
	return fault.New(fault.Precondition, "TOO_MANY_PAGES", "the sitemap lists more than 500 pages; the first ones are taken")
}

// within returns the addresses that stand on the sitemap's own host, as sitemaps.org asks; a leading "www." makes no
// difference.
func within(sitemap string, addresses []string) []string {
	own := hostOf(sitemap)
	var out []string
	for _, address := range addresses {
		if address = canonical(address); address != "" && hostOf(address) == own {
			out = append(out, address)
		}
	}
	return out
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Host), "www.")
}

// sitemap is what one lists: pages, or other sitemaps.
type sitemap struct{ pages, sitemaps []string }

func (c *Crawler) sitemap(ctx context.Context, address string) (sitemap, error) {
	got, err := c.fetcher.Get(ctx, fetch.Request{URL: address, Limit: maxSitemap})
	if err != nil {
		return sitemap{}, err
	}
	return parseSitemap(got.Body)
}

func parseSitemap(body []byte) (out sitemap, err error) {
	var content io.Reader = bytes.NewReader(body)
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		if content, err = gzip.NewReader(content); err != nil {
			return sitemap{}, unreadableSitemap(err)
		}
	}
	tokens := xml.NewDecoder(io.LimitReader(content, maxSitemap))
	parent, root := "", false
	for len(out.pages) <= maxPages && len(out.sitemaps) <= maxSitemaps {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) && root {
			break
		}
		if err != nil {
			return sitemap{}, unreadableSitemap(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := start.Name.Local; name {
		case "urlset", "sitemapindex":
			root = true
		case "url", "sitemap":
			parent = name
		case "loc":
			var address string
			if err := tokens.DecodeElement(&address, &start); err != nil {
				return sitemap{}, unreadableSitemap(err)
			}
			out.add(parent, address)
			parent = "" // an image's address, say, is not the page's
		}
	}
	if !root {
		return sitemap{}, unreadableSitemap(nil)
	}
	return out, nil
}

func (s *sitemap) add(parent, address string) {
	switch parent {
	case "url":
		s.pages = append(s.pages, address)
	case "sitemap":
		s.sitemaps = append(s.sitemaps, address)
	}
}

func unreadableSitemap(cause error) error {
	return fault.New(fault.Invalid, "SITEMAP_UNREADABLE", "there is no sitemap in XML at the address").WithCause(cause)
}
