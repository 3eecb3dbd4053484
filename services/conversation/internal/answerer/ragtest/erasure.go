package ragtest

import (
	"context"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// OnForget is asked before something is forgotten; an error is what the caller gets.
func (r *Server) OnForget(f func(*ragv1.ForgetRequest) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget = f
}

// Forgotten returns what was asked to be forgotten, in order, failures left out.
func (r *Server) Forgotten() []*ragv1.ForgetRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*ragv1.ForgetRequest(nil), r.forgotten...)
}

// Forget implements the service.
func (r *Server) Forget(_ context.Context, q *ragv1.ForgetRequest) (*ragv1.ForgetResponse, error) {
	r.mu.Lock()
	forget := r.forget
	r.mu.Unlock()
	if forget != nil {
		if err := forget(q); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten = append(r.forgotten, q)
	return &ragv1.ForgetResponse{}, nil
}
