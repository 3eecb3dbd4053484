package admin

import (
	"context"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
)

// reasonMalformed is what a request has that never reached a service.
const reasonMalformed = "REQUEST_MALFORMED"

// fail answers a request that never got to grpc-gateway.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Connection", "close") // the rest of the body may be on it.
	callError(r.Context(), h.rest, marshaler(), w, r, err)
}

// callError answers a call that failed.
func callError(ctx context.Context, _ *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	told := present(ctx, err)
	code := runtime.HTTPStatusFromCode(told.Code())
	var chosen statusError
	if errors.As(err, &chosen) {
		code = chosen.status
	}
	if after, ok := fault.RetryAfterOf(told.Err()); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = m.NewEncoder(w).Encode(told.Proto()) // fails only where nobody reads any more.
}

// errStopping is why a stream ends before its time.
var errStopping = fault.New(fault.Unavailable, "STOPPING", "the gateway stops: ask again")

// streamError is how a stream ends that has begun.
func streamError(ctx context.Context, err error) *status.Status {
	if errors.Is(context.Cause(ctx), errStopping) {
		err = errStopping
	}
	return present(ctx, err)
}

// present makes of an error what a client may read: only what a service of ours wrote for it. The text of a connection that
// fails names addresses, and that of a decoder repeats what it could not read, maybe a secret.
func present(ctx context.Context, err error) *status.Status {
	if fault.ReasonOf(err) == "" && status.Code(err) == codes.InvalidArgument {
		err = fault.New(fault.Invalid, reasonMalformed, "the request cannot be read"+place(err)).WithCause(err)
	}
	told := fault.Status(ctx, err)
	detailed, err := told.WithDetails(&errdetails.RequestInfo{RequestId: requestid.From(ctx)})
	if err != nil {
		return told
	}
	return detailed
}

// places are the parts of a decoder's text that only say where: names that the sender wrote, never values.
var places = regexp.MustCompile(`\(line \d+:\d+\)|unknown field "\w{1,64}"|parameter: [\w.]{1,64}|parsing field "\w{1,64}"`)

func place(err error) string {
	found := places.FindAllString(err.Error(), -1)
	if len(found) == 0 {
		return ""
	}
	return ": " + strings.Join(found, " ")
}
