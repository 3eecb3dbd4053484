package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/knobot/knobot/platform/publicnet"
	"github.com/knobot/knobot/services/channels"
)

const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 15 * time.Second
	// maxHops is how many redirects are followed.
	maxHops = 3
)

// DownloaderConfig says where a provider's files may be had from.
type DownloaderConfig struct {
	// Base is the configured address of the provider's API. Its own host and port may be private, and http where Base is.
	Base string
	// Hosts are the provider's other hosts: names, or "*." and a domain. They are asked by https alone and never where they
	// resolve to a private address.
	Hosts []string
	// Redirects are followed, each hop checked like the first address. Leave it off where the address holds a secret.
	Redirects bool
	// Proxy is http.ProxyFromEnvironment if nil.
	Proxy func(*http.Request) (*url.URL, error)
}

// Downloader gets files from addresses that a provider's answer named. It goes nowhere but to that provider: an answer, or a
// redirect, that names another place is refused, so that no token and no request reaches what stands beside us.
type Downloader struct {
	fence fence
	http  *http.Client
}

// NewDownloader returns a downloader.
func NewDownloader(c DownloaderConfig) *Downloader {
	d := &Downloader{fence: fence{hosts: c.Hosts}}
	if base, err := url.Parse(c.Base); err == nil && base.Host != "" {
		d.fence.base = base
	}
	proxy := c.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	d.http = &http.Client{
		Transport: &http.Transport{
			Proxy: proxy, DialContext: d.dialer(proxy), ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout,
			ResponseHeaderTimeout: headerTimeout, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 8,
			DisableCompression: true, // the hash is of the bytes as they are
		},
		CheckRedirect: d.redirect(c.Redirects),
	}
	return d
}

// dialer connects to public addresses only, except to the configured base and to a configured proxy, which resolves the names
// by itself.
func (d *Downloader) dialer(proxy func(*http.Request) (*url.URL, error)) func(context.Context, string, string) (net.Conn, error) {
	own := proxies(proxy)
	if d.fence.base != nil {
		own = append(own, hostPort(d.fence.base))
	}
	anywhere := &net.Dialer{Timeout: dialTimeout}
	public := &net.Dialer{Timeout: dialTimeout, Control: publicnet.Control}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if slices.Contains(own, address) {
			return anywhere.DialContext(ctx, network, address)
		}
		return public.DialContext(ctx, network, address)
	}
}

// proxies returns the addresses of the configured proxies.
func proxies(proxy func(*http.Request) (*url.URL, error)) []string {
	var found []string
	for _, scheme := range [...]string{"https", "http"} {
		asked := &http.Request{URL: &url.URL{Scheme: scheme, Host: "knobot.invalid"}}
		if u, err := proxy(asked); err == nil && u != nil {
			found = append(found, hostPort(u))
		}
	}
	return found
}

func (d *Downloader) redirect(follow bool) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, before []*http.Request) error {
		if !follow || len(before) > maxHops {
			return errOutside
		}
		next.Header.Del("Referer") // it would tell the signed address
		if hostPort(next.URL) != hostPort(before[0].URL) {
			next.Header.Del("Authorization")
		}
		_, err := d.fence.check(next.URL.String())
		return err
	}
}

// Get asks for a file; the caller closes the body. Its errors, and those of reading the body, are *channels.SendError.
// Where redirects lead to another host the Authorization header stays behind.
func (d *Downloader) Get(ctx context.Context, r Request) (*http.Response, error) {
	if _, err := d.fence.check(r.URL); err != nil {
		return nil, refused(err)
	}
	request, err := newGet(ctx, r)
	if err != nil {
		return nil, err
	}
	response, err := d.http.Do(request)
	if err != nil {
		if response != nil {
			_ = response.Body.Close()
		}
		if errors.Is(err, errOutside) || errors.Is(err, publicnet.ErrInward) {
			return nil, refused(err)
		}
		return nil, failure(err, false, r.Secrets)
	}
	response.Body = body{response.Body, r.Secrets}
	return response, nil
}

// refused is a class that may be tried again: what is wrong is the provider's answer or our list, and not the file.
func refused(err error) error {
	known := errOutside
	if errors.Is(err, publicnet.ErrInward) {
		known = publicnet.ErrInward
	}
	return &channels.SendError{Class: channels.ClassRetry, Message: known.Error()}
}

// body says in our words why reading broke off.
type body struct {
	io.ReadCloser
	secrets []string
}

// Read reads.
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = failure(err, true, b.secrets)
	}
	return n, err
}

// ErrDeadLink says that an address of a file has expired; a fresh one may be had.
var ErrDeadLink = errors.New("the address of the file has expired")

// Fresh calls fetch, which asks the provider for an address and then for the file, and once more if the address had expired
// meanwhile. It ends with channels.ErrMediaGone if a fresh one is dead too.
func Fresh(fetch func() (channels.ProviderFile, error)) (channels.ProviderFile, error) {
	file, err := fetch()
	if errors.Is(err, ErrDeadLink) {
		file, err = fetch()
	}
	if errors.Is(err, ErrDeadLink) {
		return channels.ProviderFile{}, channels.ErrMediaGone
	}
	return file, err
}

// Rest reads what a server says instead of a file.
func Rest(r *http.Response) Response {
	defer func() { _ = r.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(r.Body, maxResponse)) // half an explanation is as good as none
	return Response{Status: r.StatusCode, Header: r.Header, Body: said}
}
