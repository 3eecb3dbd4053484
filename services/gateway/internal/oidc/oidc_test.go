package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/oidc"
)

// issuer speaks the protocol of an OpenID Connect issuer, and can be away.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	keys   []jose.JSONWebKey
	away   bool
	askedD int // for its documents
	askedK int // for its keys
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, &i.askedD, func() any { return map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"} })
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, &i.askedK, func() any { return jose.JSONWebKeySet{Keys: i.keys} })
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) answer(w http.ResponseWriter, asked *int, document func() any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	*asked++
	if i.away {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document())
}

func (i *issuer) set(f func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i)
}

// rotate makes a key, which the issuer publishes instead of those before.
func (i *issuer) rotate(t *testing.T, id string) jose.SigningKey {
	t.Helper()
	key := signingKey(t, id)
	private := key.Key.(jose.JSONWebKey)
	public := private.Public()
	i.set(func(i *issuer) { i.keys = []jose.JSONWebKey{public} })
	return key
}

func signingKey(t *testing.T, id string) jose.SigningKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var signer crypto.Signer = private
	return jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signer, KeyID: id, Algorithm: string(jose.ES256)}}
}

type claims map[string]any

// token signs what a valid token says, with changes; nil takes a claim away.
func (i *issuer) token(t *testing.T, key jose.SigningKey, changes claims) string {
	t.Helper()
	said := claims{
		"iss": i.URL, "aud": "knobot", "sub": "u-1", "preferred_username": "ana", "knobot_role": "operator",
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	}
	for name, value := range changes {
		if said[name] = value; value == nil {
			delete(said, name)
		}
	}
	body, err := json.Marshal(said)
	require.NoError(t, err)
	signer, err := jose.NewSigner(key, nil)
	require.NoError(t, err)
	signed, err := signer.Sign(body)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

func (i *issuer) verifier() *oidc.Verifier {
	return oidc.New(oidc.Config{Issuer: i.URL, Audience: "knobot", RolesClaim: "knobot_role"})
}

func TestPeople(t *testing.T) {
	t.Parallel()

	t.Run("ATokenSaysWhoAndWhat", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		key, v := i.rotate(t, "1"), i.verifier()
		for _, c := range []struct {
			changes claims
			want    gateway.Caller
		}{
			{nil, gateway.Caller{ID: "oidc:u-1", Name: "ana", Role: gateway.Operator}},
			{claims{"preferred_username": nil, "email": "a@example.com"}, gateway.Caller{ID: "oidc:u-1", Name: "a@example.com", Role: gateway.Operator}},
			{claims{"preferred_username": nil}, gateway.Caller{ID: "oidc:u-1", Name: "u-1", Role: gateway.Operator}},
			{claims{"knobot_role": []string{"other", "viewer", "owner"}}, gateway.Caller{ID: "oidc:u-1", Name: "ana", Role: gateway.Owner}},
			{claims{"aud": []string{"other", "knobot"}}, gateway.Caller{ID: "oidc:u-1", Name: "ana", Role: gateway.Operator}},
			{claims{"preferred_username": "a\x00\nñ"}, gateway.Caller{ID: "oidc:u-1", Name: "añ", Role: gateway.Operator}},
			{claims{"preferred_username": strings.Repeat("ñ", 1000)}, gateway.Caller{ID: "oidc:u-1", Name: strings.Repeat("ñ", 128), Role: gateway.Operator}},
		} {
			caller, err := v.Authenticate(t.Context(), i.token(t, key, c.changes))
			require.NoError(t, err)
			require.Equal(t, c.want, caller)
		}
		i.set(func(i *issuer) {
			require.Equal(t, []int{1, 1}, []int{i.askedD, i.askedK}, "documents and keys are kept")
		})
	})

	t.Run("WhatIsWrongIsRefused", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		key, v := i.rotate(t, "1"), i.verifier()
		stranger := signingKey(t, "1")
		shared := jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}
		valid := i.token(t, key, nil)
		parts := strings.Split(valid, ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
		for reason, token := range map[string]string{
			"CREDENTIAL_REFUSED other audience": i.token(t, key, claims{"aud": "other"}),
			"CREDENTIAL_REFUSED no audience":    i.token(t, key, claims{"aud": nil}),
			"CREDENTIAL_REFUSED other issuer":   i.token(t, key, claims{"iss": "https://example.com"}),
			"CREDENTIAL_REFUSED no subject":     i.token(t, key, claims{"sub": nil}),
			"CREDENTIAL_REFUSED not yet":        i.token(t, key, claims{"nbf": time.Now().Add(time.Hour).Unix()}),
			"CREDENTIAL_REFUSED other key":      i.token(t, stranger, nil),
			"CREDENTIAL_REFUSED shared secret":  i.token(t, shared, nil),
			"CREDENTIAL_REFUSED none":           none,
			"CREDENTIAL_REFUSED cut":            parts[0] + "." + parts[1] + ".",
			"CREDENTIAL_REFUSED changed":        parts[0] + "." + parts[1] + "x." + parts[2],
			"CREDENTIAL_REFUSED no token":       "a.b.c",
			"TOKEN_EXPIRED":                     i.token(t, key, claims{"exp": time.Now().Add(-time.Minute).Unix()}),
			"CREDENTIAL_REFUSED expired forged": i.token(t, stranger, claims{"exp": time.Now().Add(-time.Minute).Unix()}),
			"TOKEN_EXPIRED no end":              i.token(t, key, claims{"exp": nil}),
		} {
			_, err := v.Authenticate(t.Context(), token)
			require.Equal(t, strings.Fields(reason)[0], fault.ReasonOf(err), "%s: %v", reason, err)
			require.Equal(t, fault.Unauthenticated, fault.KindOf(err), reason)
			require.NotContains(t, err.Error(), token, "no token in a log")
		}
	})

	t.Run("WhoHasNoRoleIsDenied", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		key, v := i.rotate(t, "1"), i.verifier()
		for _, role := range []any{nil, "", "admin", "Owner", []string{}, []string{"x"}, 3, map[string]string{"owner": "owner"}} {
			_, err := v.Authenticate(t.Context(), i.token(t, key, claims{"knobot_role": role}))
			require.Equal(t, "ROLE_MISSING", fault.ReasonOf(err), "%v", role)
			require.Equal(t, fault.Denied, fault.KindOf(err))
		}
	})

	t.Run("NewKeysAreFetchedAndOldOnesEnd", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		v, before := i.verifier(), i.rotate(t, "1")
		_, err := v.Authenticate(t.Context(), i.token(t, before, nil))
		require.NoError(t, err)
		after := i.rotate(t, "2")
		_, err = v.Authenticate(t.Context(), i.token(t, after, nil))
		require.NoError(t, err)
		_, err = v.Authenticate(t.Context(), i.token(t, before, nil))
		require.Equal(t, "CREDENTIAL_REFUSED", fault.ReasonOf(err))
	})

	t.Run("AnIssuerThatIsAwayIsNobodysFault", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		key := i.rotate(t, "1")
		i.set(func(i *issuer) { i.away = true })
		v := i.verifier()
		for range 3 {
			_, err := v.Authenticate(t.Context(), i.token(t, key, nil))
			require.Equal(t, "ISSUER_UNAVAILABLE", fault.ReasonOf(err))
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
		}
		i.set(func(i *issuer) {
			require.Equal(t, 1, i.askedD, "it is left alone for a while")
			i.away = false
		})
		v = i.verifier()
		_, err := v.Authenticate(t.Context(), i.token(t, key, nil))
		require.NoError(t, err)
		i.set(func(i *issuer) { i.away = true })
		_, err = v.Authenticate(t.Context(), i.token(t, key, nil))
		require.NoError(t, err, "known keys are enough")
		_, err = v.Authenticate(t.Context(), i.token(t, signingKey(t, "2"), nil))
		require.Equal(t, "ISSUER_UNAVAILABLE", fault.ReasonOf(err), "it may be a new key")
	})

	t.Run("ForgedTokensDoNotHaveTheIssuerAskedWithoutEnd", func(t *testing.T) {
		t.Parallel()
		i := newIssuer(t)
		key, v := i.rotate(t, "1"), i.verifier()
		forged := i.token(t, signingKey(t, "unknown"), nil)
		for range 50 {
			_, err := v.Authenticate(t.Context(), forged)
			require.Error(t, err)
		}
		i.set(func(i *issuer) { require.Less(t, i.askedK, 15) })
		_, err := v.Authenticate(t.Context(), i.token(t, key, nil))
		require.NoError(t, err)
	})
}
