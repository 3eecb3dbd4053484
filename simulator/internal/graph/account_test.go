package graph_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

const (
	accountID = "406540352242922" // what AddNumber makes of numberID
	appID     = "606540352242922"
)

func (b bundle) get(path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/v26.0/"+path, nil)
	for n := 0; n+1 < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	return b.call(r)
}

func TestOwnerLooksUp(t *testing.T) {
	t.Parallel()

	data := func(t *testing.T, w *httptest.ResponseRecorder) any {
		t.Helper()
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		return decoded(t, w)["data"]
	}
	object := func(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
		t.Helper()
		v, ok := data(t, w).(map[string]any)
		require.True(t, ok)
		return v
	}
	list := func(t *testing.T, w *httptest.ResponseRecorder) []any {
		t.Helper()
		v, ok := data(t, w).([]any)
		require.True(t, ok)
		return v
	}

	t.Run("EverythingIsFineUnlessAFaultIsOrdered", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			app := []string{"Authorization", "Bearer " + appID + "|" + secret}
			require.Equal(t, "CONNECTED", decoded(t, b.get(numberID))["status"])
			shown := object(t, b.get("debug_token?input_token="+token))
			require.Equal(t, "SYSTEM_USER", shown["type"])
			require.Equal(t, appID, shown["app_id"])
			require.Equal(t, true, shown["is_valid"])
			require.Equal(t, false, object(t, b.get("debug_token?input_token=other"))["is_valid"])
			require.Len(t, list(t, b.get(accountID+"/subscribed_apps")), 1)
			require.Len(t, list(t, b.get(appID+"/subscriptions", app...)), 1)

			for _, kind := range []simulator.FaultKind{
				simulator.FaultNumberFlagged, simulator.FaultTokenTemporary, simulator.FaultAppUnsubscribed, simulator.FaultMessagesUnsubscribed,
			} {
				_, err := b.faults.Add(simulator.Fault{Kind: kind})
				require.NoError(t, err)
			}
			require.Equal(t, "FLAGGED", decoded(t, b.get(numberID))["status"])
			expires, ok := object(t, b.get("debug_token?input_token="+token))["expires_at"].(float64)
			require.True(t, ok)
			require.InDelta(t, time.Now().Add(24*time.Hour).Unix(), expires, 1)
			require.Empty(t, list(t, b.get(accountID+"/subscribed_apps")))
			subscription, ok := list(t, b.get(appID+"/subscriptions", app...))[0].(map[string]any)
			require.True(t, ok)
			require.Empty(t, subscription["fields"])
			require.Empty(t, b.faults.List(), "each strikes once")
		})
	})

	t.Run("ProofIsChecked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(token))
			require.Zero(t, code(t, b.get(numberID+"?appsecret_proof="+hex.EncodeToString(mac.Sum(nil)))))
			require.Equal(t, 100, code(t, b.get(numberID+"?appsecret_proof=00")))
			require.Equal(t, 190, code(t, b.get(appID+"/subscriptions", "Authorization", "Bearer "+appID+"|wrong")))
		})
	})

	t.Run("OtherObjectsAreNoNumbers", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			account := b.get(accountID + "?fields=id,display_phone_number")
			require.Equal(t, 100, code(t, account))
			require.Contains(t, account.Body.String(), "nonexisting field")
			unknown := b.get("573001234567?fields=id")
			require.Equal(t, 100, code(t, unknown))
			require.Contains(t, unknown.Body.String(), "does not exist")
		})
	})

	t.Run("ClockCanBeWrong", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			_, err := b.faults.Add(simulator.Fault{Kind: simulator.FaultClockSkew})
			require.NoError(t, err)
			date, err := http.ParseTime(b.get(numberID).Header().Get("Date"))
			require.NoError(t, err)
			require.InDelta(t, time.Hour, time.Until(date), float64(time.Second))
		})
	})
}
