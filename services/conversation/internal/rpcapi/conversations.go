package rpcapi

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
)

// ConversationStore finds conversations.
type ConversationStore interface {
	Conversation(ctx context.Context, id conversation.ID) (conversation.Conversation, error)
	Conversations(ctx context.Context, f conversation.Filter) ([]conversation.Conversation, error)
	CloseConversation(ctx context.Context, id conversation.ID) (conversation.Conversation, error)
	// Resume ends the bot's silence after staff wrote. Returns conversation.ErrNotFound.
	Resume(ctx context.Context, id conversation.ID) (conversation.Conversation, error)
	Messages(ctx context.Context, id conversation.ID, after int64, limit int) ([]conversation.Message, error)
}

// Desk is where staff work.
type Desk interface {
	// HandOver takes a conversation over.
	HandOver(ctx context.Context, id conversation.ID, who, why string) (conversation.Conversation, error)
	// Reply sends what staff write. The same request again returns the message that it became.
	Reply(ctx context.Context, id conversation.ID, text string, request conversation.RequestID) (conversation.Message, error)
}

// Conversations serves ConversationService.
type Conversations struct {
	conversationv1.UnimplementedConversationServiceServer
	store ConversationStore
	desk  Desk
	// wake tells the workers of this process that there is work.
	wake func()
}

// NewConversations returns the service.
func NewConversations(store ConversationStore, desk Desk, wake func()) *Conversations {
	return &Conversations{store: store, desk: desk, wake: wake}
}

// GetConversation returns one conversation.
func (s *Conversations) GetConversation(ctx context.Context, r *conversationv1.GetConversationRequest) (*conversationv1.GetConversationResponse, error) {
	talk, err := id[conversation.ID](r.GetId())
	if err != nil {
		return nil, err
	}
	c, err := s.store.Conversation(ctx, talk)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.GetConversationResponse{Conversation: conversationOf(c)}, nil
}

// ListConversations lists conversations, newest first.
func (s *Conversations) ListConversations(ctx context.Context, r *conversationv1.ListConversationsRequest) (*conversationv1.ListConversationsResponse, error) {
	l := list("conversations", r.GetIntegrationId(), r.GetUserId(), r.GetState(), r.GetPausedOnly())
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	user, err := optionalID[conversation.UserID](r.GetUserId())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Conversations(ctx, conversation.Filter{
		Integration: conversation.IntegrationID(label(r.GetIntegrationId())), User: user, Closed: closedIn(r.GetState()),
		PausedOnly: r.GetPausedOnly(), Limit: n + 1, After: after,
	})
	if err != nil {
		return nil, problem(err)
	}
	found, more := next(l, found, n, func(c conversation.Conversation) conversation.Cursor {
		return conversation.Cursor{Time: c.CreateTime, ID: string(c.ID)}
	})
	return &conversationv1.ListConversationsResponse{Conversations: each(found, conversationOf), NextPageToken: more}, nil
}

// CloseConversation ends a conversation.
func (s *Conversations) CloseConversation(ctx context.Context, r *conversationv1.CloseConversationRequest) (*conversationv1.CloseConversationResponse, error) {
	talk, err := id[conversation.ID](r.GetId())
	if err != nil {
		return nil, err
	}
	c, err := s.store.CloseConversation(ctx, talk)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.CloseConversationResponse{Conversation: conversationOf(c)}, nil
}

// ResumeConversation ends the bot's silence after a message of staff.
func (s *Conversations) ResumeConversation(ctx context.Context, r *conversationv1.ResumeConversationRequest) (*conversationv1.ResumeConversationResponse, error) {
	talk, err := id[conversation.ID](r.GetId())
	if err != nil {
		return nil, err
	}
	c, err := s.store.Resume(ctx, talk)
	if err != nil {
		return nil, problem(err)
	}
	s.wake()
	return &conversationv1.ResumeConversationResponse{Conversation: conversationOf(c)}, nil
}

// HandOverConversation gives the word to staff.
func (s *Conversations) HandOverConversation(ctx context.Context, r *conversationv1.HandOverConversationRequest) (*conversationv1.HandOverConversationResponse, error) {
	talk, err := id[conversation.ID](r.GetId())
	if err != nil {
		return nil, err
	}
	c, err := s.desk.HandOver(ctx, talk, r.GetStaff(), r.GetReason())
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.HandOverConversationResponse{Conversation: conversationOf(c)}, nil
}

