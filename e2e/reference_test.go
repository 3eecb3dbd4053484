package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// copies is how often each payload is posted at once.
const copies = 50

// unanswered names the kinds of recorded payloads that start no answer, by a part of the file's path: reports, notices,
// reactions, what staff wrote, and what is said in groups without addressing this bot.
var unanswered = []string{ //nolint:gochecknoglobals // a table
	"message_status", "template_status", "reaction", "system", "marketing_preferences", "outgoing_message", "revoke", "group_create",
	"group_remove", "group_settings", // WhatsApp
	"my_chat_member", "channel_post", "anonymous_admin", "edited_message", "forum_topic", "group_migrated", "inline_message",
	"guest_message", "group_mention", "dice", "stopped_message_generation", "pinned", "purchased_paid_media", // Telegram
}

// TestRecordedPayloads posts every recorded payload of both platforms, with fresh ids and a current time, once and then fifty
// times at once, while the model hangs: each is acknowledged, and answered once where its kind is answered.
func TestRecordedPayloads(t *testing.T) {
	t.Parallel()
	dir := reference(t)
	release := make(chan struct{})
	m := model.Start(t)
	s := start(t, m.Environment())
	addSecondNumber(t, s)
	model.UseOnly(t, s, m)
	m.Make(model.HangUntil(release))

	var cases []recorded
	for i, path := range glob(t, dir, "whatsapp/webhooks/*/*.json") {
		cases = append(cases, recorded{path: path, platform: simulator.WhatsApp, number: i, body: refreshWhatsApp(t, path, i), post: s.PostWhatsApp})
	}
	for i, path := range glob(t, dir, "telegram/updates/*/*.json") {
		cases = append(cases, recorded{path: path, platform: simulator.Telegram, number: i, body: refreshTelegram(t, path, i), post: s.PostTelegram})
	}
	require.Greater(t, len(cases), 70)
	// As they were recorded they are stale, or repeats of one another: taken, and answered by nobody.
	for _, c := range cases {
		status, err := c.post(t.Context(), refresh(t, c.path, func(_, _ string, v any) any { return v }))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, c.path)
	}
	var latencies []time.Duration
	for _, c := range cases {
		sent := time.Now()
		status, err := c.post(t.Context(), c.body)
		latencies = append(latencies, time.Since(sent))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, c.path)
	}
	slices.Sort(latencies)
	t.Logf("%d payloads acknowledged while the model hangs: median %s, slowest %s", len(cases), latencies[len(latencies)/2], latencies[len(latencies)-1])
	require.Less(t, latencies[len(latencies)/2], time.Second)
	for _, c := range cases {
		c.postAtOnce(t)
	}
	close(release)

	want := map[string]int{}
	for _, c := range cases {
		if !slices.ContainsFunc(unanswered, func(part string) bool { return strings.Contains(c.path, part) }) {
			want[c.path] = 1
		}
	}
	assert.Eventually(t, func() bool { return maps.Equal(want, answeredCases(cases, sends(t, s))) }, time.Minute, 100*time.Millisecond,
		"answers to %d payloads", len(want))
	require.Equal(t, want, answeredCases(cases, sends(t, s)))
}

// answeredCases counts the answers to each payload, whose customer carries its number.
func answeredCases(cases []recorded, calls []simulator.Call) map[string]int {
	answered := map[string]int{}
	for _, call := range calls {
		for _, c := range cases {
			if call.Platform == c.platform && strings.HasSuffix(call.User, fmt.Sprintf("%03d", c.number)) {
				answered[c.path]++
			}
		}
	}
	return answered
}

// recorded is a payload with how to post it.
type recorded struct {
	path     string
	platform simulator.Platform
	number   int
	body     []byte
	post     func(ctx context.Context, body []byte) (int, error)
}

func (c recorded) postAtOnce(t *testing.T) {
	t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	var g errgroup.Group
	for range copies {
		g.Go(func() error {
			status, err := c.post(t.Context(), c.body)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
			return err
		})
	}
	require.NoError(t, g.Wait())
	require.Equal(t, map[int]int{http.StatusOK: copies}, statuses, c.path)
}

