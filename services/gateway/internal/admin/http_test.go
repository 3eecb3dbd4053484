package admin

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
)

func TestWebhookLogsAreListed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.say(nil, &conversationv1.ListWebhookLogsResponse{
		WebhookLogs:   []*conversationv1.WebhookLog{{Id: "7", Platform: typev1.Platform_PLATFORM_TELEGRAM, ResponseStatus: 200}},
		NextPageToken: "more",
	})
	got := s.get(t, "/api/v1/webhookLogs?platform=PLATFORM_TELEGRAM&pageSize=1&pageToken=t&deadOnly=true")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.JSONEq(t, `{"webhookLogs":[{"id":"7","platform":"PLATFORM_TELEGRAM","eventType":"","responseStatus":200,"response":"",
		"errorMessage":"","duplicateOf":"","payload":"","events":[],"remoteAddress":""}],"nextPageToken":"more"}`, got.body)
	var asked conversationv1.ListWebhookLogsRequest
	s.services.last(t).into(t, 0, &asked)
	require.True(t, proto.Equal(&conversationv1.ListWebhookLogsRequest{
		Platform: typev1.Platform_PLATFORM_TELEGRAM, PageSize: 1, PageToken: "t", DeadOnly: true,
	}, &asked), &asked)
}

func TestOnlyWhatIsMeantGoesOn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	got := s.do(t, http.MethodGet, "/api/v1/users", nil, http.Header{
		"X-Request-Id": {"from-outside"}, "X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"},
		"X-Knobot-Remote-Address": {"203.0.113.9"}, "Grpc-Metadata-X-Knobot-Remote-Address": {"203.0.113.9"},
		"Grpc-Metadata-Authorization": {"Bearer other"}, "Cookie": {"a=b"}, "X-Http-Method-Override": {"DELETE"},
	})
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "from-outside", got.header.Get("X-Request-Id"))
	md := s.services.last(t).metadata
	require.Equal(t, []string{"Bearer key-of-the-tests"}, md.Get("authorization"))
	require.Equal(t, []string{"from-outside"}, md.Get("x-request-id"))
	require.Equal(t, []string{"127.0.0.1"}, md.Get("x-knobot-remote-address"))
	for name := range md {
		require.NotContains(t, name, "cookie")
		require.NotContains(t, name, "grpcgateway")
	}
	for name := range got.header {
		require.NotContains(t, name, "Grpc-")
	}

	for _, hostile := range []string{"two words", strings.Repeat("x", 65), "<b>"} {
		again := s.do(t, http.MethodGet, "/api/v1/users", nil, http.Header{"X-Request-Id": {hostile}})
		require.NotEqual(t, hostile, again.header.Get("X-Request-Id"))
		require.Equal(t, []string{again.header.Get("X-Request-Id")}, s.services.last(t).metadata.Get("x-request-id"))
	}
}

func TestErrorsHaveStatusReasonAndRequestID(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for name, c := range map[string]struct {
		err          error
		status       int
		reason, text string
	}{
		"invalid":         {fault.New(fault.Invalid, "PAGE_SIZE", "too many"), 400, "PAGE_SIZE", "too many"},
		"unauthenticated": {fault.New(fault.Unauthenticated, "KEY_REFUSED", "a key is needed"), 401, "KEY_REFUSED", "a key is needed"},
		"denied":          {fault.New(fault.Denied, "ROLE", "readers may not"), 403, "ROLE", "readers may not"},
		"not found":       {fault.New(fault.NotFound, "NO_USER", "no such user"), 404, "NO_USER", "no such user"},
		"conflict":        {fault.New(fault.Conflict, "TAKEN", "taken"), 409, "TAKEN", "taken"},
		"in flight":       {fault.New(fault.InFlight, "IN_FLIGHT", "wait"), 409, "IN_FLIGHT", "wait"},
		"precondition":    {fault.New(fault.Precondition, "CLOSED", "closed"), 400, "CLOSED", "closed"},
		"throttled":       {fault.New(fault.Throttled, "RATE", "slower").WithRetryAfter(1500 * time.Millisecond), 429, "RATE", "slower"},
		"unavailable":     {fault.New(fault.Unavailable, "AWAY", "away").WithRetryAfter(2 * time.Second), 503, "AWAY", "away"},
		"our own fault":   {errors.New("pq: SQLSTATE 23505 at 10.0.0.7"), 500, "INTERNAL", "internal error, request id-1"},
	} {
		s.services.say(c.err)
		got := s.do(t, http.MethodGet, "/api/v1/users/u-1", nil, http.Header{"X-Request-Id": {"id-1"}})
		require.Equal(t, c.status, got.status, name)
		require.Equal(t, "application/json", got.header.Get("Content-Type"), name)
		require.Equal(t, c.reason, got.reason(t), name)
		require.Equal(t, c.text, got.fault(t).Message, name)
		details := got.fault(t).Details
		require.Equal(t, "type.googleapis.com/google.rpc.RequestInfo", details[len(details)-1].Type, name)
		require.Equal(t, "id-1", details[len(details)-1].RequestID, name)
		require.Equal(t, c.status == 429 || c.status == 503, got.header.Get("Retry-After") == "2", name)
		require.Equal(t, c.status == 401, got.header.Get("WWW-Authenticate") == `Bearer realm="knobot"`, name)
		require.NotContains(t, got.body, "23505", name)
	}
}

