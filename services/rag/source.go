package rag

import "time"

// SourceID is a UUID.
type SourceID string

// SourceKind is what stands at a source's address.
type SourceKind string

// The kinds of source.
const (
	PageSource    SourceKind = "page"
	SitemapSource SourceKind = "sitemap"
)

// Source is a web address that documents come from.
type Source struct {
	ID            SourceID
	KnowledgeBase string
	URL           string
	Kind          SourceKind
	Audience      Audience
	Trust         Trust
	// Interval is how long after a refresh the next one begins.
	Interval        time.Duration
	Refreshing      bool
	PageCount       int
	FailedPageCount int
	// Reason and Message say why the last refresh was not whole.
	Reason  string
	Message string
	// RefreshTime is when the last refresh ended, zero before the first.
	RefreshTime     time.Time
	NextRefreshTime time.Time
	CreateTime      time.Time
}

// SourcePage is a page of a source.
type SourcePage struct {
	URL          string
	DocumentName string
	// ETag and LastModified are the server's, by which it is asked whether the page changed. They are empty if the page has
	// to be fetched whatever they say, because there is no document of it.
	ETag, LastModified string
	// Reason and Message say why it could not be fetched.
	Reason    string
	Message   string
	FetchTime time.Time
}

// Crawl is a source that a worker holds.
type Crawl struct {
	Source
	KnowledgeBaseID KnowledgeBaseID
	// Lease is what the worker shows with every change.
	Lease string
	// StartTime is when this refresh was begun, maybe by another worker: pages fetched since are done.
	StartTime time.Time
}
