package verification

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
)

// maxSecrets bounds the HMACs that one forged body can make us compute.
const maxSecrets = 32

// WhatsApp verifies the X-Hub-Signature-256 values that came with a raw body and returns what the body may speak for. It
// returns gateway.ErrNotSynced, gateway.ErrMissingCredential or gateway.ErrWrongCredential otherwise.
func (t *Table) WhatsApp(body []byte, signatures []string) (gateway.Scope, error) {
	s := t.current.Load()
	switch {
	case s == nil:
		return gateway.Scope{}, gateway.ErrNotSynced
	case len(signatures) == 0 && s.takeUnsigned:
		return s.unsigned, nil
	case len(signatures) == 0 || (len(signatures) == 1 && signatures[0] == ""):
		return gateway.Scope{}, gateway.ErrMissingCredential
	}
	claimed, ok := parseSignature(signatures)
	if !ok {
		return gateway.Scope{}, gateway.ErrWrongCredential
	}
	return s.match(body, claimed)
}

// parseSignature takes "sha256=" and 64 lower-case hex digits, as Meta sends them (Graph API, Webhooks getting started,
// 11 Sep 2026). Anything else, a second header above all, is somebody trying.
func parseSignature(signatures []string) (digest, bool) {
	if len(signatures) != 1 {
		return digest{}, false
	}
	text, ok := strings.CutPrefix(signatures[0], "sha256=")
	if !ok || len(text) != hex.EncodedLen(sha256.Size) || text != strings.ToLower(text) {
		return digest{}, false
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return digest{}, false
	}
	return digest(raw), true
}

// match tries the secret that matched last, then the others.
func (s *snapshot) match(body []byte, claimed digest) (gateway.Scope, error) {
	first := int(s.lastGood.Load())
	if first < len(s.secrets) && s.secrets[first].signed(body, claimed) {
		return s.secrets[first].scope, nil
	}
	for i := 0; i < min(len(s.secrets), maxSecrets); i++ {
		if i != first && s.secrets[i].signed(body, claimed) {
			s.lastGood.Store(int64(i))
			return s.secrets[i].scope, nil
		}
	}
	return gateway.Scope{}, gateway.ErrWrongCredential
}

func (a *appSecret) signed(body []byte, claimed digest) bool {
	mac := hmac.New(sha256.New, a.key)
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), claimed[:])
}

// Telegram returns the bot that the X-Telegram-Bot-Api-Secret-Token values stand for. It returns the errors of
// [Table.WhatsApp] otherwise. The secret is looked up by its SHA-256, so that the time it takes says nothing about it.
func (t *Table) Telegram(secrets []string) (gateway.Bot, error) {
	s := t.current.Load()
	switch {
	case s == nil:
		return gateway.Bot{}, gateway.ErrNotSynced
	case len(secrets) == 0 || (len(secrets) == 1 && secrets[0] == ""):
		return gateway.Bot{}, gateway.ErrMissingCredential
	case len(secrets) > 1:
		return gateway.Bot{}, gateway.ErrWrongCredential
	}
	bot, ok := s.bots[sha256.Sum256([]byte(secrets[0]))]
	if !ok {
		return gateway.Bot{}, gateway.ErrWrongCredential
	}
	return bot, nil
}

// VerifyToken checks the token of a handshake. It returns the errors of [Table.WhatsApp]. Every known token is compared,
// whichever matches.
func (t *Table) VerifyToken(token string) error {
	s := t.current.Load()
	switch {
	case s == nil:
		return gateway.ErrNotSynced
	case token == "":
		return gateway.ErrMissingCredential
	}
	claimed := sha256.Sum256([]byte(token))
	found := 0
	for i := range s.verifyTokens {
		found |= subtle.ConstantTimeCompare(claimed[:], s.verifyTokens[i][:])
	}
	if found == 0 {
		return gateway.ErrWrongCredential
	}
	return nil
}
