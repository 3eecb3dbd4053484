package edge

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gateway "github.com/knobot/knobot/services/gateway"
)

// raw sends bytes over a socket of its own and returns the connection.
func (s *stack) raw(t *testing.T, request string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	return conn
}

func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func post(extra string) string {
	return "POST " + whatsAppURL + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n"
}

// everythingReleased says that no request holds memory any more.
func (s *stack) everythingReleased() bool {
	if !s.handler.inFlight.TryAcquire(maxBytesInFlight) {
		return false
	}
	s.handler.inFlight.Release(maxBytesInFlight)
	return true
}

func TestLargestBodyArrivesByteForByte(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	head := `{"object":"whatsapp_business_account","entry":[],"pad":"`
	for _, size := range []int{100, exactUpTo - 1, exactUpTo, exactUpTo + 1, 1 << 20, gateway.MaxBodyBytes} {
		body := head + strings.Repeat("\xc3\xb1", (size-len(head)-2)/2) + `"}`
		body += strings.Repeat(" ", size-len(body))
		header := http.Header{"X-Hub-Signature-256": {sign(appSecret, []byte(body))}}
		require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, whatsAppURL, strings.NewReader(body), header).status)
		chunked := struct{ io.Reader }{strings.NewReader(body)} // hides the length.
		require.Equal(t, http.StatusOK, s.do(t, http.MethodPost, whatsAppURL, chunked, header).status)
		stored := s.conversation.stored()
		for _, r := range stored[len(stored)-2:] {
			require.True(t, bytes.Equal([]byte(body), r.GetPayload()), size)
		}
	}
	require.Eventually(t, s.everythingReleased, soon, often)
}

func TestOneByteTooManyIs413(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := strings.Repeat(" ", gateway.MaxBodyBytes+1)
	require.Equal(t, http.StatusRequestEntityTooLarge, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	chunked := s.do(t, http.MethodPost, whatsAppURL, struct{ io.Reader }{strings.NewReader(body)}, nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, chunked.status)
	// A declared size is believed before a byte of it is read.
	require.Equal(t, http.StatusRequestEntityTooLarge, statusOf(t, s.raw(t, post("Content-Length: 1073741824\r\n"))))
	many := `{"entry":[{"changes":[{"field":"messages","value":{"messages":[` + strings.Repeat("{},", 50_000) + `{}]}}]}]}`
	require.Equal(t, http.StatusRequestEntityTooLarge, s.postWhatsApp(t, many, sign(appSecret, []byte(many))).status)
	require.Empty(t, s.conversation.stored())
	require.Eventually(t, s.everythingReleased, soon, often)
}

func TestEndlessBodyIsCutOff(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	conn := s.raw(t, post("Transfer-Encoding: chunked\r\n"))
	go func() {
		chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
		for {
			if _, err := io.WriteString(conn, chunk); err != nil {
				return
			}
		}
	}()
	require.Equal(t, http.StatusRequestEntityTooLarge, statusOf(t, conn))
}

func TestSlowBodyIs408AndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.handler.deadline = 200 * time.Millisecond
	slow := s.raw(t, post("Content-Length: 4000000\r\n")+"x")
	body := textBody("wamid.1", "hola")
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
	require.Equal(t, http.StatusRequestTimeout, statusOf(t, slow))
	require.Eventually(t, s.everythingReleased, soon, often)
}

func TestDeclaredSizeReservesNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for range 100 {
		s.raw(t, post("Content-Length: 4194304\r\n")+"x") // 400 MiB declared, 100 bytes sent.
	}
	body := textBody("wamid.1", "hola")
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, body, sign(appSecret, []byte(body))).status)
}

func TestFullMemoryIs503(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	require.True(t, s.handler.inFlight.TryAcquire(maxBytesInFlight-100_000))
	small, large := textBody("wamid.1", "hola"), strings.Repeat(" ", 200_000)
	got := s.postWhatsApp(t, large, sign(appSecret, []byte(large)))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "2", got.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.postWhatsApp(t, small, sign(appSecret, []byte(small))).status)
	s.handler.inFlight.Release(maxBytesInFlight - 100_000)
	require.Eventually(t, s.everythingReleased, soon, often)
}

func TestPackedBombIsNeverUnpacked(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(make([]byte, 50<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	header := http.Header{"Content-Encoding": {"gzip"}, "X-Hub-Signature-256": {sign(appSecret, packed.Bytes())}}
	require.Equal(t, http.StatusUnsupportedMediaType, s.do(t, http.MethodPost, whatsAppURL, &packed, header).status)
}

func TestOddHTTPIsAnswered(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	body := textBody("wamid.1", "hola")
	signature := "X-Hub-Signature-256: " + sign(appSecret, []byte(body)) + "\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	http10 := "POST " + whatsAppURL + " HTTP/1.0\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"HTTP/1.0":             {http10 + signature + length + "\r\n" + body, 200},
		"no length":            {http10 + signature + "\r\n", 401},
		"lower-case header":    {post(strings.ToLower(signature)+length) + body, 200},
		"header twice":         {post(signature+signature+length) + body, 401},
		"header twice, one no": {post("X-Hub-Signature-256: x\r\n"+signature+length) + body, 401},
		"broken chunk":         {post(signature+"Transfer-Encoding: chunked\r\n") + "zz\r\n", 400},
		"length and chunks":    {post(signature+length+"Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 401},
		"negative length":      {post("Content-Length: -1\r\n"), 400},
		"two lengths":          {post(length+"Content-Length: 1\r\n") + body, 400},
		"absolute URI":         {"POST http://evil.example" + whatsAppURL + " HTTP/1.1\r\nHost: x\r\n" + signature + length + "\r\n" + body, 200},
		"escaped path":         {"POST /api/integrations/webhooks/whats%61pp HTTP/1.1\r\nHost: x\r\n" + signature + length + "\r\n" + body, 200},
		"escaped slash":        {"POST /api/integrations/webhooks%2Fwhatsapp%2f HTTP/1.1\r\nHost: x\r\n" + signature + length + "\r\n" + body, 200},
		"dots":                 {"POST /api/integrations/webhooks/x/../whatsapp HTTP/1.1\r\nHost: x\r\n" + length + "\r\n" + body, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.status, statusOf(t, s.raw(t, c.request)))
		})
	}
}

func TestPipelinedRequestsAreEachAnswered(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	var requests strings.Builder
	for i := range 5 {
		body := textBody(fmt.Sprintf("wamid.%d", i), "hola")
		fmt.Fprintf(&requests, "%s%s", post(fmt.Sprintf("X-Hub-Signature-256: %s\r\nContent-Length: %d\r\n", sign(appSecret, []byte(body)), len(body))), body)
	}
	reader := bufio.NewReader(s.raw(t, requests.String()))
	for range 5 {
		resp, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
	}
	require.Len(t, s.conversation.stored(), 5)
}
