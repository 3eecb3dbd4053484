package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
)

// keysCommand keeps the keys of the management API.
type keysCommand struct {
	Create keysCreateCommand `cmd:"" help:"Make a key and print its secret, which cannot be read again."`
	List   keysListCommand   `cmd:"" help:"List the keys."`
	Rotate keysRotateCommand `cmd:"" help:"Give a key a new secret; the old one ends at once."`
	Revoke keysRevokeCommand `cmd:"" help:"End a key at once."`
}

// keysPeer calls the service of the keys.
type keysPeer struct{ gatewayPeer }

func (p keysPeer) with(ctx context.Context, f func(context.Context, gatewayv1.ApiKeyServiceClient) error) error {
	conn, err := p.dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, gatewayv1.NewApiKeyServiceClient(conn))
}

// keysCreateCommand makes a key.
type keysCreateCommand struct {
	keysPeer
	Name        string        `arg:"" help:"What it is for."`
	Role        string        `enum:"viewer,operator,owner" default:"viewer" help:"What it may do: viewer, operator or owner."`
	Integration string        `help:"Id of the only integration that it is for."`
	Expires     time.Duration `help:"How long it lasts, such as 720h; for ever if not said."`
}

// Run makes it.
func (c keysCreateCommand) Run(ctx context.Context, s streams) error {
	r := &gatewayv1.CreateApiKeyRequest{
		Name: c.Name, IntegrationId: c.Integration,
		Role: gatewayv1.Role(gatewayv1.Role_value["ROLE_"+strings.ToUpper(c.Role)]),
	}
	if c.Expires != 0 {
		r.ExpireTime = timestamppb.New(time.Now().Add(c.Expires))
	}
	return c.with(ctx, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		made, err := keys.CreateApiKey(ctx, r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, made.GetSecret())
		return err
	})
}

// keysListCommand lists keys.
type keysListCommand struct{ keysPeer }

// Run prints one line per key, newest first.
func (c keysListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tROLE\tINTEGRATION\tSTATE\tLAST USE")
		r := &gatewayv1.ListApiKeysRequest{PageSize: 1000}
		for {
			page, err := keys.ListApiKeys(ctx, r)
			if err != nil {
				return err
			}
			for _, k := range page.GetApiKeys() {
				printKey(w, k)
			}
			if r.PageToken = page.GetNextPageToken(); r.PageToken == "" {
				return w.Flush()
			}
		}
	})
}

func printKey(w io.Writer, k *gatewayv1.ApiKey) {
	state, use := "valid", "-"
	switch expire := k.GetExpireTime(); {
	case k.GetRevokeTime() != nil:
		state = "revoked"
	case expire != nil && expire.AsTime().Before(time.Now()):
		state = "expired"
	case expire != nil:
		state = "until " + clock(expire.AsTime())
	}
	if t := k.GetLastUseTime(); t != nil {
		use = clock(t.AsTime())
	}
	role := strings.ToLower(strings.TrimPrefix(k.GetRole().String(), "ROLE_"))
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.GetId(), k.GetName(), role, orDash(k.GetIntegrationId()), state, use)
}

// keysRotateCommand gives a key a new secret.
type keysRotateCommand struct {
	keysPeer
	ID string `arg:"" help:"Id of the key."`
}

// Run prints the new secret.
func (c keysRotateCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		r, err := keys.RotateApiKey(ctx, &gatewayv1.RotateApiKeyRequest{Id: c.ID})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, r.GetSecret())
		return err
	})
}

// keysRevokeCommand ends a key.
type keysRevokeCommand struct {
	keysPeer
	ID string `arg:"" help:"Id of the key."`
}

// Run ends it.
func (c keysRevokeCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(ctx context.Context, keys gatewayv1.ApiKeyServiceClient) error {
		_, err := keys.RevokeApiKey(ctx, &gatewayv1.RevokeApiKeyRequest{Id: c.ID})
		return err
	})
}
