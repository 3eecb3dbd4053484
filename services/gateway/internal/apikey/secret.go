// Package apikey makes the keys of the management API and tells whose a secret is.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
)

// A secret is `knobot_<id>_<random>`: scanners of leaked secrets find it by its beginning, the id leads to its row without
// comparing anything secret, and the rest is 32 random bytes.
const (
	prefix      = "knobot_"
	idBytes     = 9
	secretBytes = 32
	idLength    = 13 // of 9 bytes in base 62
	randLength  = 43 // of 32 bytes in base 62
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID makes the id of a key.
func newID() string { return random(idBytes, idLength) }

// newSecret makes a secret of the key with an id.
func newSecret(id string) string { return prefix + id + "_" + random(secretBytes, randLength) }

// digestOf is what is kept of a secret.
func digestOf(secret string) gateway.Digest { return sha256.Sum256([]byte(secret)) }

// IsSecret says whether a token has the form of a secret of ours.
func IsSecret(token string) bool {
	_, ok := idOf(token)
	return ok
}

// idOf reads the id out of a secret.
func idOf(secret string) (string, bool) {
	rest, ok := strings.CutPrefix(secret, prefix)
	id, random, found := strings.Cut(rest, "_")
	return id, ok && found && isBase62(id, idLength) && isBase62(random, randLength)
}

func isBase62(s string, length int) bool {
	return len(s) == length && strings.Trim(s, alphabet) == ""
}

// random returns random bytes in base 62, always of the same length.
func random(bytes, length int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand, Go 1.24)
	out := make([]byte, length)
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(int64(len(alphabet))), new(big.Int)
	for i := range out {
		n.DivMod(n, base, digit)
		out[length-1-i] = alphabet[digit.Int64()]
	}
	return string(out)
}
