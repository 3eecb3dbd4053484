package fetch

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/temoto/robotstxt"

	"github.com/knobot/knobot/platform/fault"
)

const (
	// robotsAge is how long a robots.txt is good for; RFC 9309 allows a day.
	robotsAge = time.Hour
	// robotsLimit bounds one, in bytes: RFC 9309 asks for at least 500 KiB.
	robotsLimit = 512 << 10
	// maxDelay bounds the pause that a site may ask for.
	maxDelay = 10 * time.Second
)

// robots knows what sites want of us.
type robots struct {
	get func(ctx context.Context, address *url.URL, limit int64) (status int, body []byte, err error)

	mu    sync.Mutex
	known map[string]rules
}

type rules struct {
	group   *robotstxt.Group
	fetched time.Time
}

func newRobots(get func(ctx context.Context, address *url.URL, limit int64) (int, []byte, error)) *robots {
	return &robots{get: get, known: map[string]rules{}}
}

// check returns Denied for a page that the site does not want us to get, and Unavailable while it does not say.
func (r *robots) check(ctx context.Context, page *url.URL) error {
	group, err := r.of(ctx, page)
	if err != nil {
		return err
	}
	path := page.EscapedPath()
	if path == "" {
		path = "/"
	}
	if page.RawQuery != "" {
		path += "?" + page.RawQuery
	}
	if !group.Test(path) {
		return fault.New(fault.Denied, "ROBOTS_DISALLOWED", "the site's robots.txt does not allow this page")
	}
	return nil
}

// of returns the rules of a page's site.
func (r *robots) of(ctx context.Context, page *url.URL) (*robotstxt.Group, error) {
	site := page.Scheme + "://" + page.Host
	if found, ok := r.remembered(site); ok {
		return found, nil
	}
	address := &url.URL{Scheme: page.Scheme, Host: page.Host, Path: "/robots.txt"}
	status, body, err := r.get(ctx, address, robotsLimit)
	if err != nil {
		if fault.KindOf(err) == fault.Invalid { // the guard's refusal
			return nil, err
		}
		return nil, robotsUnavailable(err)
	}
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return nil, robotsUnavailable(nil)
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		body = nil // a page that the site serves for every address, and no rules
	}
	data, err := robotstxt.FromStatusAndBytes(status, body)
	if err != nil {
		return nil, robotsUnavailable(err)
	}
	group := data.FindGroup(agent)
	r.remember(site, group)
	return group, nil
}

func robotsUnavailable(cause error) error {
	return fault.New(fault.Unavailable, "ROBOTS_UNAVAILABLE", "the site's robots.txt could not be read").WithCause(cause)
}

func (r *robots) remembered(site string) (*robotstxt.Group, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.known[site]
	return found.group, ok && time.Since(found.fetched) < robotsAge
}

func (r *robots) remember(site string, group *robotstxt.Group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxHosts {
		clear(r.known)
	}
	r.known[site] = rules{group: group, fetched: time.Now()}
}

// delay is the pause that a site asked for, 0 if it did not or is not known.
func (r *robots) delay(page *url.URL) time.Duration {
	if group, ok := r.remembered(page.Scheme + "://" + page.Host); ok && group != nil {
		return min(group.CrawlDelay, maxDelay)
	}
	return 0
}
