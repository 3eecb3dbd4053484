package admin

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// tidyQuery refuses parameters that a call does not have, which grpc-gateway drops: a filter with a typing error would show
// everything. It also takes an update mask in the names of JSON. (grpc-gateway's own place for both is global, and would change
// the webhooks' queries too.)
func (all routes) tidyQuery(r *http.Request) error {
	found, ok := all.find(r.URL.Path)
	if !ok || r.URL.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, reasonMalformed, "the query cannot be read").WithCause(err)
	}
	for name, values := range query {
		if !utf8.ValidString(strings.Join(values, "")) {
			return fault.New(fault.Invalid, reasonMalformed, "the query is not UTF-8")
		}
		if !slices.Contains(found.query[r.Method], name) {
			return fault.New(fault.Invalid, "PARAMETER", "a parameter is unknown"+named(name))
		}
	}
	if masks, ok := query["updateMask"]; ok {
		query["updateMask"] = []string{snake(strings.Join(masks, ","))}
		r.URL.RawQuery = query.Encode()
	}
	return nil
}

// named repeats a parameter that looks like a name: anything else may be a secret that went astray.
func named(name string) string {
	if word.MatchString(name) {
		return ": " + name
	}
	return ""
}

var word = regexp.MustCompile(`^[A-Za-z_.]{1,40}$`)

// snake turns names of JSON into those of fields.
func snake(mask string) string {
	var out strings.Builder
	for _, c := range mask {
		if unicode.IsUpper(c) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}
