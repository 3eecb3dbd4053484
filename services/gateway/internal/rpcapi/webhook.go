// Package rpcapi serves knobot.gateway.v1: it turns calls into use cases and their errors into faults.
package rpcapi

import (
	"context"
	"net"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

// Metadata keys of what proves who sent a webhook. Over HTTP they are headers of the same name.
const (
	SignatureKey = "x-hub-signature-256"
	SecretKey    = "x-telegram-bot-api-secret-token"
)

// Webhook is the WebhookService.
type Webhook struct {
	gatewayv1.UnimplementedWebhookServiceServer
	receiver *webhook.Receiver
	remote   func(context.Context) string
}

// NewWebhook makes the service. remote tells the IP address of a call's peer.
func NewWebhook(receiver *webhook.Receiver, remote func(context.Context) string) *Webhook {
	return &Webhook{receiver: receiver, remote: remote}
}

// VerifyWhatsAppWebhook answers Meta's subscription handshake with the bare challenge.
func (s *Webhook) VerifyWhatsAppWebhook(ctx context.Context, req *gatewayv1.VerifyWhatsAppWebhookRequest) (*gatewayv1.VerifyWhatsAppWebhookResponse, error) {
	hub := req.GetHub()
	challenge, err := s.receiver.VerifyWhatsApp(webhook.Handshake{
		Mode: hub.GetMode(), Challenge: hub.GetChallenge(), VerifyToken: hub.GetVerifyToken(),
	}, s.remote(ctx))
	if err != nil {
		return nil, toFault(err)
	}
	return &gatewayv1.VerifyWhatsAppWebhookResponse{
		Body: &httpbody.HttpBody{ContentType: "text/plain; charset=utf-8", Data: []byte(challenge)},
	}, nil
}

// ReceiveWhatsAppWebhook verifies, decodes and stores one delivery of Meta's.
func (s *Webhook) ReceiveWhatsAppWebhook(ctx context.Context, req *gatewayv1.ReceiveWhatsAppWebhookRequest) (*gatewayv1.ReceiveWhatsAppWebhookResponse, error) {
	if err := s.receiver.ReceiveWhatsApp(ctx, s.post(ctx, req.GetBody(), SignatureKey)); err != nil {
		return nil, toFault(err)
	}
	return &gatewayv1.ReceiveWhatsAppWebhookResponse{Body: stored()}, nil
}

// ReceiveTelegramWebhook verifies, decodes and stores one update of Telegram's.
func (s *Webhook) ReceiveTelegramWebhook(ctx context.Context, req *gatewayv1.ReceiveTelegramWebhookRequest) (*gatewayv1.ReceiveTelegramWebhookResponse, error) {
	if err := s.receiver.ReceiveTelegram(ctx, s.post(ctx, req.GetBody(), SecretKey)); err != nil {
		return nil, toFault(err)
	}
	return &gatewayv1.ReceiveTelegramWebhookResponse{Body: stored()}, nil
}

func (s *Webhook) post(ctx context.Context, body *httpbody.HttpBody, credential string) webhook.Post {
	return webhook.Post{
		Body:          body.GetData(),
		Credentials:   metadata.ValueFromIncomingContext(ctx, credential),
		RemoteAddress: s.remote(ctx),
	}
}

// stored is the answer to a webhook that was stored. It has no "method": Telegram would take that for a call.
func stored() *httpbody.HttpBody {
	return &httpbody.HttpBody{ContentType: "application/json", Data: []byte(`{"ok":true}`)}
}

// PeerAddress is the IP address of the TCP peer of a call.
func PeerAddress(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	host, _, err := net.SplitHostPort(p.Addr.String())
	if err != nil {
		return ""
	}
	return host
}
