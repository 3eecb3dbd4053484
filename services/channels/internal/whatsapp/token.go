package whatsapp

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/services/channels"
)

// token is what Meta says of an access token (Graph API reference, debug_token, read 2026-11-26).
type token struct {
	AppID   string   `json:"app_id"`
	Type    string   `json:"type"`
	Valid   bool     `json:"is_valid"`
	Expires int64    `json:"expires_at"` // 0 for never
	Scopes  []string `json:"scopes"`
}

// soon is when an expiry is worth a warning to whoever looks.
const soon = 14 * 24 * time.Hour

// tokenFinding asks Meta about the token, by the token itself.
func (r *inspection) tokenFinding(ctx context.Context) doctor.Finding {
	var answer struct {
		Data token `json:"data"`
	}
	_, err := r.client.object(ctx, r.credentials, "debug_token", url.Values{"input_token": {r.credentials.AccessToken}}, &answer)
	if err != nil {
		return refused(checkToken, explained(err, r.credentials.PhoneNumberID))
	}
	r.token = &answer.Data
	return answer.Data.finding(time.Now())
}

func (t token) finding(now time.Time) doctor.Finding {
	const cure = "make a permanent one: business.facebook.com/settings > Users > System users > Generate token, expiration Never; then whatsapp.access_token"
	end := time.Unix(t.Expires, 0).UTC()
	switch {
	case !t.Valid || t.Expires != 0 && end.Before(now):
		return doctor.Fail(checkToken, "the access token is not valid any more").With(cure)
	case t.Expires != 0 && end.Before(now.Add(soon)):
		return doctor.Warn(checkToken, "a temporary access token: it ends on %s", end.Format(time.RFC3339)).With(cure)
	case t.Expires != 0:
		return doctor.Warn(checkToken, "the access token ends on %s", end.Format(time.DateOnly)).With(cure)
	case t.Type == "USER":
		return doctor.Warn(checkToken, "the access token is a person's: it ends when that person leaves or changes the password").With(cure)
	default:
		return doctor.Fine(checkToken, "a permanent access token (%s)", strings.ToLower(t.Type))
	}
}

// permissions looks at what the token may do. Meta sends nothing without the first, and tells less without the second.
func (r *inspection) permissions() doctor.Finding {
	const cure = "generate the system user's token anew and tick whatsapp_business_messaging and whatsapp_business_management"
	switch {
	case r.token == nil:
		return doctor.Skip(checkPermissions, "nothing is known of the token")
	case !slices.Contains(r.token.Scopes, "whatsapp_business_messaging"):
		return doctor.Fail(checkPermissions, "the token lacks whatsapp_business_messaging: it cannot send").With(cure)
	case !slices.Contains(r.token.Scopes, "whatsapp_business_management"):
		return doctor.Warn(checkPermissions, "the token lacks whatsapp_business_management: subscriptions and templates cannot be looked at").With(cure)
	default:
		return doctor.Fine(checkPermissions, "it may send and manage")
	}
}

// subscription asks whether the account's webhooks go to the token's app ("Subscribed Apps API", v23.0, read 2026-11-26).
func (r *inspection) subscription(ctx context.Context) doctor.Finding {
	account := r.integration.WhatsApp.BusinessAccountID
	if account == "" {
		return doctor.Skip(checkSubscription, "the WhatsApp Business account is not known").With("set whatsapp.waba_id (WhatsApp > API Setup)")
	}
	var answer struct {
		Data []struct {
			App struct {
				ID string `json:"id"`
			} `json:"whatsapp_business_api_data"`
		} `json:"data"`
	}
	if _, err := r.client.object(ctx, r.credentials, account+"/subscribed_apps", nil, &answer); err != nil {
		return refused(checkSubscription, err)
	}
	for _, a := range answer.Data {
		if r.token == nil || r.token.AppID == "" || a.App.ID == r.token.AppID {
			return doctor.Fine(checkSubscription, "the app gets the account's webhooks")
		}
	}
	return doctor.Fail(checkSubscription, "the app is not subscribed to the account: its messages never come").
		With("POST %s%s/subscribed_apps with the access token as Bearer", r.client.root, account)
}

// webhook asks where the app's webhooks go and which fields it wants. That takes the app's own token, its id and secret
// (Graph API reference, /app/subscriptions, read 2026-11-26).
func (r *inspection) webhook(ctx context.Context) doctor.Finding {
	const path = "/api/integrations/webhooks/whatsapp"
	secret := r.integration.Secret(channels.AppSecret).Reveal()
	if r.token == nil || !validNumberID(r.token.AppID) || secret == "" {
		return doctor.Skip(checkWebhook, "the app or its secret is not known")
	}
	var answer struct {
		Data []subscription `json:"data"`
	}
	app := channels.Credentials{AccessToken: r.token.AppID + "|" + secret}
	if _, err := r.client.object(ctx, app, r.token.AppID+"/subscriptions", nil, &answer); err != nil {
		return doctor.Skip(checkWebhook, "Meta does not show the app's webhooks") // its words might quote a part of the app's token
	}
	n := slices.IndexFunc(answer.Data, func(s subscription) bool { return s.Object == "whatsapp_business_account" && s.Active })
	switch {
	case n < 0:
		return doctor.Fail(checkWebhook, "the app has no webhook for WhatsApp").
			With("WhatsApp > Configuration > Webhook > Edit: https://YOUR-HOST%s/ and the verify token", path)
	case !answer.Data[n].wants("messages"):
		return doctor.Fail(checkWebhook, "the webhook is set, but not subscribed to messages").
			With("WhatsApp > Configuration > Webhook fields: subscribe messages")
	case !strings.HasSuffix(strings.TrimRight(answer.Data[n].CallbackURL, "/"), path):
		return doctor.Warn(checkWebhook, "webhooks go to %s, which is not KnoBot's route", answer.Data[n].CallbackURL).
			With("set the callback URL to https://YOUR-HOST%s/, unless a proxy rewrites the path", path)
	default:
		return doctor.Fine(checkWebhook, "webhooks with messages go to %s", answer.Data[n].CallbackURL)
	}
}

// subscription is an app's subscription to a kind of object.
type subscription struct {
	Object      string            `json:"object"`
	CallbackURL string            `json:"callback_url"`
	Active      bool              `json:"active"`
	Fields      []subscribedField `json:"fields"`
}

type subscribedField struct {
	Name string `json:"name"`
}

func (s subscription) wants(field string) bool {
	return slices.ContainsFunc(s.Fields, func(f subscribedField) bool { return f.Name == field })
}