// sends are the attempts to put a message on a phone. The simulator refuses most of them, since these customers never wrote
// through it, and what it refuses is not tried again.
func sends(t *testing.T, s *system.System) []simulator.Call {
	t.Helper()
	calls, err := s.Simulator.Journal(t.Context(), client.Filter{})
	require.NoError(t, err)
	return slices.DeleteFunc(calls, func(c simulator.Call) bool {
		return (c.Method != "messages" && c.Method != "sendMessage") || c.User == model.ProbeUser
	})
}

// reference is the folder of recorded payloads.
func reference(t *testing.T) string {
	t.Helper()
	return filepath.Join(shared(t), "reference")
}

// shared is the folder of third-party data beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KNOBOT_SHARED_DIR")
	if dir == "" {
		dir = filepath.Join(system.Root(), "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the third-party data is not here: %v", err)
	}
	return dir
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	return paths
}

// addSecondNumber configures the other phone_number_id that stands in the recorded payloads.
func addSecondNumber(t *testing.T, s *system.System) {
	t.Helper()
	const id = "1122334455667"
	stores.Watch.Forbid("the second number's access token", "second-token")
	stores.Watch.Forbid("the second number's verify token", "second-verify")
	_, err := s.Simulator.AddNumber(t.Context(), simulator.Number{ID: id, AccessToken: "second-token", AppSecret: s.Credentials.AppSecret})
	require.NoError(t, err)
	_, err = channelsv1.NewIntegrationServiceClient(s.Conn(s.Channels)).CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{
		Integration: &channelsv1.Integration{
			Name: "Second", Platform: typev1.Platform_PLATFORM_WHATSAPP,
			Config: &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{
				PhoneNumberId: id, AccessToken: "second-token", VerifyToken: "second-verify", AppSecret: s.Credentials.AppSecret,
			}},
		},
		SkipCheck: true, // it looks like a phone number
	})
	require.NoError(t, err)
}

// refreshWhatsApp gives a recorded payload ids of its own and the current time, as a provider's would have.
func refreshWhatsApp(t *testing.T, path string, n int) []byte {
	t.Helper()
	return refresh(t, path, func(key, parent string, v any) any {
		text, isText := v.(string)
		digits := isText && len(text) >= 9 && strings.Trim(text, "0123456789") == ""
		switch {
		case key == "timestamp" && isText:
			return strconv.FormatInt(time.Now().Unix(), 10)
		case key == "id" && (parent == "messages" || parent == "statuses" || parent == "message_echoes"):
			return fmt.Sprintf("wamid.recorded.%d", n)
		case (key == "from" || key == "wa_id" || key == "recipient_id") && digits:
			return fmt.Sprintf("%s%03d", text[:8], n)
		case (key == "user_id" || key == "from_user_id" || key == "parent_user_id") && isText:
			return fmt.Sprintf("%s%03d", text, n)
		}
		return v
	})
}

// refreshTelegram does the same for an update.
func refreshTelegram(t *testing.T, path string, n int) []byte {
	t.Helper()
	return refresh(t, path, func(key, parent string, v any) any {
		number, ok := v.(json.Number)
		if !ok {
			if key == "id" && parent == "callback_query" {
				return fmt.Sprintf("recorded%d", n)
			}
			return v
		}
		value, err := number.Int64()
		if err != nil {
			return v
		}
		switch {
		case key == "update_id":
			return 5_000_000 + n
		case key == "date" && value > 0:
			return time.Now().Unix()
		case key == "id" && (parent == "chat" || parent == "from") && value > 0:
			return 10_000 + n
		case key == "id" && parent == "chat":
			return -20_000 - n
		}
		return v
	})
}

// refresh walks a JSON document and lets change replace the scalars of its objects. Parent is the key of the object or of the
// list that it stands in.
func refresh(t *testing.T, path string, change func(key, parent string, v any) any) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var document any
	require.NoError(t, decoder.Decode(&document))
	var walk func(parent string, v any) any
	walk = func(parent string, v any) any {
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				switch member.(type) {
				case map[string]any, []any:
					v[key] = walk(key, member)
				default:
					v[key] = change(key, parent, member)
				}
			}
		case []any:
			for i, element := range v {
				v[i] = walk(parent, element)
			}
		}
		return v
	}
	out, err := json.Marshal(walk("", document))
	require.NoError(t, err)
	return out
}
