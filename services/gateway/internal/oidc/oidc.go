// Package oidc tells who people are by the tokens of an OpenID Connect issuer. The issuer is asked when the first token comes, and
// again when a token is signed with a key that is not known yet.
package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// Config names an issuer and what its tokens must say.
type Config struct {
	Issuer     string
	Audience   string // whom the token must be for: the client's id
	RolesClaim string // holds a role's name, or a list with one among others
}

// maxName bounds what is kept of a person's name, in bytes.
const maxName = 256

// Verifier checks tokens of one issuer.
type Verifier struct {
	cfg    Config
	checks *oidc.Config
	issuer *issuer
}

// New makes a verifier. It asks nobody yet.
func New(cfg Config) *Verifier {
	return &Verifier{
		cfg: cfg, issuer: newIssuer(cfg.Issuer),
		// Public keys alone: with "none" or a shared secret anybody could sign.
		checks: &oidc.Config{ClientID: cfg.Audience, SupportedSigningAlgs: []string{
			oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
		}},
	}
}

// Authenticate returns who a token is of. CREDENTIAL_REFUSED if it is not a valid one of the issuer's, TOKEN_EXPIRED, ROLE_MISSING
// if it gives no role, ISSUER_UNAVAILABLE while that cannot be told.
func (v *Verifier) Authenticate(ctx context.Context, token string) (gateway.Caller, error) {
	keys, err := v.issuer.keys(ctx)
	if err != nil {
		return gateway.Caller{}, unavailable(err)
	}
	noted := &notedKeys{KeySet: keys}
	valid, err := oidc.NewVerifier(v.cfg.Issuer, noted, v.checks).Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case noted.unavailable != nil:
		return gateway.Caller{}, unavailable(noted.unavailable)
	case errors.As(err, &expired): // its signature is right, so its owner may know
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "TOKEN_EXPIRED", "the token has expired")
	case err != nil || valid.Subject == "":
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "CREDENTIAL_REFUSED", "the credential is not valid").WithCause(err)
	}
	return v.caller(valid)
}

func (v *Verifier) caller(token *oidc.IDToken) (gateway.Caller, error) {
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return gateway.Caller{}, fault.New(fault.Unauthenticated, "CREDENTIAL_REFUSED", "the credential is not valid")
	}
	role := roleIn(claims[v.cfg.RolesClaim])
	if role == 0 {
		return gateway.Caller{}, fault.Newf(fault.Denied, "ROLE_MISSING", "the token gives no role in its claim %s", v.cfg.RolesClaim)
	}
	name := token.Subject
	for _, claim := range []string{"preferred_username", "email", "name"} {
		var said string
		if json.Unmarshal(claims[claim], &said) == nil && said != "" {
			name = said
			break
		}
	}
	return gateway.Caller{ID: "oidc:" + clean(token.Subject), Name: clean(name), Role: role}, nil
}

// roleIn reads the highest role of a claim. Names that are no role of ours are for others.
func roleIn(claim json.RawMessage) gateway.Role {
	var names []string
	var single string
	if json.Unmarshal(claim, &single) == nil {
		names = []string{single}
	} else if json.Unmarshal(claim, &names) != nil {
		return 0
	}
	var roles []gateway.Role
	for _, name := range names {
		if r, ok := gateway.ParseRole(name); ok {
			roles = append(roles, r)
		}
	}
	if len(roles) == 0 {
		return 0
	}
	return slices.Max(roles)
}

// clean makes a text of the issuer's fit for a log and for PostgreSQL.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.ToValidUTF8(s[:min(len(s), maxName)], "")
}

// notedKeys notes that keys could not be fetched: the verifier makes a bad signature of it.
type notedKeys struct {
	oidc.KeySet
	unavailable error
}

// VerifySignature checks the signature of a token.
func (k *notedKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if err != nil && errors.Unwrap(err) != nil { // it wraps what went wrong on the way, and nothing for a signature
		k.unavailable = err
	}
	return payload, err
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "ISSUER_UNAVAILABLE", "the issuer of tokens cannot be asked, try again").
		WithRetryAfter(pause).WithCause(err)
}

// pause is how long an issuer that did not answer is left alone.
const pause = 5 * time.Second
