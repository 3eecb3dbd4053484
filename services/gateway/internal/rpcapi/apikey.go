package rpcapi

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/apikey"
)

const (
	maxKeyName       = 100
	maxIntegrationID = 64
	maxKeyID         = 64
)

// APIKeys is the ApiKeyService.
type APIKeys struct {
	gatewayv1.UnimplementedApiKeyServiceServer
	keys *apikey.Service
}

// NewAPIKeys makes the service.
func NewAPIKeys(keys *apikey.Service) *APIKeys { return &APIKeys{keys: keys} }

// CreateApiKey makes a key and returns its secret.
func (s *APIKeys) CreateApiKey(ctx context.Context, r *gatewayv1.CreateApiKeyRequest) (*gatewayv1.CreateApiKeyResponse, error) {
	draft, err := draftOf(r)
	if err != nil {
		return nil, err
	}
	k, secret, err := s.keys.Create(ctx, draft)
	if err != nil {
		return nil, err
	}
	return &gatewayv1.CreateApiKeyResponse{ApiKey: keyProto(k), Secret: secret}, nil
}

// GetApiKey returns one.
func (s *APIKeys) GetApiKey(ctx context.Context, r *gatewayv1.GetApiKeyRequest) (*gatewayv1.GetApiKeyResponse, error) {
	if err := text("id", r.GetId(), maxKeyID); err != nil {
		return nil, err
	}
	k, err := s.keys.Get(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &gatewayv1.GetApiKeyResponse{ApiKey: keyProto(k)}, nil
}

// ListApiKeys lists all, newest first.
func (s *APIKeys) ListApiKeys(ctx context.Context, r *gatewayv1.ListApiKeysRequest) (*gatewayv1.ListApiKeysResponse, error) {
	n, after, err := keysPage(r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.keys.List(ctx, after, n+1) // one more tells whether there is a next page
	if err != nil {
		return nil, err
	}
	out := &gatewayv1.ListApiKeysResponse{}
	found, out.NextPageToken = cut(found, n, keyToken)
	for _, k := range found {
		out.ApiKeys = append(out.ApiKeys, keyProto(k))
	}
	return out, nil
}

// RotateApiKey gives a key a new secret.
func (s *APIKeys) RotateApiKey(ctx context.Context, r *gatewayv1.RotateApiKeyRequest) (*gatewayv1.RotateApiKeyResponse, error) {
	if err := text("id", r.GetId(), maxKeyID); err != nil {
		return nil, err
	}
	k, secret, err := s.keys.Rotate(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &gatewayv1.RotateApiKeyResponse{ApiKey: keyProto(k), Secret: secret}, nil
}

// RevokeApiKey ends a key.
func (s *APIKeys) RevokeApiKey(ctx context.Context, r *gatewayv1.RevokeApiKeyRequest) (*gatewayv1.RevokeApiKeyResponse, error) {
	if err := text("id", r.GetId(), maxKeyID); err != nil {
		return nil, err
	}
	k, err := s.keys.Revoke(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &gatewayv1.RevokeApiKeyResponse{ApiKey: keyProto(k)}, nil
}

func draftOf(r *gatewayv1.CreateApiKeyRequest) (apikey.Draft, error) {
	d := apikey.Draft{Name: strings.TrimSpace(r.GetName()), IntegrationID: r.GetIntegrationId()}
	if err := text("name", d.Name, maxKeyName); err != nil {
		return d, err
	}
	if d.IntegrationID != "" {
		if err := text("integration_id", d.IntegrationID, maxIntegrationID); err != nil {
			return d, err
		}
	}
	if t := r.GetExpireTime(); t != nil {
		if !t.IsValid() {
			return d, invalid("expire_time", "is not a time")
		}
		d.ExpireTime = t.AsTime()
	}
	d.Role = roleDomain(r.GetRole())
	if d.Role == 0 {
		return d, invalid("role", "must be ROLE_VIEWER, ROLE_OPERATOR or ROLE_OWNER")
	}
	return d, nil
}

func roleDomain(r gatewayv1.Role) gateway.Role {
	switch r {
	case gatewayv1.Role_ROLE_VIEWER:
		return gateway.Viewer
	case gatewayv1.Role_ROLE_OPERATOR:
		return gateway.Operator
	case gatewayv1.Role_ROLE_OWNER:
		return gateway.Owner
	default:
		return 0
	}
}

func roleProto(r gateway.Role) gatewayv1.Role {
	switch r {
	case gateway.Viewer:
		return gatewayv1.Role_ROLE_VIEWER
	case gateway.Operator:
		return gatewayv1.Role_ROLE_OPERATOR
	case gateway.Owner:
		return gatewayv1.Role_ROLE_OWNER
	default:
		return gatewayv1.Role_ROLE_UNSPECIFIED
	}
}

func keyProto(k gateway.APIKey) *gatewayv1.ApiKey {
	return &gatewayv1.ApiKey{
		Id: k.ID, Name: k.Name, Role: roleProto(k.Role), IntegrationId: k.IntegrationID, CreateTime: timeProto(k.CreateTime),
		ExpireTime: timeProto(k.ExpireTime), RevokeTime: timeProto(k.RevokeTime), LastUseTime: timeProto(k.LastUseTime),
	}
}

func timeProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func invalid(field, what string) error {
	return fault.New(fault.Invalid, "INVALID_REQUEST", field+": "+what)
}

// text checks a string that must not be empty for its length in bytes and for characters that PostgreSQL refuses.
func text(field, s string, most int) error {
	switch {
	case s == "":
		return invalid(field, "is missing")
	case len(s) > most:
		return invalid(field, "is too long")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return invalid(field, "holds a control character")
	}
	return nil
}
