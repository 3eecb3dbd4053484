package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// evaluate answers an RPC that takes as long as all of its questions. The handler that is generated for it would write what it
// cannot read, a customer's words perhaps, to the log.
func (h *Handler) evaluate(w http.ResponseWriter, r *http.Request) {
	release, err := h.buffer(w, r, maxEvaluationBytes)
	defer release()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	ctx, done := h.long(w, r)
	defer done()
	response, err := h.measure(ctx, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	runtime.ForwardResponseMessage(ctx, h.rest, marshaler(), w, r, response)
}

// measure reads the whole body before it asks anything.
func (h *Handler) measure(ctx context.Context, r *http.Request) (*ragv1.EvaluateResponse, error) {
	requests, err := readRequests(r.Body)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error()) // of this, fail tells where it is.
	}
	ctx, err = runtime.AnnotateContext(ctx, h.rest, r, ragv1.EvaluationService_Evaluate_FullMethodName)
	if err != nil {
		return nil, err
	}
	stream, err := ragv1.NewEvaluationServiceClient(h.conn).Evaluate(ctx)
	if err != nil {
		return nil, err
	}
	for _, request := range requests {
		if err := stream.Send(request); err != nil {
			break // CloseAndRecv says why.
		}
	}
	return stream.CloseAndRecv()
}

func readRequests(body io.Reader) (requests []*ragv1.EvaluateRequest, err error) {
	decoder := json.NewDecoder(body)
	for {
		var object json.RawMessage
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return requests, nil
		} else if err != nil {
			return nil, err
		}
		request := &ragv1.EvaluateRequest{}
		if err := protojson.Unmarshal(object, request); err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
}
