package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/knobot/knobot/platform/fault"
)

// refuse answers a request that no RPC has a route for. grpc-gateway's own answer to a wrong method is 501.
func (all routes) refuse(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
	err := withStatus(http.StatusNotFound, fault.New(fault.NotFound, "NO_ROUTE", "there is nothing at this address: see "+pathPage))
	if found, ok := all.find(r.URL.Path); ok {
		w.Header().Set("Allow", strings.Join(found.methods, ", "))
		err = withStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "METHOD", "this address takes another method"))
	}
	callError(ctx, mux, m, w, r, err)
}

// streams says whether the answer is a stream.
func (all routes) streams(r *http.Request) bool {
	found, ok := all.find(r.URL.Path)
	return ok && found.stream
}
