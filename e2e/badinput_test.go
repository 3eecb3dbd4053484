package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

const (
	signatureHeader = "X-Hub-Signature-256"
	secretHeader    = "X-Telegram-Bot-Api-Secret-Token"

	// canary stands in every customer's text of TestBadInput: no program may log it.
	canary = "canario7f3a"
	// saturday is a question that the documents answer.
	saturday = "¿A qué hora abren los sábados?"
)

// badInput is the running system that all of TestBadInput shares, with a second number that belongs to another app.
type badInput struct {
	*system.System
	began time.Time
	other simulator.Number
	// rejectedWhatsApp and rejectedTelegram count the posts that were refused.
	rejectedWhatsApp, rejectedTelegram atomic.Int64
}

// TestBadInput gives a running system everything that is wrong, all at once, and then looks whether it still stands, has kept
// its secrets and serves.
func TestBadInput(t *testing.T) {
	t.Parallel()
	b := &badInput{System: start(t, nil), began: time.Now()}
	stores.Watch.Forbid("a customer's text", canary)
	require.NoError(t, b.Store(t.Context(), "horario.md", hours))
	b.addOtherNumber(t)

	t.Run("EachIsMet", b.each) // ends when all of its parts have
	b.rejectionsAreCounted(t)
	b.nothingDied(t)
	b.nothingLeaked(t)
	require.Contains(t, telegramCustomer(t, b.System, "7999", "").ask(saturday+" "+canary).Text, "10:00 a 14:00", "a normal question is answered")
	require.Contains(t, whatsAppCustomer(t, b.System, "573001110999").ask(saturday+" "+canary).Text, "10:00 a 14:00")
}

func (b *badInput) each(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"ForgedWhatsAppIsRefused":              b.forgedWhatsApp,
		"ForgedTelegramIsRefused":              b.forgedTelegram,
		"HandshakeWithWrongTokenIsRefused":     b.wrongHandshake,
		"NumberOfAnotherAppIsDroppedOursKept":  b.foreignNumber,
		"NumberNobodyConfiguredIsRecorded":     b.unknownNumber,
		"BodyOverTheLimitIs413":                b.tooLarge,
		"SignedTextThatIsNotJSONIs400":         b.notJSON,
		"BrokenCharactersAreAnsweredAndClean":  b.brokenCharacters,
		"DeepNestingIsStoredOrRefused":         b.deepNesting,
		"MessageWithoutTextIsAskedFor":         b.withoutText,
		"MegabyteQuestionIsAnswered":           b.megabyte,
		"EmptyQuestionOverRPCIsDeclined":       b.emptyQuestion,
		"UnknownFieldIsRefusedByNameNotOnWire": b.unknownField,
		"WrongPageTokenIsInvalid":              b.wrongPageToken,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

// addOtherNumber configures a number of another app and waits until it is served.
func (b *badInput) addOtherNumber(t *testing.T) {
	t.Helper()
	b.other = simulator.Number{ID: "2233445566778", AccessToken: "other-access-token", VerifyToken: "other-verify-token", AppSecret: "other-app-secret"}
	for _, secret := range []string{b.other.AccessToken, b.other.VerifyToken, b.other.AppSecret} {
		stores.Watch.Forbid("a secret of the other number", secret)
	}
	_, err := b.Simulator.AddNumber(t.Context(), b.other)
	require.NoError(t, err)
	_, err = channelsv1.NewIntegrationServiceClient(b.Conn(b.Channels)).CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{
		Integration: &channelsv1.Integration{
			Name: "Other", Platform: typev1.Platform_PLATFORM_WHATSAPP,
			Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{
				PhoneNumberId: b.other.ID, AccessToken: b.other.AccessToken, VerifyToken: b.other.VerifyToken, AppSecret: b.other.AppSecret,
			}},
		},
	})
	require.NoError(t, err)
	settings, err := b.Simulator.Settings(t.Context())
	require.NoError(t, err)
	settings.RetryScale = 0.05 // until the gateway has heard of the number it refuses
	require.NoError(t, b.Simulator.ChangeSettings(t.Context(), settings))
	c := whatsAppCustomer(t, b.System, "573001110000")
	c.say.Account = b.other.ID
	chat := c.ask("/start").Chat
	attempts, err := b.Simulator.Deliveries(t.Context(), client.Filter{Chat: chat})
	require.NoError(t, err)
	for _, a := range attempts {
		if a.Status == http.StatusUnauthorized {
			b.rejectedWhatsApp.Add(1)
		}
	}
}

func (b *badInput) whatsApp(t *testing.T, last string) *acquaintance {
	t.Helper()
	return acquainted(whatsAppCustomer(t, b.System, "573001110"+last))
}

