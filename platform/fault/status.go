package fault

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/knobot/knobot/platform/requestid"
)

// Domain is the ErrorInfo domain of every error of ours.
const Domain = "knobot"

// classified is what may be known about an error outside the process.
type classified struct {
	kind       Kind
	code       codes.Code
	reason     string
	message    string
	retryAfter time.Duration
	hasRetry   bool
}

// Status converts err into the status that leaves the process, with ErrorInfo
// and RetryInfo. INTERNAL is a fixed sentence with the request id of ctx.
//
// It never returns the text of an error that was not written for callers:
// grpc-go sends the whole err.Error() chain if any wrapped error has a
// GRPCStatus method, so servers must convert here, outermost.
func Status(ctx context.Context, err error) *status.Status {
	if err == nil {
		return status.New(codes.OK, "")
	}
	c := classify(err)
	if c.kind == Internal && c.code == codes.Internal {
		c.message = "internal error, request " + requestid.From(ctx)
	}
	return withDetails(status.New(c.code, c.message), c)
}

// Code returns the code that [Status] would give err.
func Code(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	return classify(err).code
}

func withDetails(s *status.Status, c classified) *status.Status {
	var details []protoadapt.MessageV1
	if c.reason != "" {
		details = append(details, &errdetails.ErrorInfo{Reason: c.reason, Domain: Domain})
	}
	if c.hasRetry {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(c.retryAfter)})
	}
	if len(details) == 0 {
		return s
	}
	d, err := s.WithDetails(details...)
	if err != nil { // only for code OK, which is not an error
		return s
	}
	return d
}

// classify looks for an error of ours first, because it was put there on
// purpose, then for a peer's status, then for an ended context.
func classify(err error) classified {
	if e, ok := as(err); ok {
		r := rowOf(e.kind)
		return classified{r.kind, r.code, e.reason, e.message, e.retryAfter, e.hasRetry}
	}
	var peer interface{ GRPCStatus() *status.Status }
	if errors.As(err, &peer) && peer.GRPCStatus() != nil {
		return classifyPeer(peer.GRPCStatus())
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ended(codes.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return ended(codes.DeadlineExceeded)
	}
	return internal()
}

// classifyPeer keeps what a KnoBot service said for callers, and of any other
// status, such as grpc's own with addresses in it, the code only.
func classifyPeer(s *status.Status) classified {
	info, retry := details(s)
	kind := kindOfCode(s.Code())
	c := classified{kind: kind, code: rowOf(kind).code, message: rowOf(kind).sentence}
	switch {
	case s.Code() == codes.Canceled || s.Code() == codes.DeadlineExceeded:
		c = ended(s.Code())
	case s.Code() == codes.Unimplemented:
		c.code, c.message = codes.Unimplemented, "the method is not implemented"
	case info == nil && kind == Throttled:
		// grpc itself says RESOURCE_EXHAUSTED of a message over the size
		// limit, which no waiting cures.
		c = internal()
	}
	if info == nil {
		return c
	}
	c.reason = info.GetReason()
	if kind != Internal {
		c.message = s.Message()
	}
	if retry != nil {
		c.retryAfter, c.hasRetry = retry.GetRetryDelay().AsDuration(), true
	}
	return c
}

// details returns the ErrorInfo, if it is of our domain, and the RetryInfo.
func details(s *status.Status) (info *errdetails.ErrorInfo, retry *errdetails.RetryInfo) {
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == Domain {
				info = d
			}
		case *errdetails.RetryInfo:
			retry = d
		}
	}
	return info, retry
}

func ended(code codes.Code) classified {
	message := "the request was canceled"
	if code == codes.DeadlineExceeded {
		message = "the request took too long"
	}
	return classified{kind: Unavailable, code: code, message: message}
}

func internal() classified {
	r := rowOf(Internal)
	return classified{kind: r.kind, code: r.code, reason: "INTERNAL", message: r.sentence}
}
