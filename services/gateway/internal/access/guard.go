package access

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// Guard lets calls in, or not.
type Guard struct {
	table    Table
	auth     Authenticator
	audit    audit
	callers  *buckets
	sources  *buckets
	failures *buckets
	now      func() time.Time
}

// NewGuard makes a guard whose limits all ways in share.
func NewGuard(auth Authenticator, recorder Recorder, limits Limits, log *zap.Logger) *Guard {
	return &Guard{
		table: NewTable(), auth: auth, audit: audit{recorder, log}, now: time.Now,
		callers: newBuckets(limits.Caller), sources: newBuckets(limits.Address), failures: newBuckets(limits.Failures),
	}
}

// Serves says whether a method may be called from outside by anybody.
func (g *Guard) Serves(method string) bool { return g.table.Serves(method) }

// ServerOptions put the guard in front of a server. address tells where a call comes from.
func (g *Guard) ServerOptions(address func(context.Context) string) []grpc.ServerOption {
	d := door{g, address}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(d.unary), grpc.ChainStreamInterceptor(d.stream)}
}

// door is one way in.
type door struct {
	*Guard
	address func(context.Context) string
}

func (d door) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	v := d.visit(ctx, info.FullMethod)
	if err := v.admit(ctx, request); err != nil {
		return nil, err
	}
	defer v.leave(ctx, &err)
	err = errBroken()
	return next(ctx, request)
}

func (d door) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	v := d.visit(ss.Context(), info.FullMethod)
	if err := v.admit(ss.Context(), nil); err != nil {
		return err
	}
	defer v.leave(ss.Context(), &err)
	err = errBroken()
	return next(srv, ss)
}

// errBroken is the outcome of a handler that panics: the interceptor that catches it stands outside of this one.
func errBroken() error { return fault.New(fault.Internal, "PANIC", "internal error") }

// visit is one call at a door.
type visit struct {
	*Guard
	method  string // package.Service/Method
	address string
	rule    Rule
	known   bool
	caller  gateway.Caller
}

func (d door) visit(ctx context.Context, fullMethod string) *visit {
	v := &visit{Guard: d.Guard, method: strings.TrimPrefix(fullMethod, "/"), address: d.address(ctx)}
	v.rule, v.known = d.table.Rule(v.method)
	return v
}

// admit says nil or why not. What a known caller may not change is written down as well.
func (v *visit) admit(ctx context.Context, request any) error {
	switch {
	case !v.known || v.rule.Peers:
		return fault.New(fault.Denied, "METHOD_CLOSED", "the method is not for callers from outside")
	case v.rule.Public:
		return nil
	}
	if err := v.authenticate(ctx); err != nil {
		return err
	}
	err := v.authorize(request)
	if err != nil {
		v.leave(ctx, &err)
	}
	return err
}

// authenticate finds out who calls, within the limits of where they call from and of themselves.
func (v *visit) authenticate(ctx context.Context) error {
	from, now := network(v.address), v.now()
	if wait := v.sources.take(from, now); wait > 0 {
		return throttled("RATE_LIMITED", "too many calls from this address", wait)
	}
	if wait := v.failures.wait(from, now); wait > 0 {
		return throttled("TOO_MANY_FAILURES", "too many credentials from this address were not valid", wait)
	}
	token, err := tokenOf(ctx)
	if err != nil {
		return err // no guess: it cost nothing
	}
	if v.caller, err = v.auth.Authenticate(ctx, token); err != nil {
		if fault.IsKind(err, fault.Unauthenticated) {
			v.failures.take(from, now)
		}
		return err
	}
	if wait := v.callers.take(v.caller.ID, now); wait > 0 {
		return throttled("RATE_LIMITED", "too many calls with this credential", wait)
	}
	return nil
}

// authorize says whether the caller may do this.
func (v *visit) authorize(request any) error {
	if v.caller.Role < v.rule.Role {
		return fault.Newf(fault.Denied, "ROLE_TOO_LOW", "this needs the role %s", v.rule.Role)
	}
	if v.caller.IntegrationID != "" && !names(request, v.rule.Scope, v.caller.IntegrationID) {
		return fault.New(fault.Denied, "KEY_SCOPED", "the key is for one integration, which the request does not name")
	}
	return nil
}

// leave writes down how a change went.
func (v *visit) leave(ctx context.Context, err *error) {
	if v.rule.Changes() {
		v.audit.write(ctx, v, *err)
	}
}

func throttled(reason, message string, wait time.Duration) error {
	return fault.New(fault.Throttled, reason, message).WithRetryAfter(wait)
}
