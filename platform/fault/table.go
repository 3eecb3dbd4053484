package fault

import "google.golang.org/grpc/codes"

// row binds a kind to its gRPC code and to what a caller reads when the error
// comes with no sentence that was written for callers.
type row struct {
	kind     Kind
	code     codes.Code
	name     string
	sentence string
}

// The table. Both directions, the conversion of peers' statuses and the tests
// read it.
func table() []row {
	return []row{
		{Invalid, codes.InvalidArgument, "invalid", "the request is invalid"},
		{NotFound, codes.NotFound, "not_found", "not found"},
		{Conflict, codes.AlreadyExists, "conflict", "it exists already"},
		{Unauthenticated, codes.Unauthenticated, "unauthenticated", "authentication is required"},
		{Denied, codes.PermissionDenied, "denied", "permission denied"},
		{Precondition, codes.FailedPrecondition, "precondition", "the current state does not allow it"},
		{Throttled, codes.ResourceExhausted, "throttled", "too many requests, try again later"},
		{InFlight, codes.Aborted, "in_flight", "the same request is in progress"},
		{Unavailable, codes.Unavailable, "unavailable", "the service is unavailable, try again"},
		{Internal, codes.Internal, "internal", "internal error"},
	}
}

// String names the kind as in the table.
func (k Kind) String() string { return rowOf(k).name }

// Code returns the gRPC code that the kind travels as.
func (k Kind) Code() codes.Code { return rowOf(k).code }

func rowOf(k Kind) row {
	rows := table()
	if k < Invalid || int(k) > len(rows) {
		k = Internal
	}
	return rows[k-1]
}

// kindOfCode reads a peer's code. Codes that our table never sends are what a
// gRPC library made of a broken call: faults, and not an invitation to retry.
func kindOfCode(code codes.Code) Kind {
	for _, r := range table() {
		if r.code == code {
			return r.kind
		}
	}
	switch code {
	case codes.Canceled, codes.DeadlineExceeded:
		return Unavailable
	case codes.OutOfRange:
		return Invalid
	default:
		return Internal
	}
}
