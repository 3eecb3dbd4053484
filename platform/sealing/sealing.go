// Package sealing encrypts secrets at rest with Tink AEAD. Each ciphertext is bound to the thing and the field that it
// belongs to, so that a row copied elsewhere does not open.
package sealing

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrNoKeyset says that there is no keyset to seal with.
var ErrNoKeyset = errors.New("KNOBOT_ENCRYPTION_KEYSET is not set: a Tink AEAD keyset in JSON, or that in base64, is needed; " +
	"`make up` makes one, `tinkey create-keyset --key-template AES256_GCM` does too")

// Sealer seals and opens secrets with the keys of one keyset. It seals with the primary key and opens with any, so that a
// key is rotated by adding one, rolling that out everywhere, making it the primary, and sealing again what others sealed.
type Sealer struct {
	aead    tink.AEAD
	keys    []uint32
	primary uint32
}

// New reads a cleartext keyset in JSON, or that in base64. Its errors never hold key material. Returns ErrNoKeyset for an
// empty one.
func New(keysetText string) (*Sealer, error) {
	text := strings.TrimSpace(keysetText)
	if text == "" {
		return nil, ErrNoKeyset
	}
	if !strings.HasPrefix(text, "{") {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("KNOBOT_ENCRYPTION_KEYSET is neither JSON nor base64 of it")
		}
		text = string(decoded)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(strings.NewReader(text)))
	if err != nil {
		// Tink's message may quote the input.
		return nil, errors.New("KNOBOT_ENCRYPTION_KEYSET is no Tink keyset in JSON")
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("KNOBOT_ENCRYPTION_KEYSET is no keyset for AEAD, such as AES256_GCM")
	}
	return newSealer(primitive, handle)
}

func newSealer(primitive tink.AEAD, handle *keyset.Handle) (*Sealer, error) {
	s := &Sealer{aead: primitive}
	for n := range handle.Len() {
		entry, err := handle.Entry(n)
		if err != nil {
			return nil, errors.New("KNOBOT_ENCRYPTION_KEYSET holds a key that cannot be used")
		}
		s.keys = append(s.keys, entry.KeyID())
		if entry.IsPrimary() {
			s.primary = entry.KeyID()
		}
	}
	return s, nil
}

// keyOf returns the id of the key that sealed a secret, 0 if it does not say. Tink puts a byte and the id before the ciphertext
// of every key but those of output prefix RAW (https://developers.google.com/tink/wire-format, read 2026-11-26).
func keyOf(sealed []byte) uint32 {
	const prefix = 1 + 4
	if len(sealed) < prefix || sealed[0] > 1 {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[1:prefix])
}

// Seal encrypts the secret of a field of something that has an id.
func (s *Sealer) Seal(secret, id, field string) ([]byte, error) {
	sealed, err := s.aead.Encrypt([]byte(secret), context(id, field))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", field, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same id and field. It fails for any other, and for an unknown key.
func (s *Sealer) Open(sealed []byte, id, field string) (string, error) {
	secret, err := s.aead.Decrypt(sealed, context(id, field))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", field, err)
	}
	return string(secret), nil
}

func context(id, field string) []byte { return []byte(id + "/" + field) }

// NewKeyset makes a keyset of one AES-256-GCM key, in JSON.
func NewKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a keyset: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return "", fmt.Errorf("write a keyset: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}
