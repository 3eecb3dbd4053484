package rpcapi

import (
	"context"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
)

// Exporter writes down what is kept of a customer.
type Exporter interface {
	// Export hands a JSON document over piece by piece, none of which ends within a string. Returns conversation.ErrNotFound, or the
	// error of emit.
	Export(ctx context.Context, id conversation.UserID, emit func(piece []byte) error) error
}

// DeleteUser erases a customer.
func (s *Users) DeleteUser(ctx context.Context, r *conversationv1.DeleteUserRequest) (*conversationv1.DeleteUserResponse, error) {
	user, err := id[conversation.UserID](r.GetId())
	if err != nil {
		return nil, err
	}
	e, err := s.store.EraseUser(ctx, user)
	if err != nil {
		return nil, problem(err)
	}
	s.wake()
	return &conversationv1.DeleteUserResponse{Erasure: erasureOf(e)}, nil
}

// GetErasure tells how far an erasure came.
func (s *Users) GetErasure(ctx context.Context, r *conversationv1.GetErasureRequest) (*conversationv1.GetErasureResponse, error) {
	user, err := id[conversation.UserID](r.GetUserId())
	if err != nil {
		return nil, err
	}
	e, err := s.store.Erasure(ctx, user)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.GetErasureResponse{Erasure: erasureOf(e)}, nil
}

// ExportUser writes down what is kept of a customer.
func (s *Users) ExportUser(r *conversationv1.ExportUserRequest, stream grpc.ServerStreamingServer[conversationv1.ExportUserResponse]) error {
	user, err := id[conversation.UserID](r.GetId())
	if err != nil {
		return err
	}
	return problem(s.exporter.Export(stream.Context(), user, func(piece []byte) error {
		return stream.Send(&conversationv1.ExportUserResponse{Body: &httpbody.HttpBody{ContentType: "application/json", Data: piece}})
	}))
}

func erasureOf(e conversation.Erasure) *conversationv1.Erasure {
	out := &conversationv1.Erasure{
		UserId: string(e.User), State: conversationv1.Erasure_STATE_RUNNING, Failures: e.Failures, Error: e.Error,
		CreateTime: timestamppb.New(e.CreateTime),
	}
	if e.DoneTime != nil {
		out.State, out.DoneTime = conversationv1.Erasure_STATE_DONE, timestamppb.New(*e.DoneTime)
	}
	return out
}