func (b *badInput) telegram(t *testing.T, id string) *acquaintance {
	t.Helper()
	return acquainted(telegramCustomer(t, b.System, id, ""))
}

func (b *badInput) forgedWhatsApp(t *testing.T) {
	body := system.WhatsAppText(b.Credentials.PhoneNumberID, "573001110001", "wamid.forged", "Hola "+canary, time.Now())
	right := system.Sign(b.Credentials.AppSecret, body)
	for name, values := range map[string][]string{
		"missing":         nil,
		"empty":           {""},
		"no digest":       {"sha256="},
		"wrong key":       {system.Sign("wrong", body)},
		"key is empty":    {system.Sign("", body)},
		"of another body": {system.Sign(b.Credentials.AppSecret, append(slices.Clone(body), ' '))},
		"other algorithm": {strings.Replace(right, "sha256=", "sha1=", 1)},
		"without name":    {strings.TrimPrefix(right, "sha256=")},
		"cut off":         {right[:len(right)-2]},
		"with more":       {right + ","},
		"not hex":         {"sha256=" + strings.Repeat("z", 64)},
		"upper case":      {"sha256=" + strings.ToUpper(strings.TrimPrefix(right, "sha256="))},
		"twice":           {right, right},
	} {
		require.Equal(t, http.StatusUnauthorized, postTo(t, b.System, system.WhatsAppPath, body, http.Header{signatureHeader: values}), name)
		b.rejectedWhatsApp.Add(1)
	}
	require.Equal(t, http.StatusUnauthorized, postTo(t, b.System, system.WhatsAppPath, body, http.Header{secretHeader: {b.Credentials.SecretToken}}),
		"a Telegram secret signs nothing")
	b.rejectedWhatsApp.Add(1)
}

func (b *badInput) forgedTelegram(t *testing.T) {
	body := system.TelegramText(1, 7100, 1, "Hola "+canary, time.Now())
	right := b.Credentials.SecretToken
	for name, values := range map[string][]string{
		"missing": nil, "empty": {""}, "wrong": {"wrong"}, "cut off": {right[:len(right)-1]}, "with more": {right + "x"},
		"upper case": {strings.ToUpper(right)}, "twice": {right, right}, "bot token": {b.Credentials.BotToken},
	} {
		require.Equal(t, http.StatusUnauthorized, postTo(t, b.System, system.TelegramPath, body, http.Header{secretHeader: values}), name)
		b.rejectedTelegram.Add(1)
	}
}

func (b *badInput) wrongHandshake(t *testing.T) {
	url := b.HTTP + system.WhatsAppPath + "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + canary
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
	b.rejectedWhatsApp.Add(1)
}

// foreignNumber signs with the secret of our app a body that also speaks for the other app's number.
func (b *badInput) foreignNumber(t *testing.T) {
	ours := b.whatsApp(t, "010")
	theirs := whatsAppCustomer(t, b.System, "573001110011")
	theirs.say.Account = b.other.ID
	known := acquainted(theirs)
	first, mark := ours.body(`"` + saturday + " " + canary + `"`)
	second := system.WhatsAppText(b.other.ID, theirs.say.From, mark+".theirs", saturday, time.Now())
	require.Equal(t, http.StatusOK, ours.post(join(second, first)))
	require.Contains(t, ours.hear().Text, "10:00 a 14:00", "the valid message of the same body")
	eventually(t, 10*time.Second, func() bool { return slices.Contains(outcomes(ours.log(mark)), "answered") }, "our event is answered")
	require.Equal(t, []string{"foreign_number", "answered"}, outcomes(ours.log(mark)))
	require.Empty(t, ours.log(mark).GetEvents()[0].GetIntegrationId())
	require.Len(t, known.answers(), 1, "only what was said before")
}

// join puts the changes of two bodies into one.
func join(first, second []byte) []byte {
	const end = `]}]}`
	_, change, _ := bytes.Cut(second, []byte(`"changes":[`))
	return slices.Concat(bytes.TrimSuffix(first, []byte(end)), []byte(","), change)
}

func (b *badInput) unknownNumber(t *testing.T) {
	body := system.WhatsAppText("999999999999", "573001110012", "wamid.nobody", "Hola "+canary, time.Now())
	require.Equal(t, http.StatusOK, postTo(t, b.System, system.WhatsAppPath, body,
		http.Header{signatureHeader: {system.Sign(b.Credentials.AppSecret, body)}}))
	row := logOf(t, b.System, typev1.Platform_PLATFORM_WHATSAPP, "wamid.nobody")
	require.Equal(t, []string{"foreign_number"}, outcomes(row))
	require.NotNil(t, row.GetProcessedTime())
	users, err := conversationv1.NewUserServiceClient(b.Conn(b.Conversation)).ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: 1000})
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(users.GetUsers(), func(u *conversationv1.User) bool { return u.GetPhoneNumber() == "573001110012" }))
}

