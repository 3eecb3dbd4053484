package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
)

// What an owner looks up about a number: the number itself, its token, who gets
// its webhooks. Shapes are those of "WhatsApp Business Account Phone Number API"
// and "Subscribed Apps API" (v23.0) and of the Graph API's reference of
// debug_token and app subscriptions, read 26 November 2026.
const (
	methodNumber        = "number"
	methodDebugToken    = "debug_token"
	methodSubscribed    = "subscribed_apps"
	methodSubscriptions = "subscriptions"
)

// temporary is about how long the token of Meta's API Setup page lives.
const temporary = 24 * time.Hour

// appOf is the id of the app that a number belongs to.
func appOf(n simulator.Number) string { return "6" + tail(n.ID, 14) }

// lookup answers such a question, after the faults had their say.
func (a *API) lookup(w http.ResponseWriter, r *http.Request, n simulator.Number, method string, answer func(simulator.Fault) any) {
	call := exchange.Call{Chat: chatOf(n.ID, ""), Method: method}
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		fault, _ := a.desk.Faults.Take(faults.Account, call.Chat, method, true)
		return exchange.JSON(http.StatusOK, contentType, answer(fault))
	})
}

func (a *API) showNumber(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	a.lookup(w, r, n, methodNumber, func(f simulator.Fault) any {
		shown := map[string]string{
			"id": n.ID, "display_phone_number": "+" + n.DisplayPhone, "verified_name": "Simulador", "quality_rating": "GREEN",
			"status": "CONNECTED", "name_status": "APPROVED", "platform_type": "CLOUD_API",
		}
		if f.Kind == simulator.FaultNumberFlagged {
			shown["status"], shown["quality_rating"] = "FLAGGED", "RED"
		}
		return shown
	})
}

// debugToken shows a token of ours to whoever has one.
func (a *API) debugToken(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	a.lookup(w, r, n, methodDebugToken, func(f simulator.Fault) any {
		scopes := []string{"whatsapp_business_management", "whatsapp_business_messaging", "public_profile"}
		data := map[string]any{
			"app_id": appOf(n), "application": "Simulador", "type": "SYSTEM_USER", "expires_at": 0, "scopes": scopes,
			"is_valid": subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("input_token")), []byte(n.AccessToken)) == 1,
		}
		switch f.Kind {
		case simulator.FaultTokenTemporary:
			data["type"], data["expires_at"] = "USER", time.Now().Add(temporary).Unix()
		case simulator.FaultPermissionMissing:
			data["scopes"] = scopes[2:]
		}
		return map[string]any{"data": data}
	})
}

// account answers for a WhatsApp Business account.
func (a *API) account(w http.ResponseWriter, r *http.Request, id string) {
	n, ok := a.ownerOf(id)
	if !ok {
		write(w, unknownObject(id).reply())
		return
	}
	a.subscribedApps(w, r, n)
}

func (a *API) subscribedApps(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	a.lookup(w, r, n, methodSubscribed, func(f simulator.Fault) any {
		apps := []any{map[string]any{"whatsapp_business_api_data": map[string]string{"id": appOf(n), "name": "Simulador"}}}
		if f.Kind == simulator.FaultAppUnsubscribed {
			apps = apps[:0]
		}
		return map[string]any{"data": apps}
	})
}

// subscriptions is for the app itself, whose token is its id and secret.
func (a *API) subscriptions(w http.ResponseWriter, r *http.Request, app string) {
	n, failed := a.app(r, app)
	if failed != nil {
		a.desk.Serve(w, r, exchange.Call{Chat: chatOf("", ""), Method: methodSubscriptions}, a.refuse, replyWith(failed))
		return
	}
	a.lookup(w, r, n, methodSubscriptions, func(f simulator.Fault) any {
		fields := []map[string]string{{"name": "messages", "version": "v26.0"}}
		if f.Kind == simulator.FaultMessagesUnsubscribed {
			fields = fields[:0]
		}
		return map[string]any{"data": []any{map[string]any{
			"object": "whatsapp_business_account", "callback_url": n.WebhookURL, "active": true, "fields": fields,
		}}}
	})
}

func (a *API) app(r *http.Request, id string) (simulator.Number, *failure) {
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, n := range a.numbers {
		if appOf(n) == id && subtle.ConstantTimeCompare([]byte(given), []byte(id+"|"+n.AppSecret)) == 1 {
			return n, nil
		}
	}
	return simulator.Number{}, invalidToken()
}

// ownerOf returns the number of a WhatsApp Business account.
func (a *API) ownerOf(account string) (simulator.Number, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, n := range a.numbers {
		if n.BusinessID == account {
			return n, true
		}
	}
	return simulator.Number{}, false
}

// proven checks a proof that only who has the app's secret can make, if one is
// given ("Secure Graph API Calls").
func proven(r *http.Request, n simulator.Number) *failure {
	given := r.URL.Query().Get("appsecret_proof")
	if given == "" || n.AppSecret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(n.AppSecret))
	mac.Write([]byte(n.AccessToken))
	if hmac.Equal([]byte(given), []byte(hex.EncodeToString(mac.Sum(nil)))) {
		return nil
	}
	return &failure{
		status: http.StatusBadRequest, code: codeParameter, kind: "GraphMethodException",
		message: "Invalid appsecret_proof provided in the API argument",
	}
}
