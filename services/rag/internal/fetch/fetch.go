// Package fetch gets pages from web servers that are not ours: as robots.txt allows, slowly, only from public addresses, and
// never more than was asked for.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/publicnet"
)

const (
	// agent is the name that robots.txt knows us by.
	agent = "KnoBot"
	// userAgent is what servers see.
	userAgent = agent + " (+https://github.com/knobot/knobot)"
	// timeout bounds a request with its body.
	timeout = 60 * time.Second
	// maxRedirects bounds how often a page may send us on.
	maxRedirects = 5
	// defaultPause is how long a host is left alone between two requests.
	defaultPause = time.Second
)

// Config says how to fetch.
type Config struct {
	// Allow holds host:port of servers that may be asked though their addresses are not public.
	Allow []string
	// Pause is how long a host is left alone between two requests; 0 is a second.
	Pause time.Duration
}

// Client fetches. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	hosts  *hosts
	robots *robots
	guard  *guard
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Pause == 0 {
		cfg.Pause = defaultPause
	}
	g := newGuard(cfg.Allow)
	c := &Client{
		guard: g,
		hosts: newHosts(cfg.Pause),
		http: &http.Client{
			Transport: g.transport(),
			// Every hop is checked and waited for like the first one.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.robots = newRobots(c.file)
	return c
}

// Request is a page to get.
type Request struct {
	URL string
	// ETag and LastModified are those of the page that is there already, or empty.
	ETag, LastModified string
	// Limit bounds the body, in bytes.
	Limit int64
}

// Page is what a server sent.
type Page struct {
	// NotModified says that the page is the one that is there already; nothing else is filled in then.
	NotModified        bool
	ContentType        string
	ETag, LastModified string
	// Body is in UTF-8 if it is text.
	Body []byte
}

// Get fetches a page. It returns
//   - Invalid URL_FORBIDDEN for an address that is not fetched from, wherever a redirect led to it
//   - Denied ROBOTS_DISALLOWED if the site does not want it
//   - NotFound PAGE_GONE for 404 and 410
//   - Invalid CONTENT_TOO_LARGE for a body beyond the limit
//   - Precondition HTTP_STATUS for another status that says no
//   - Unavailable FETCH_FAILED or ROBOTS_UNAVAILABLE for what may be better later.
func (c *Client) Get(ctx context.Context, r Request) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	address, err := c.guard.parse(r.URL)
	if err != nil {
		return Page{}, err
	}
	response, err := c.follow(ctx, address, func(request *http.Request) error {
		setIf(request.Header, "If-None-Match", r.ETag)
		setIf(request.Header, "If-Modified-Since", r.LastModified)
		return c.robots.check(ctx, request.URL)
	})
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = response.Body.Close() }()
	return page(response, r.Limit)
}

// follow sends a request and goes where redirects lead, at the pace of every host on the way; before each of them it calls
// prepare.
func (c *Client) follow(ctx context.Context, address *url.URL, prepare func(*http.Request) error) (*http.Response, error) {
	for range maxRedirects + 1 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return nil, forbidden("it cannot be asked for")
		}
		request.Header.Set("User-Agent", userAgent)
		request.Header.Set("Accept-Language", "es, en;q=0.5, pt;q=0.5")
		if err := prepare(request); err != nil {
			return nil, err
		}
		if err := c.hosts.wait(ctx, address.Host, c.robots.delay(address)); err != nil {
			return nil, failed(err)
		}
		response, err := c.http.Do(request)
		if err != nil {
			return nil, failed(err)
		}
		next := response.Header.Get("Location")
		if response.StatusCode < 300 || response.StatusCode > 399 || response.StatusCode == http.StatusNotModified || next == "" {
			return response, nil
		}
		_ = response.Body.Close()
		if address, err = c.guard.parseReference(address, next); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Precondition, "HTTP_STATUS", "the server sends on from page to page")
}

func setIf(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	}
}

func page(response *http.Response, limit int64) (Page, error) {
	switch status := response.StatusCode; {
	case status == http.StatusNotModified:
		return Page{NotModified: true}, nil
	case status == http.StatusNotFound, status == http.StatusGone:
		return Page{}, fault.Newf(fault.NotFound, "PAGE_GONE", "the page is gone (%d)", status)
	case status == http.StatusTooManyRequests, status >= 500:
		return Page{}, fault.Newf(fault.Unavailable, "FETCH_FAILED", "the server cannot serve the page now (%d)", status)
	case status != http.StatusOK:
		return Page{}, fault.Newf(fault.Precondition, "HTTP_STATUS", "the server does not serve the page (%d)", status)
	}
	body, err := bounded(response.Body, limit)
	if err != nil {
		return Page{}, err
	}
	contentType := response.Header.Get("Content-Type")
	return Page{
		ContentType: contentType, Body: inUTF8(body, contentType),
		ETag: response.Header.Get("ETag"), LastModified: response.Header.Get("Last-Modified"),
	}, nil
}

func bounded(body io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, failed(err)
	}
	if int64(len(content)) > limit {
		return nil, fault.Newf(fault.Invalid, "CONTENT_TOO_LARGE", "the page is larger than %d MiB", limit>>20)
	}
	return content, nil
}

// inUTF8 decodes a text by what its server, its mark or its first lines say of it, as browsers do.
func inUTF8(body []byte, contentType string) []byte {
	if !strings.HasPrefix(contentType, "text/html") && !strings.HasPrefix(contentType, "text/plain") &&
		!strings.HasPrefix(contentType, "application/xhtml") {
		return body
	}
	encoding, name, _ := charset.DetermineEncoding(body, contentType)
	if name == "utf-8" {
		return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	}
	if decoded, err := encoding.NewDecoder().Bytes(body); err == nil {
		return decoded
	}
	return body
}

// failed is for what went wrong on the way. What the guard refused is found in it again.
func failed(err error) error {
	if errors.Is(err, publicnet.ErrInward) {
		return forbidden("its server's address is not public")
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fault.New(fault.Unavailable, "FETCH_FAILED", "the page could not be fetched").WithCause(err)
}

func forbidden(why string) error {
	return fault.Newf(fault.Invalid, "URL_FORBIDDEN", "the address is not fetched from: %s", why)
}

// file gets a file of a site without asking its robots.txt, which is what it is for.
func (c *Client) file(ctx context.Context, address *url.URL, limit int64) (status int, body []byte, err error) {
	response, err := c.follow(ctx, address, func(*http.Request) error { return nil })
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, limit))
	if err != nil {
		return 0, nil, fmt.Errorf("fetch: %w", err)
	}
	return response.StatusCode, body, nil
}
