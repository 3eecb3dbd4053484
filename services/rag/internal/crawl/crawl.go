// Package crawl keeps documents that come from web addresses: it fetches the pages of sources, hands them on to be taken in,
// comes back for changes, and withdraws what is gone.
package crawl

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/fetch"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
)

// Bounds of a source.
const (
	maxURL          = 2048
	minInterval     = 15 * time.Minute
	maxInterval     = 30 * 24 * time.Hour
	defaultInterval = 24 * time.Hour
)

// Store keeps sources. What a worker does that lost its source returns postgres.ErrLeaseLost and changes nothing.
type Store interface {
	// KnowledgeBase returns NotFound if there is none of this name.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
	// CreateSource returns Conflict if the knowledge base has the address.
	CreateSource(ctx context.Context, s rag.Source) (rag.Source, error)
	// Source returns NotFound if there is none.
	Source(ctx context.Context, id rag.SourceID) (rag.Source, error)
	RequestRefresh(ctx context.Context, id rag.SourceID) error
	// DeleteSource returns NotFound if there is none.
	DeleteSource(ctx context.Context, id rag.SourceID) (kb rag.KnowledgeBaseID, documents []string, err error)

	// What the worker works by.
	ClaimSource(ctx context.Context, lease time.Duration) (c rag.Crawl, found bool, err error)
	RenewSource(ctx context.Context, c rag.Crawl, lease time.Duration) error
	ReleaseSource(ctx context.Context, c rag.Crawl) error
	FinishSource(ctx context.Context, c rag.Crawl, reason, message string, pause time.Duration) error
	SourcePages(ctx context.Context, id rag.SourceID, after string, limit int) ([]rag.SourcePage, error)
	SavePage(ctx context.Context, c rag.Crawl, p rag.SourcePage, done bool) error
	RemovePage(ctx context.Context, c rag.Crawl, url string) error
}

// Library takes documents in and out.
type Library interface {
	// Submit returns Invalid for what cannot be taken in.
	Submit(ctx context.Context, up ingestion.Upload) (rag.Ingestion, error)
	// Withdraw removes a document, if there is one of this name.
	Withdraw(ctx context.Context, kb rag.KnowledgeBaseID, name string) error
}

// Fetcher gets pages; its errors are those of package fetch.
type Fetcher interface {
	Get(ctx context.Context, r fetch.Request) (fetch.Page, error)
}

// Crawler keeps sources. It is safe for concurrent use, and by several replicas at once.
type Crawler struct {
	store   Store
	library Library
	fetcher Fetcher
	log     *zap.Logger
	wake    chan struct{}
}

// New returns a crawler, which has to be run.
func New(store Store, library Library, fetcher Fetcher, log *zap.Logger) *Crawler {
	return &Crawler{store: store, library: library, fetcher: fetcher, log: log, wake: make(chan struct{}, 1)}
}

// Create adds a source and begins to fetch it. It returns Invalid, NotFound for an unknown knowledge base, and Conflict if
// that has the address already.
func (c *Crawler) Create(ctx context.Context, s rag.Source) (rag.Source, error) {
	if err := validate(&s); err != nil {
		return rag.Source{}, err
	}
	if _, err := c.store.KnowledgeBase(ctx, s.KnowledgeBase); err != nil {
		return rag.Source{}, err
	}
	created, err := c.store.CreateSource(ctx, s)
	if err == nil {
		c.rouse()
	}
	return created, err
}

// validate refuses what can never be fetched, and fills in what was not said.
func validate(s *rag.Source) error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil, len(s.URL) > maxURL, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.User != nil:
		return fault.New(fault.Invalid, "SOURCE_URL", "url must be an http or https address of at most 2048 bytes, without a user")
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.ToLower(u.Host)
	s.URL = u.String()
	s.Kind = cmp.Or(s.Kind, kindOf(u))
	if s.Interval = cmp.Or(s.Interval, defaultInterval); s.Interval < minInterval || s.Interval > maxInterval {
		return fault.New(fault.Invalid, "REFRESH_INTERVAL", "refresh_interval must be from 15 minutes to 30 days")
	}
	return ingestion.CheckReaders(&s.Audience, &s.Trust)
}

func kindOf(u *url.URL) rag.SourceKind {
	if path := strings.ToLower(u.Path); strings.HasSuffix(path, ".xml") || strings.HasSuffix(path, ".xml.gz") {
		return rag.SitemapSource
	}
	return rag.PageSource
}

// Refresh fetches a source now. It returns NotFound if there is none.
func (c *Crawler) Refresh(ctx context.Context, id rag.SourceID) (rag.Source, error) {
	if err := c.store.RequestRefresh(ctx, id); err != nil {
		return rag.Source{}, err
	}
	s, err := c.store.Source(ctx, id)
	if err == nil {
		c.rouse()
	}
	return s, err
}

// Delete removes a source and the documents that only it has. It returns NotFound if there is none.
func (c *Crawler) Delete(ctx context.Context, id rag.SourceID) error {
	kb, documents, err := c.store.DeleteSource(ctx, id)
	if err != nil {
		return err
	}
	for _, name := range documents {
		if err := c.library.Withdraw(ctx, kb, name); err != nil {
			return err
		}
	}
	return nil
}

// rouse makes Run look at once.
func (c *Crawler) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
