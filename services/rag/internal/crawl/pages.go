package crawl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/fetch"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

// pages fetches all pages of a source that this refresh has not fetched yet: those that it lists, and those that it listed
// before, which may be gone. A page that fails does not hold up the others. It returns why the source itself could not be
// read, or was not taken whole.
func (c *Crawler) pages(ctx context.Context, crawl rag.Crawl) error {
	known, err := c.known(ctx, crawl)
	if err != nil {
		return err
	}
	listed, incomplete := c.listed(ctx, crawl)
	if listed == nil && incomplete != nil {
		return incomplete
	}
	for _, address := range union(listed, known) {
		page := known[address]
		if page.FetchTime.After(crawl.StartTime) {
			continue
		}
		page.URL, page.DocumentName = address, documentName(address)
		outcome, err := c.page(ctx, crawl, page)
		if err != nil {
			return err
		}
		if crawl.Kind == rag.PageSource {
			incomplete = outcome
		}
	}
	return incomplete
}

func (c *Crawler) known(ctx context.Context, crawl rag.Crawl) (map[string]rag.SourcePage, error) {
	list, err := c.store.SourcePages(ctx, crawl.ID, "", 2*maxPages)
	out := make(map[string]rag.SourcePage, len(list))
	for _, p := range list {
		out[p.URL] = p
	}
	return out, err
}

// union returns the listed addresses in their order, then the known ones that are not listed.
func union(listed []string, known map[string]rag.SourcePage) []string {
	seen := make(map[string]struct{}, len(listed))
	out := make([]string, 0, len(listed))
	add := func(address string) {
		if _, ok := seen[address]; !ok {
			seen[address] = struct{}{}
			out = append(out, address)
		}
	}
	for _, address := range listed {
		add(address)
	}
	for address := range known {
		add(address)
	}
	return out
}

// page fetches one and records what became of it: outcome says why it could not be fetched, and err that the refresh cannot
// go on.
func (c *Crawler) page(ctx context.Context, crawl rag.Crawl, page rag.SourcePage) (outcome, err error) {
	got, err := c.fetcher.Get(ctx, fetch.Request{
		URL: page.URL, ETag: page.ETag, LastModified: page.LastModified, Limit: ingestion.MaxFile,
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	page.Reason, page.Message = fault.ReasonOf(err), fault.MessageOf(err)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return err, c.gone(ctx, crawl, page)
	case err != nil, got.NotModified:
		return err, c.store.SavePage(ctx, crawl, page, true)
	}
	return nil, c.take(ctx, crawl, page, got)
}

// gone withdraws a page's document. A source that is this page says so; of a sitemap's page nothing remains.
func (c *Crawler) gone(ctx context.Context, crawl rag.Crawl, page rag.SourcePage) error {
	if crawl.Kind == rag.PageSource {
		page.ETag, page.LastModified = "", ""
		if err := c.store.SavePage(ctx, crawl, page, true); err != nil {
			return err
		}
		return c.library.Withdraw(ctx, crawl.KnowledgeBaseID, page.DocumentName)
	}
	if err := c.store.RenewSource(ctx, crawl, lease); err != nil {
		return err
	}
	if err := c.library.Withdraw(ctx, crawl.KnowledgeBaseID, page.DocumentName); err != nil {
		return err
	}
	return c.store.RemovePage(ctx, crawl, page.URL)
}

// take hands a page on. It is recorded before and after: before, so that the document of a source that is deleted meanwhile
// is known; as done, with the server's marks, only after, so that a page which was not handed on is fetched again.
func (c *Crawler) take(ctx context.Context, crawl rag.Crawl, page rag.SourcePage, got fetch.Page) error {
	page.ETag, page.LastModified = "", ""
	if err := c.store.SavePage(ctx, crawl, page, false); err != nil {
		return err
	}
	_, err := c.library.Submit(ctx, ingestion.Upload{
		KnowledgeBase: crawl.KnowledgeBase, Name: page.DocumentName, SourceURI: page.URL,
		Type: rag.ContentType(got.ContentType), Content: got.Body, Audience: crawl.Audience, Trust: crawl.Trust,
	})
	switch kind := fault.KindOf(err); {
	case kind == fault.Invalid:
		page.Reason, page.Message = fault.ReasonOf(err), fault.MessageOf(err)
	case err != nil:
		return err
	}
	page.ETag, page.LastModified = clipped(got.ETag), clipped(got.LastModified)
	err = c.store.SavePage(ctx, crawl, page, true)
	if errors.Is(err, postgres.ErrLeaseLost) {
		if _, gone := c.store.Source(ctx, crawl.ID); fault.KindOf(gone) == fault.NotFound {
			return errors.Join(err, c.library.Withdraw(ctx, crawl.KnowledgeBaseID, page.DocumentName))
		}
	}
	return err
}

// maxMark bounds a server's ETag, in bytes; a longer one is not repeated to it.
const maxMark = 1024

func clipped(mark string) string {
	if len(mark) > maxMark || strings.ToValidUTF8(mark, "") != mark {
		return ""
	}
	return mark
}

// maxDocumentName bounds the name of a document, in bytes.
const maxDocumentName = 256

// documentName is the address, or its beginning with a hash of all.
func documentName(address string) string {
	if len(address) <= maxDocumentName {
		return address
	}
	sum := sha256.Sum256([]byte(address))
	return strings.ToValidUTF8(address[:maxDocumentName-40], "") + "#" + hex.EncodeToString(sum[:16])
}

// canonical returns an address as sources write it, or "" for what cannot be fetched.
func canonical(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.ToLower(u.Host)
	if address = u.String(); len(address) > maxURL {
		return ""
	}
	return address
}