// ReplyToConversation sends what staff write.
func (s *Conversations) ReplyToConversation(ctx context.Context, r *conversationv1.ReplyToConversationRequest) (*conversationv1.ReplyToConversationResponse, error) {
	talk, err := id[conversation.ID](r.GetConversationId())
	if err != nil {
		return nil, err
	}
	request, err := id[conversation.RequestID](r.GetRequestId())
	if err != nil {
		return nil, err
	}
	m, err := s.desk.Reply(ctx, talk, r.GetText(), request)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.ReplyToConversationResponse{Message: messageOf(m)}, nil
}

// ListMessages lists the messages of a conversation in their order.
func (s *Conversations) ListMessages(ctx context.Context, r *conversationv1.ListMessagesRequest) (*conversationv1.ListMessagesResponse, error) {
	l := list("messages", r.GetConversationId())
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	talk, err := id[conversation.ID](r.GetConversationId())
	if err != nil {
		return nil, err
	}
	var position int64
	if after != nil {
		position = after.Position
	}
	said, err := s.store.Messages(ctx, talk, position, n+1)
	if err != nil {
		return nil, problem(err)
	}
	said, more := next(l, said, n, func(m conversation.Message) conversation.Cursor { return conversation.Cursor{Position: m.Position} })
	return &conversationv1.ListMessagesResponse{Messages: each(said, messageOf), NextPageToken: more}, nil
}

func conversationOf(c conversation.Conversation) *conversationv1.Conversation {
	state := conversationv1.Conversation_STATE_ACTIVE
	if c.Closed {
		state = conversationv1.Conversation_STATE_CLOSED
	}
	out := &conversationv1.Conversation{
		Id: string(c.ID), IntegrationId: string(c.Integration), UserId: string(c.User), State: state, Metadata: c.Metadata(),
		RagEnabled: c.RAGEnabled, ContextPassages: c.Passages,
		CreateTime: timestamppb.New(c.CreateTime), LastMessageTime: timestamppb.New(c.LastMessageTime),
		PauseCause: causeOf(c.PauseCause), PausedBy: c.PausedBy, PauseReason: c.PauseReason, LastOutcome: c.LastOutcome,
		Usage: &conversationv1.ModelUsage{InputTokens: c.InputTokens, OutputTokens: c.OutputTokens, CostMicros: c.CostMicros},
	}
	if c.BotPausedUntil != nil {
		out.BotPausedUntil = timestamppb.New(*c.BotPausedUntil)
	}
	return out
}

func messageOf(m conversation.Message) *conversationv1.Message {
	return &conversationv1.Message{
		Id: string(m.ID), Position: m.Position, Role: roleOf(m.Role), Kind: kindOf(m.Kind), Text: m.Text, State: stateOf(m.State),
		PlatformMessageId: m.PlatformMessageID, CreateTime: timestamppb.New(m.CreateTime),
		DeliveryState: conversationv1.DeliveryState(m.DeliveryState), MaybeDuplicate: m.MaybeDuplicate,
		ReplyToMessageId: m.ReplyToMessageID, QuotedText: m.Quoted, Error: m.Error,
		Media: mediaOf(m.Media), Transcript: m.Transcript, Basis: basisOf(m.Basis), Feedback: feedbackOf(m.Feedback),
	}
}

func basisOf(b *conversation.Basis) *conversationv1.AnswerBasis {
	if b == nil {
		return nil
	}
	return &conversationv1.AnswerBasis{
		Outcome: b.Outcome, DocumentIds: b.Documents, Confidence: b.Confidence, Model: b.Model, InputTokens: b.InputTokens,
		OutputTokens: b.OutputTokens, CostMicros: b.CostMicros,
	}
}

func feedbackOf(f conversation.Feedback) conversationv1.Feedback {
	switch f {
	case conversation.Liked:
		return conversationv1.Feedback_FEEDBACK_POSITIVE
	case conversation.Disliked:
		return conversationv1.Feedback_FEEDBACK_NEGATIVE
	default:
		return conversationv1.Feedback_FEEDBACK_UNSPECIFIED
	}
}

func mediaOf(a *conversation.Attachment) *conversationv1.MessageMedia {
	if a == nil {
		return nil
	}
	return &conversationv1.MessageMedia{
		Id: string(a.Stored), MimeType: a.MIMEType, Filename: a.Filename, SizeBytes: a.SizeBytes, Error: a.Error,
	}
}
