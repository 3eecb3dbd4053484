package verification_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/verification"
)

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func digest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func number(id, phone string, secrets ...string) verification.Credentials {
	c := verification.Credentials{
		Integration: gateway.IntegrationID(id), Platform: gateway.WhatsApp, PhoneNumberID: phone,
		VerifyTokenSHA256: digest("token-" + id),
	}
	for _, s := range secrets {
		c.AppSecrets = append(c.AppSecrets, []byte(s))
	}
	return c
}

func bot(id string, secrets ...string) verification.Credentials {
	c := verification.Credentials{Integration: gateway.IntegrationID(id), Platform: gateway.Telegram, BotID: 7, BotUsername: "b"}
	for _, s := range secrets {
		c.SecretSHA256 = append(c.SecretSHA256, digest(s))
	}
	return c
}

func table(all ...verification.Credentials) *verification.Table {
	t := &verification.Table{}
	t.Replace(all)
	return t
}

func TestNothingIsVerifiedBeforeTheFirstSync(t *testing.T) {
	t.Parallel()
	empty := &verification.Table{}
	_, err := empty.WhatsApp([]byte("{}"), []string{sign("s", []byte("{}"))})
	require.ErrorIs(t, err, gateway.ErrNotSynced)
	_, err = empty.Telegram([]string{"s"})
	require.ErrorIs(t, err, gateway.ErrNotSynced)
	require.ErrorIs(t, empty.VerifyToken("t"), gateway.ErrNotSynced)
	require.False(t, empty.Synced())
}

func TestForgedSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	good := sign("right", body)
	hexPart := strings.TrimPrefix(good, "sha256=")
	verifier := table(number("a", "1", "right"))
	_, err := verifier.WhatsApp(body, []string{good})
	require.NoError(t, err)
	for name, headers := range map[string][]string{
		"none":                nil,
		"empty":               {""},
		"wrong secret":        {sign("wrong", body)},
		"empty secret":        {sign("", body)},
		"other body":          {sign("right", append([]byte(" "), body...))},
		"no prefix":           {hexPart},
		"wrong prefix":        {"sha1=" + hexPart},
		"upper-case prefix":   {"SHA256=" + hexPart},
		"prefix only":         {"sha256="},
		"truncated":           {good[:len(good)-2]},
		"one digit short":     {good[:len(good)-1]},
		"longer":              {good + "00"},
		"upper-case hex":      {"sha256=" + strings.ToUpper(hexPart)},
		"mixed case":          {"sha256=" + strings.ToUpper(hexPart[:32]) + hexPart[32:]},
		"not hex":             {"sha256=" + strings.Repeat("z", 64)},
		"all zeroes":          {"sha256=" + strings.Repeat("0", 64)},
		"one bit off":         {"sha256=" + flip(hexPart)},
		"space inside":        {"sha256= " + hexPart},
		"quoted":              {`"` + good + `"`},
		"comma after":         {good + ","},
		"list":                {good + "," + good},
		"twice":               {good, good},
		"good and bad":        {good, sign("wrong", body)},
		"bad and good":        {sign("wrong", body), good},
		"empty and good":      {"", good},
		"base64":              {"sha256=" + strings.Repeat("A", 43) + "="},
		"sha512 length":       {"sha256=" + hexPart + hexPart},
		"newline":             {good + "\n"},
		"full-width digits":   {"sha256=" + strings.Repeat("０", 21) + "0"},
		"digest, not an HMAC": {"sha256=" + hex.EncodeToString(digest(string(body)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.WhatsApp(body, headers)
			require.Error(t, err)
			require.NotErrorIs(t, err, gateway.ErrNotSynced)
		})
	}
}

func flip(hexPart string) string {
	last := "0"
	if strings.HasSuffix(hexPart, "0") {
		last = "1"
	}
	return hexPart[:len(hexPart)-1] + last
}

func TestSignatureSpeaksForTheNumbersOfItsSecretOnly(t *testing.T) {
	t.Parallel()
	verifier := table(number("a", "1", "shared"), number("b", "2", "shared"), number("c", "3", "own"))
	scope, err := verifier.WhatsApp([]byte("{}"), []string{sign("shared", []byte("{}"))})
	require.NoError(t, err)
	require.Equal(t, []gateway.IntegrationID{"a", "b"}, scope.Integrations())
	_, ok := scope.Number("3")
	require.False(t, ok)
}

func TestRotatedSecretsAreBothGood(t *testing.T) {
	t.Parallel()
	verifier := table(number("a", "1", "new", "old"), bot("t", "fresh", "stale"))
	for _, secret := range []string{"new", "old", "new"} {
		_, err := verifier.WhatsApp([]byte("{}"), []string{sign(secret, []byte("{}"))})
		require.NoError(t, err, secret)
	}
	for _, secret := range []string{"fresh", "stale"} {
		got, err := verifier.Telegram([]string{secret})
		require.NoError(t, err)
		require.Equal(t, gateway.Bot{Integration: "t", ID: 7, Username: "b"}, got)
	}
}

