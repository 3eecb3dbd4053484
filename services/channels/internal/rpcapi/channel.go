package rpcapi

import (
	"context"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/media"
)

type channelServer struct {
	channelsv1.UnimplementedChannelServiceServer
	delivery *delivery.Service
	media    *media.Service
	eraser   eraser
}

// SendMessage implements ChannelService.
func (s *channelServer) SendMessage(ctx context.Context, r *channelsv1.SendMessageRequest) (*channelsv1.SendMessageResponse, error) {
	m, err := message(r)
	if err != nil {
		return nil, err
	}
	d, err := s.delivery.Send(ctx, m)
	if err != nil {
		return nil, err
	}
	return &channelsv1.SendMessageResponse{Delivery: deliveryProto(d)}, nil
}

// SendTemplate implements ChannelService.
func (s *channelServer) SendTemplate(ctx context.Context, r *channelsv1.SendTemplateRequest) (*channelsv1.SendTemplateResponse, error) {
	m, err := templateMessage(r)
	if err != nil {
		return nil, err
	}
	d, err := s.delivery.SendTemplate(ctx, m)
	if err != nil {
		return nil, err
	}
	return &channelsv1.SendTemplateResponse{Delivery: deliveryProto(d)}, nil
}

// SendTypingIndicator implements ChannelService.
func (s *channelServer) SendTypingIndicator(
	ctx context.Context, r *channelsv1.SendTypingIndicatorRequest,
) (*channelsv1.SendTypingIndicatorResponse, error) {
	to, err := address(r.GetAddress())
	if err := firstError(err, ascii("message_id", r.GetMessageId(), 0, maxID)); err != nil {
		return nil, err
	}
	if err := s.delivery.Type(ctx, to, r.GetMessageId()); err != nil {
		return nil, err
	}
	return &channelsv1.SendTypingIndicatorResponse{}, nil
}

// SendDraft implements ChannelService.
func (s *channelServer) SendDraft(ctx context.Context, r *channelsv1.SendDraftRequest) (*channelsv1.SendDraftResponse, error) {
	to, err := address(r.GetAddress())
	if err != nil {
		return nil, err
	}
	if err := s.delivery.Draft(ctx, delivery.Draft{To: to, ID: r.GetDraftId(), Markdown: r.GetText()}); err != nil {
		return nil, err
	}
	return &channelsv1.SendDraftResponse{}, nil
}

// MarkMessageRead implements ChannelService.
func (s *channelServer) MarkMessageRead(
	ctx context.Context, r *channelsv1.MarkMessageReadRequest,
) (*channelsv1.MarkMessageReadResponse, error) {
	to, err := address(r.GetAddress())
	if err := firstError(err, ascii("message_id", r.GetMessageId(), 0, maxID)); err != nil {
		return nil, err
	}
	if err := s.delivery.MarkRead(ctx, to, r.GetMessageId(), r.GetTyping()); err != nil {
		return nil, err
	}
	return &channelsv1.MarkMessageReadResponse{}, nil
}

// AnswerButtonPress implements ChannelService.
func (s *channelServer) AnswerButtonPress(
	ctx context.Context, r *channelsv1.AnswerButtonPressRequest,
) (*channelsv1.AnswerButtonPressResponse, error) {
	err := firstError(ascii("callback_id", r.GetCallbackId(), 1, maxID), notice("text", r.GetText()))
	if err != nil {
		return nil, err
	}
	if err := s.delivery.AnswerButton(ctx, r.GetIntegrationId(), r.GetCallbackId(), r.GetText()); err != nil {
		return nil, err
	}
	return &channelsv1.AnswerButtonPressResponse{}, nil
}

// RecordDeliveryReports implements ChannelService.
func (s *channelServer) RecordDeliveryReports(
	ctx context.Context, r *channelsv1.RecordDeliveryReportsRequest,
) (*channelsv1.RecordDeliveryReportsResponse, error) {
	reports, err := reports(r)
	if err != nil {
		return nil, err
	}
	outcomes, err := s.delivery.RecordReports(ctx, r.GetIntegrationId(), reports)
	if err != nil {
		return nil, err
	}
	return &channelsv1.RecordDeliveryReportsResponse{Outcomes: outcomesProto(outcomes)}, nil
}

// GetDelivery implements ChannelService.
func (s *channelServer) GetDelivery(ctx context.Context, r *channelsv1.GetDeliveryRequest) (*channelsv1.GetDeliveryResponse, error) {
	if err := ascii("request_id", r.GetRequestId(), 1, maxRequestID); err != nil {
		return nil, err
	}
	d, err := s.delivery.Get(ctx, r.GetRequestId())
	if err != nil {
		return nil, err
	}
	return &channelsv1.GetDeliveryResponse{Delivery: deliveryProto(d)}, nil
}
