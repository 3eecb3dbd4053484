package command

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/cli/internal/present"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
)

// keysCommand keeps the keys of the management API.
type keysCommand struct {
	List   keysListCommand   `cmd:"" default:"1" help:"List the keys."`
	Create keysCreateCommand `cmd:"" help:"Make a key and print its secret, which cannot be read again."`
	Rotate keysRotateCommand `cmd:"" help:"Give a key a new secret; the old one ends at once."`
	Revoke keysRevokeCommand `cmd:"" help:"End a key at once."`
}

// onKeys calls f with the service of the keys.
func onKeys(ctx context.Context, s session, f func(context.Context, gatewayv1.ApiKeyServiceClient) error) error {
	return call(ctx, s, gatewayv1.NewApiKeyServiceClient, f)
}

// keysCreateCommand makes a key.
type keysCreateCommand struct {
	Name        string        `arg:"" help:"What it is for."`
	Role        string        `enum:"viewer,operator,owner" default:"viewer" help:"What it may do: viewer, operator or owner."`
	Integration string        `placeholder:"ID" help:"Id of the only integration that it is for."`
	Expires     time.Duration `help:"How long it lasts, such as 720h; for ever if not said."`
}

// Run makes it and prints nothing but the secret.
func (c keysCreateCommand) Run(ctx context.Context, s session) error {
	r := &gatewayv1.CreateApiKeyRequest{
		Name: c.Name, IntegrationId: c.Integration,
		Role: gatewayv1.Role(gatewayv1.Role_value["ROLE_"+strings.ToUpper(c.Role)]),
	}
	if c.Expires != 0 {
		r.ExpireTime = timestamppb.New(time.Now().Add(c.Expires))
	}
	return onKeys(ctx, s, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		made, err := keys.CreateApiKey(ctx, r)
		if err != nil {
			return err
		}
		return s.done(made, "%s", made.GetSecret())
	})
}

// keysListCommand lists keys.
type keysListCommand struct{}

// Run prints one line per key, newest first.
func (keysListCommand) Run(ctx context.Context, s session) error {
	return onKeys(ctx, s, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		all := &gatewayv1.ListApiKeysResponse{}
		for token := ""; ; {
			r, err := keys.ListApiKeys(ctx, &gatewayv1.ListApiKeysRequest{PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			all.ApiKeys = append(all.ApiKeys, r.GetApiKeys()...)
			if token = r.GetNextPageToken(); token == "" {
				return s.show(all, func() present.Table { return keyTable(all.GetApiKeys()) })
			}
		}
	})
}

func keyTable(keys []*gatewayv1.ApiKey) present.Table {
	t := present.Table{Header: []string{"ID", "NAME", "ROLE", "INTEGRATION", "STATE", "LAST USE"}}
	for _, k := range keys {
		t.Add(k.GetId(), k.GetName(), word(k.GetRole().String(), "ROLE_"), k.GetIntegrationId(), keyState(k, time.Now()), moment(k.GetLastUseTime()))
	}
	return t
}

func keyState(k *gatewayv1.ApiKey, now time.Time) string {
	switch expire := k.GetExpireTime(); {
	case k.GetRevokeTime() != nil:
		return "revoked"
	case expire == nil:
		return "valid"
	case expire.AsTime().Before(now):
		return "expired"
	default:
		return "until " + moment(expire)
	}
}

// keysRotateCommand gives a key a new secret.
type keysRotateCommand struct {
	ID string `arg:"" help:"Id of the key."`
}

// Run prints the new secret.
func (c keysRotateCommand) Run(ctx context.Context, s session) error {
	return onKeys(ctx, s, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		r, err := keys.RotateApiKey(ctx, &gatewayv1.RotateApiKeyRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%s", r.GetSecret())
	})
}

// keysRevokeCommand ends a key.
type keysRevokeCommand struct {
	ID string `arg:"" help:"Id of the key."`
}

// Run ends it.
func (c keysRevokeCommand) Run(ctx context.Context, s session) error {
	return onKeys(ctx, s, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		r, err := keys.RevokeApiKey(ctx, &gatewayv1.RevokeApiKeyRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "%s revoked", c.ID)
	})
}