func TestAddressOfAPeerThatIsAwayIsNotTold(t *testing.T) {
	t.Parallel()
	conn, err := grpc.NewClient("127.0.0.1:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	handler, err := NewHandler(t.Context(), conn, nil)
	require.NoError(t, err)
	s := newStack(t)
	s.Config.Handler = handler
	got := s.get(t, "/api/v1/users")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.NotContains(t, got.body, "127.0.0.1")
}

func TestInputIsCheckedBeforeACall(t *testing.T) {
	t.Parallel()
	const secret = "EAAG-secret-value"
	integrations := "/api/v1/integrations"
	for name, c := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
		reason, text       string
	}{
		"no JSON":             {"POST", integrations, secret, nil, 400, reasonMalformed, "the request cannot be read"},
		"unknown field":       {"POST", integrations, `{"nmae":"x"}`, nil, 400, reasonMalformed, `the request cannot be read: (line 1:2) unknown field "nmae"`},
		"wrong type":          {"POST", integrations, `{"name":{"x":"` + secret + `"}}`, nil, 400, reasonMalformed, "the request cannot be read: (line 1:9)"},
		"unknown parameter":   {"GET", "/api/v1/webhookLogs?platfrom=PLATFORM_TELEGRAM", "", nil, 400, "PARAMETER", "a parameter is unknown: platfrom"},
		"secret as a name":    {"GET", "/api/v1/users?" + secret, "", nil, 400, "PARAMETER", "a parameter is unknown"},
		"bad query":           {"GET", "/api/v1/users?pageToken=%zz", "", nil, 400, reasonMalformed, "the query cannot be read"},
		"parameter of a post": {"POST", "/api/v1/conversations/x:close?id=y", "", nil, 400, "PARAMETER", "a parameter is unknown: id"},
		"parameter's value":   {"GET", "/api/v1/webhookLogs?pageSize=" + secret, "", nil, 400, reasonMalformed, `the request cannot be read: parsing field "page_size"`},
		"no enum":             {"GET", "/api/v1/users?platform=" + secret, "", nil, 400, reasonMalformed, `the request cannot be read: parsing field "platform"`},
		"form":                {"POST", integrations, "name=x", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415, "CONTENT_TYPE", "the body must be application/json, not packed"},
		"no type":             {"POST", integrations, "{}", http.Header{"Content-Type": nil}, 415, "CONTENT_TYPE", "the body must be application/json, not packed"},
		"packed":              {"POST", integrations, "{}", http.Header{"Content-Encoding": {"gzip"}}, 415, "CONTENT_TYPE", "the body must be application/json, not packed"},
		"path not UTF-8":      {"GET", "/api/v1/users/%95", "", nil, 400, reasonMalformed, "the path is not UTF-8"},
		"upload not UTF-8":    {"POST", "/api/v1/knowledgeBases/%95/documents:upload", "{}", nil, 400, reasonMalformed, "the path is not UTF-8"},
		"query not UTF-8":     {"GET", "/api/v1/users?pageToken=%95", "", nil, 400, reasonMalformed, "the query is not UTF-8"},
		"too large":           {"POST", integrations, `{"name":"` + strings.Repeat("x", maxJSONBytes) + `"}`, nil, 413, "BODY_TOO_LARGE", "the body has more than 1048576 bytes"},
		"no route":            {"GET", "/api/v1/nothing", "", nil, 404, "NO_ROUTE", "there is nothing at this address: see /api/docs"},
		"webhooks elsewhere":  {"POST", "/api/integrations/webhooks/telegram", "{}", nil, 404, "NO_ROUTE", "there is nothing at this address: see /api/docs"},
		"no verb":             {"POST", "/api/v1/conversations/x:explode", "{}", nil, 404, "NO_ROUTE", "there is nothing at this address: see /api/docs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			var got answer
			if c.body == "" {
				got = s.do(t, c.method, c.path, nil, c.header)
			} else {
				got = s.do(t, c.method, c.path, strings.NewReader(c.body), c.header)
			}
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, c.reason, got.reason(t))
			require.Equal(t, c.text, got.fault(t).Message)
			require.NotContains(t, got.body, secret)
			require.NotEmpty(t, got.header.Get("X-Request-Id"))
			require.Empty(t, s.services.all())
		})
	}
}

func TestBodiesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	require.True(t, s.handler.inFlight.TryAcquire(maxBytesInFlight-maxJSONBytes+1))
	got := s.post(t, "/api/v1/knowledgeBases", "{}")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "2", got.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.get(t, "/api/v1/knowledgeBases").status, "what has no body needs no memory")
	s.handler.inFlight.Release(maxBytesInFlight - maxJSONBytes + 1)
	for range 2 * maxBytesInFlight / maxJSONBytes {
		require.Equal(t, http.StatusOK, s.post(t, "/api/v1/knowledgeBases", "{}").status, "memory is given back")
	}
}

func TestUpdateMaskFollowsTheBodyUnlessItIsGiven(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	ask := func(query, body string) *channelsv1.UpdateIntegrationRequest {
		got := s.do(t, http.MethodPatch, "/api/v1/integrations/i-1"+query, strings.NewReader(body), nil)
		require.Equal(t, http.StatusOK, got.status, got.body)
		var asked channelsv1.UpdateIntegrationRequest
		s.services.last(t).into(t, 0, &asked)
		require.Equal(t, "i-1", asked.GetIntegration().GetId())
		return &asked
	}
	require.Equal(t, []string{"name", "settings.top_k"}, ask("", `{"name":"N","settings":{"topK":3}}`).GetUpdateMask().GetPaths())
	require.Equal(t, []string{"settings.window_template", "enabled"},
		ask("?updateMask=settings.windowTemplate,enabled", `{"settings":{"topK":3}}`).GetUpdateMask().GetPaths())
}

func TestStreamIsALineAMessage(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.say(fault.New(fault.Unavailable, "STOPPING", "the service stops"),
		&ragv1.WatchIngestionResponse{Ingestion: &ragv1.Ingestion{Id: "1", State: ragv1.Ingestion_STATE_QUEUED}},
		&ragv1.WatchIngestionResponse{Ingestion: &ragv1.Ingestion{Id: "1", State: ragv1.Ingestion_STATE_READING}})
	got := s.get(t, "/api/v1/ingestions/1:watch")
	require.Equal(t, http.StatusOK, got.status)
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "STATE_QUEUED")
	require.Contains(t, lines[1], "STATE_READING")
	require.Contains(t, lines[2], "STOPPING")
}

func TestSlowBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.handler.deadline = 50 * time.Millisecond
	body, stays := io.Pipe()
	t.Cleanup(func() { _ = stays.Close() })
	got := s.do(t, http.MethodPost, "/api/v1/knowledgeBases", body, nil)
	require.Equal(t, http.StatusRequestTimeout, got.status)
	require.Equal(t, "BODY_TOO_SLOW", got.reason(t))
	require.True(t, s.handler.inFlight.TryAcquire(maxBytesInFlight), "its memory is given back")
}

func TestOpenStreamEndsWithTheGateway(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.hold = true
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/ingestions/1:watch", nil)
	require.NoError(t, err)
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	require.True(t, lines.Scan(), "the first message comes at once")
	close(s.stop)
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), `"reason":"STOPPING"`)
	require.False(t, lines.Scan())
}
