package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/apikey"
)

// Authenticator tells whose a token is.
type Authenticator interface {
	// Authenticate returns the caller. fault.Unauthenticated if the token is nobody's, fault.Denied if its owner has no role
	// here, fault.Unavailable while that cannot be found out.
	Authenticate(ctx context.Context, token string) (gateway.Caller, error)
}

// Credentials are what the management API accepts. Without any it is closed.
type Credentials struct {
	AdminKey string        // an owner's, from the environment; empty for none. It needs no database.
	Keys     Authenticator // of keys that were made by call; nil for none
	People   Authenticator // of an issuer's tokens; nil for none
}

// Authenticate tells whose a token is.
func (c *Credentials) Authenticate(ctx context.Context, token string) (gateway.Caller, error) {
	switch {
	case c.AdminKey == "" && c.Keys == nil && c.People == nil:
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "MANAGEMENT_CLOSED",
			"the management API is closed: set KNOBOT_ADMIN_API_KEY, or KNOBOT_OIDC_ISSUER")
	case c.AdminKey != "" && equal(token, c.AdminKey):
		return gateway.Caller{ID: "environment", Name: "KNOBOT_ADMIN_API_KEY", Role: gateway.Owner}, nil
	case c.Keys != nil && apikey.IsSecret(token):
		return c.Keys.Authenticate(ctx, token)
	case c.People != nil && strings.Count(token, ".") == 2:
		return c.People.Authenticate(ctx, token)
	}
	return gateway.Caller{}, errRefused()
}

// equal compares digests, so that not even the lengths can be told from the time that it takes.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

const (
	authorizationKey = "authorization"
	bearer           = "bearer "
	// maxToken bounds what is hashed and parsed for a stranger; issuers' tokens have up to some 4 KiB.
	maxToken = 16 << 10
)

// tokenOf reads the bearer token of a call.
func tokenOf(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, authorizationKey)
	if len(values) == 0 {
		return "", fault.New(fault.Unauthenticated, "CREDENTIAL_MISSING", "a key is needed: authorization: Bearer <key>")
	}
	if len(values) > 1 || len(values[0]) > maxToken || len(values[0]) <= len(bearer) || !strings.EqualFold(values[0][:len(bearer)], bearer) {
		return "", errRefused()
	}
	return values[0][len(bearer):], nil
}

func errRefused() error {
	return fault.New(fault.Unauthenticated, "CREDENTIAL_REFUSED", "the credential is not valid")
}