func TestAtMost32SecretsAreTried(t *testing.T) {
	t.Parallel()
	var all []verification.Credentials
	for i := range 40 {
		all = append(all, number(fmt.Sprintf("int-%02d", i), fmt.Sprint(i), fmt.Sprintf("secret-%d", i)))
	}
	verifier := table(all...)
	accepted := 0
	for i := range 40 {
		if _, err := verifier.WhatsApp([]byte("{}"), []string{sign(fmt.Sprintf("secret-%d", i), []byte("{}"))}); err == nil {
			accepted++
		}
	}
	require.Equal(t, 32, accepted)
}

func TestIncompleteIntegrationsRefuseButCanBeSetUp(t *testing.T) {
	t.Parallel()
	incomplete, refusedBot := number("a", "1", "s"), bot("t", "b")
	incomplete.Refuse, refusedBot.Refuse = true, true
	verifier := table(incomplete, refusedBot)
	_, err := verifier.WhatsApp([]byte("{}"), []string{sign("s", []byte("{}"))})
	require.ErrorIs(t, err, gateway.ErrWrongCredential)
	_, err = verifier.Telegram([]string{"b"})
	require.ErrorIs(t, err, gateway.ErrWrongCredential)
	require.NoError(t, verifier.VerifyToken("token-a"))
}

func TestDeletedIntegrationsAreVerifiedUntilReplaced(t *testing.T) {
	t.Parallel()
	gone, goneBot := number("z-gone", "1", "s"), bot("z-gone-bot", "b")
	gone.Gone, goneBot.Gone = true, true
	signature := []string{sign("s", []byte("{}"))}

	scope, err := table(gone, goneBot).WhatsApp([]byte("{}"), signature)
	require.NoError(t, err)
	require.Equal(t, gateway.IntegrationID("z-gone"), scope.Account())
	require.Error(t, table(gone).VerifyToken("token-z-gone"))

	verifier := table(number("a", "1", "s"), gone, bot("b", "b"), goneBot)
	scope, err = verifier.WhatsApp([]byte("{}"), signature)
	require.NoError(t, err)
	require.Equal(t, []gateway.IntegrationID{"a"}, scope.Integrations())
	got, err := verifier.Telegram([]string{"b"})
	require.NoError(t, err)
	require.Equal(t, gateway.IntegrationID("b"), got.Integration)
}

func TestUnsignedIsForThoseWhoSaidSo(t *testing.T) {
	t.Parallel()
	open := number("a", "1")
	open.AllowUnsigned = true
	verifier := table(open, number("b", "2", "s"))
	for _, headers := range [][]string{nil} {
		scope, err := verifier.WhatsApp([]byte("{}"), headers)
		require.NoError(t, err)
		require.True(t, scope.Unsigned)
		require.Equal(t, []gateway.IntegrationID{"a"}, scope.Integrations())
	}
	_, err := verifier.WhatsApp([]byte("{}"), []string{sign("wrong", []byte("{}"))})
	require.ErrorIs(t, err, gateway.ErrWrongCredential)
	_, err = verifier.WhatsApp([]byte("{}"), []string{""})
	require.ErrorIs(t, err, gateway.ErrMissingCredential)
}

func TestForgedTelegramSecretsAreRefused(t *testing.T) {
	t.Parallel()
	verifier := table(bot("t", "Secret-1"), number("a", "1", "app"))
	for name, headers := range map[string][]string{
		"none": nil, "empty": {""}, "wrong": {"x"}, "other case": {"secret-1"}, "prefix": {"Secret-"}, "longer": {"Secret-1 "},
		"twice": {"Secret-1", "Secret-1"}, "good and bad": {"Secret-1", "x"}, "bad and good": {"x", "Secret-1"},
		"list": {"Secret-1,Secret-1"}, "its digest": {string(digest("Secret-1"))}, "hex digest": {hex.EncodeToString(digest("Secret-1"))},
		"app secret": {"app"}, "verify token": {"token-a"}, "huge": {strings.Repeat("x", 1<<16)}, "NUL": {"Secret-1\x00"},
		"space": {" Secret-1"}, "quoted": {`"Secret-1"`}, "bearer": {"Bearer Secret-1"}, "not UTF-8": {"\xff"}, "zero digest": {string(make([]byte, 32))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.Telegram(headers)
			require.Error(t, err)
		})
	}
}

func TestVerifyTokens(t *testing.T) {
	t.Parallel()
	noToken := number("c", "3", "s")
	noToken.VerifyTokenSHA256 = nil
	verifier := table(number("a", "1", "s"), number("b", "2", "s"), noToken)
	require.NoError(t, verifier.VerifyToken("token-a"))
	require.NoError(t, verifier.VerifyToken("token-b"))
	require.ErrorIs(t, verifier.VerifyToken("token-c"), gateway.ErrWrongCredential)
	require.ErrorIs(t, verifier.VerifyToken(""), gateway.ErrMissingCredential)
}

func FuzzSignature(f *testing.F) {
	body := []byte("{}")
	verifier := table(number("a", "1", "secret"))
	f.Add(sign("secret", body))
	f.Add("sha256=")
	f.Fuzz(func(t *testing.T, header string) {
		_, err := verifier.WhatsApp(body, []string{header})
		require.Equal(t, header == sign("secret", body), err == nil)
	})
}
