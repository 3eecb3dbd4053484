package rpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
)

// UserStore finds users.
type UserStore interface {
	User(ctx context.Context, id conversation.UserID) (conversation.User, error)
	Users(ctx context.Context, f conversation.UserFilter) ([]conversation.User, error)
	// EraseUser opens an erasure, or returns the one that there is. Returns conversation.ErrNotFound.
	EraseUser(ctx context.Context, id conversation.UserID) (conversation.Erasure, error)
	// Erasure returns how far one came, or conversation.ErrNotFound.
	Erasure(ctx context.Context, id conversation.UserID) (conversation.Erasure, error)
}

// Users serves UserService.
type Users struct {
	conversationv1.UnimplementedUserServiceServer
	store    UserStore
	exporter Exporter
	// wake tells the eraser of this process that there is work.
	wake func()
}

// NewUsers returns the service.
func NewUsers(store UserStore, exporter Exporter, wake func()) *Users {
	return &Users{store: store, exporter: exporter, wake: wake}
}

// GetUser returns one user.
func (s *Users) GetUser(ctx context.Context, r *conversationv1.GetUserRequest) (*conversationv1.GetUserResponse, error) {
	user, err := id[conversation.UserID](r.GetId())
	if err != nil {
		return nil, err
	}
	u, err := s.store.User(ctx, user)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.GetUserResponse{User: userOf(u)}, nil
}

// ListUsers lists users, newest first.
func (s *Users) ListUsers(ctx context.Context, r *conversationv1.ListUsersRequest) (*conversationv1.ListUsersResponse, error) {
	l := list("users", r.GetIntegrationId(), r.GetPlatform())
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	filter := conversation.UserFilter{Integration: conversation.IntegrationID(label(r.GetIntegrationId())), Limit: n + 1, After: after}
	filter.Platform, _ = platform(r.GetPlatform()) // unspecified is all
	users, err := s.store.Users(ctx, filter)
	if err != nil {
		return nil, problem(err)
	}
	users, more := next(l, users, n, func(u conversation.User) conversation.Cursor {
		return conversation.Cursor{Time: u.CreateTime, ID: string(u.ID)}
	})
	return &conversationv1.ListUsersResponse{Users: each(users, userOf), NextPageToken: more}, nil
}

func userOf(u conversation.User) *conversationv1.User {
	return &conversationv1.User{
		Id: string(u.ID), IntegrationId: string(u.Integration), Platform: platformOf(u.Platform), Username: u.Username,
		Email: conversation.Email(u.Username), Role: u.Role, DisplayName: u.DisplayName, PlatformUserId: u.ExternalID,
		PhoneNumber: u.Phone, Blocked: u.Blocked, CreateTime: timestamppb.New(u.CreateTime),
	}
}

func each[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, v := range in {
		out = append(out, convert(v))
	}
	return out
}
