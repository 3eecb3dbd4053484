package edge

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

func networks(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for n, s := range list {
		out[n] = netip.MustParsePrefix(s)
	}
	return out
}

func TestClientIsTheRightmostAddressThatIsNoProxy(t *testing.T) {
	t.Parallel()
	ours := networks("10.0.0.0/8", "127.0.0.1/32", "fd00::/8")
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		peer    string
		headers []string
		want    string
	}{
		"NobodyIsBelievedWithoutProxies": {nil, "10.0.0.1:5", []string{"203.0.113.9"}, "10.0.0.1"},
		"StrangersAreNotBelieved":        {ours, "198.51.100.7:5", []string{"203.0.113.9"}, "198.51.100.7"},
		"OneProxy":                       {ours, "10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"ForgedEntriesStandLeft":         {ours, "10.0.0.1:5", []string{"149.154.160.1, 203.0.113.9"}, "203.0.113.9"},
		"TwoProxies":                     {ours, "10.0.0.1:5", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"SeveralHeaders":                 {ours, "10.0.0.1:5", []string{"149.154.160.1", "203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"OnlyProxies":                    {ours, "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"GarbageEndsTheSearch":           {ours, "10.0.0.1:5", []string{"203.0.113.9, nonsense"}, "10.0.0.1"},
		"NoHeader":                       {ours, "10.0.0.1:5", nil, "10.0.0.1"},
		"WithPort":                       {ours, "10.0.0.1:5", []string{"203.0.113.9:443"}, "203.0.113.9"},
		"IPv6WithPort":                   {ours, "[fd00::1]:5", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		"MappedIPv4":                     {ours, "[::ffff:10.0.0.1]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = c.peer
			for _, h := range c.headers {
				r.Header.Add("X-Forwarded-For", h)
			}
			require.Equal(t, c.want, Sources{Proxies: c.proxies}.client(r))
		})
	}
}

func TestTelegramIsTakenFromItsNetworksAlone(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.handler.sources = Sources{Proxies: networks("127.0.0.1/32"), Telegram: networks("149.154.160.0/20", "91.108.4.0/22")}
	update := `{"update_id":1,"message":{"message_id":2,"date":1795000000,"chat":{"id":3,"type":"private"},"from":{"id":3},"text":"hola"}}`
	post := func(path, forwarded, body string, header http.Header) int {
		header = header.Clone()
		header.Set("X-Forwarded-For", forwarded)
		return s.do(t, http.MethodPost, path, strings.NewReader(body), header).status
	}
	secret := http.Header{"X-Telegram-Bot-Api-Secret-Token": {botSecret}}
	require.Equal(t, http.StatusOK, post(telegramURL, "149.154.167.220", update, secret))
	require.Equal(t, "149.154.167.220", s.conversation.stored()[0].GetRemoteAddress())
	require.Equal(t, http.StatusForbidden, post(telegramURL, "203.0.113.9", update, secret), "the right secret from elsewhere")
	require.Equal(t, http.StatusForbidden, post(telegramURL, "149.154.167.220, 203.0.113.9", update, secret), "a forged hop")
	require.Equal(t, http.StatusForbidden, post(telegramURL, "", update, secret), "the proxy itself")
	require.Len(t, s.conversation.stored(), 1)
	require.Eventually(t, func() bool { return len(s.conversation.refused()) == 3 }, soon, often)
	refused := s.conversation.refused()[0]
	require.Equal(t, conversationv1.RejectionReason_REJECTION_REASON_FOREIGN_SOURCE, refused.GetReason())
	require.Equal(t, "203.0.113.9", refused.GetRemoteAddress())

	body := textBody("wamid.1", "hola")
	signed := http.Header{"X-Hub-Signature-256": {sign(appSecret, []byte(body))}}
	require.Equal(t, http.StatusOK, post(whatsAppURL, "203.0.113.9", body, signed), "Meta's networks are not listed: its signature is the proof")
}
