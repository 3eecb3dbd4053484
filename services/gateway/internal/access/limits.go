package access

import (
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Rate is so many calls a second, and so many at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits bound the calls of the management API, in each replica by itself.
type Limits struct {
	Caller   Rate // of one key or person
	Address  Rate // of one address, whoever calls
	Failures Rate // credentials of one address that are nobody's
}

// DefaultLimits leave room for a script that imports documents and for a page that loads many lists, not for guessing.
func DefaultLimits() Limits {
	return Limits{Caller: Rate{100, 200}, Address: Rate{200, 400}, Failures: Rate{1.0 / 6, 10}}
}

// maxBuckets bounds the memory of a limit. Who calls from more addresses than that at once is nobody's customer.
const maxBuckets = 10_000

// buckets are token buckets by key, of which those used last are remembered.
type buckets struct {
	rate Rate
	of   *lru.Cache[string, *rate.Limiter]
}

func newBuckets(r Rate) *buckets {
	of, _ := lru.New[string, *rate.Limiter](maxBuckets) // refuses sizes below one only
	return &buckets{rate: r, of: of}
}

func (b *buckets) bucket(key string) *rate.Limiter {
	if l, ok := b.of.Get(key); ok {
		return l
	}
	fresh := rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)
	if l, ok, _ := b.of.PeekOrAdd(key, fresh); ok {
		return l
	}
	return fresh
}

// take takes a token, or says how long there is none.
func (b *buckets) take(key string, now time.Time) (wait time.Duration) {
	r := b.bucket(key).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// wait says how long there is no token, without taking one.
func (b *buckets) wait(key string, now time.Time) time.Duration {
	missing := 1 - b.bucket(key).TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / b.rate.PerSecond * float64(time.Second))
}

// network is what of an address one customer holds: an IPv6 network has addresses without end.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64) // a v6 address has one
	return p.String()
}