func (b *badInput) tooLarge(t *testing.T) {
	const limit = 4 << 20
	wa, tg := b.whatsApp(t, "013"), b.telegram(t, "7101")
	for _, c := range []struct {
		*acquaintance
		rejected *atomic.Int64
	}{{wa, &b.rejectedWhatsApp}, {tg, &b.rejectedTelegram}} {
		body, _ := c.body(`"` + saturday + " " + canary + `"`)
		body = append(body, bytes.Repeat([]byte(" "), limit-len(body))...)
		require.Equal(t, http.StatusRequestEntityTooLarge, c.post(append(slices.Clone(body), ' ')))
		c.rejected.Add(1)
		require.Equal(t, http.StatusOK, c.post(body), "the largest that is taken")
		require.Contains(t, c.hear().Text, "10:00 a 14:00")
	}
}

func (b *badInput) notJSON(t *testing.T) {
	wa, tg := b.whatsApp(t, "014"), b.telegram(t, "7102")
	for name, text := range map[string]string{
		"unquoted": canary, "single quotes": "'" + canary + "'", "trailing comma": `"a",`, "bare NUL": "\"\x00\"", "comment": `"a"/**/`,
	} {
		body, _ := wa.body(text)
		require.Equal(t, http.StatusBadRequest, wa.post(body), name)
		update, _ := tg.body(text)
		require.Equal(t, http.StatusBadRequest, tg.post(update), name)
		b.rejectedWhatsApp.Add(1)
		b.rejectedTelegram.Add(1)
	}
	for _, body := range []string{"", "hola", "{", "\xff\xfe"} {
		require.Equal(t, http.StatusBadRequest, wa.post([]byte(body)), "%q", body)
		b.rejectedWhatsApp.Add(1)
	}
}

// brokenCharacters are raw bytes that are no UTF-8, NUL and halves of surrogate pairs, all in one question.
func (b *badInput) brokenCharacters(t *testing.T) {
	for _, c := range []*acquaintance{b.whatsApp(t, "015"), b.telegram(t, "7103")} {
		body, mark := c.body("\"" + saturday + `\u0000 \ud83d ` + "\xff\xfe\xc3 " + canary + `"`)
		require.Equal(t, http.StatusOK, c.post(body))
		require.Contains(t, c.hear().Text, "10:00 a 14:00", c.say.Platform)
		require.Equal(t, body, c.log(mark).GetPayload(), "the raw payload keeps its bytes")
		stored := c.stored()
		text := stored[len(stored)-1].GetText()
		require.Contains(t, text, saturday)
		require.Contains(t, text, canary, "nothing after the broken characters is lost")
		require.NotContains(t, text, "\x00")
		require.True(t, utf8.ValidString(text))
	}
}

func (b *badInput) deepNesting(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		*acquaintance
		rejected *atomic.Int64
	}{{b.whatsApp(t, "016"), &b.rejectedWhatsApp}, {b.telegram(t, "7104"), &b.rejectedTelegram}} {
		body, _ := c.body(deep(1000))
		require.Equal(t, http.StatusOK, c.post(body))
		require.NotEmpty(t, c.hear().Text, "a message without text")
		for _, text := range []string{deep(20_000), strings.Repeat("[", 1_000_000)} {
			body, _ := c.body(text)
			require.Equal(t, http.StatusBadRequest, c.post(body))
			c.rejected.Add(1)
		}
	}
}

func (b *badInput) withoutText(t *testing.T) {
	for i, text := range []string{`""`, `null`, `"   \n"`, `{}`, `"\u0000"`} {
		for _, c := range []*acquaintance{b.whatsApp(t, fmt.Sprintf("02%d", i)), b.telegram(t, fmt.Sprintf("711%d", i))} {
			body, _ := c.body(text)
			require.Equal(t, http.StatusOK, c.post(body), text)
			require.NotEmpty(t, c.hear().Text, "%s: %s", c.say.Platform, text)
		}
	}
}

func (b *badInput) megabyte(t *testing.T) {
	question := strings.Repeat(saturday+" "+canary+" ", 1<<20/len(saturday+" "+canary+" ")+1)
	for _, c := range []*acquaintance{b.whatsApp(t, "030"), b.telegram(t, "7120")} {
		body, _ := c.body(`"` + question + `"`)
		require.Greater(t, len(body), 1<<20)
		require.Equal(t, http.StatusOK, c.post(body))
		answer := c.hear().Text
		require.NotEmpty(t, answer)
		require.NotContains(t, answer, "problema técnico", "answered or declined, not given up")
	}
}
