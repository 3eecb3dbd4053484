package whatsapp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/services/channels"
)

// The checks of Inspect.
const (
	checkAPI          = "whatsapp.api"
	checkNumber       = "whatsapp.number"
	checkToken        = "whatsapp.token"
	checkPermissions  = "whatsapp.permissions"
	checkAppSecret    = "whatsapp.app_secret"
	checkSubscription = "whatsapp.subscription"
	checkWebhook      = "whatsapp.webhook"
	checkClock        = "whatsapp.clock"
)

// inspection is one round of questions about one number.
type inspection struct {
	client      *Client
	integration channels.Integration
	credentials channels.Credentials
	// token is nil while nothing is known of it.
	token *token
}

// Inspect asks Meta about a number, its token and its webhook, and says what is wrong.
func (c *Client) Inspect(ctx context.Context, i channels.Integration) []doctor.Finding {
	r := inspection{client: c, integration: i, credentials: i.Credentials()}
	n, header, err := c.number(ctx, r.credentials)
	if away, ok := errors.AsType[*channels.SendError](err); ok && header == nil {
		return []doctor.Finding{doctor.Fail(checkAPI, "%s", away.Message).
			With("let this machine reach %s (name resolution, firewall, proxy), or mend WHATSAPP_API_URL", c.root)}
	}
	found := []doctor.Finding{
		doctor.Fine(checkAPI, "Meta answers"), numberFinding(n, explained(err, r.credentials.PhoneNumberID)), r.tokenFinding(ctx),
		r.permissions(), r.appSecret(ctx), r.subscription(ctx), r.webhook(ctx),
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		found = append(found, doctor.Clock(checkClock, "Meta", time.Until(date)))
	}
	return found
}

// refused makes a finding of what Meta did not answer.
func refused(check string, err error) doctor.Finding {
	if wrong, ok := errors.AsType[*channels.CredentialError](err); ok {
		return doctor.Fail(check, "%s", wrong.Problem).With("%s", wrong.Cure)
	}
	if e, ok := errors.AsType[*channels.SendError](err); ok {
		return doctor.Skip(check, "Meta does not say: %s", e.Message)
	}
	return doctor.Skip(check, "Meta does not say")
}

func numberFinding(n number, err error) doctor.Finding {
	if err != nil {
		return refused(checkNumber, err)
	}
	seen := n.Display + " (" + n.Name + ")"
	switch n.Status {
	case "", "CONNECTED", "UNKNOWN":
	case "FLAGGED", "RATE_LIMITED", "RESTRICTED":
		return doctor.Warn(checkNumber, "%s is %s", seen, n.Status).
			With("look at WhatsApp Manager > Phone numbers: Meta sends less for a number whose messages are blocked or reported")
	default:
		return doctor.Fail(checkNumber, "%s is %s", seen, n.Status).
			With("register the number with the Cloud API: WhatsApp Manager > Phone numbers, or POST /PHONE_NUMBER_ID/register")
	}
	switch {
	case n.Platform != "" && n.Platform != "CLOUD_API":
		return doctor.Fail(checkNumber, "%s is on %s", seen, n.Platform).With("move the number to the Cloud API, or use one that is there")
	case n.Quality == "RED":
		return doctor.Warn(checkNumber, "%s has quality RED", seen).
			With("customers block or report it: write only to those who wrote first, and read WhatsApp Manager > Insights")
	case n.NameStatus == "DECLINED" || n.NameStatus == "EXPIRED":
		return doctor.Warn(checkNumber, "the display name of %s is %s", seen, n.NameStatus).
			With("enter another display name: WhatsApp Manager > Phone numbers")
	}
	return doctor.Fine(checkNumber, "%s, quality %s", seen, n.Quality)
}

// appSecret shows Meta a proof that only the app's own secret makes ("Secure Graph API Calls", read 2026-11-26).
func (r *inspection) appSecret(ctx context.Context) doctor.Finding {
	secret := r.integration.Secret(channels.AppSecret).Reveal()
	if secret == "" {
		return doctor.Warn(checkAppSecret, "webhooks are taken without a signature: whoever finds the address can write as any customer").
			With("set whatsapp.app_secret and whatsapp.allow_unsigned=false")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(r.credentials.AccessToken))
	query := url.Values{"fields": {"id"}, "appsecret_proof": {hex.EncodeToString(mac.Sum(nil))}}
	_, err := r.client.object(ctx, r.credentials, r.credentials.PhoneNumberID, query, &struct{}{})
	e, ok := errors.AsType[*channels.SendError](err)
	switch {
	case err == nil:
		return doctor.Fine(checkAppSecret, "the app secret is that of the token's app")
	case ok && e.Code == 100 && strings.Contains(e.Message, "appsecret_proof"):
		return doctor.Fail(checkAppSecret, "the app secret is not that of the token's app: its webhooks are refused with 401").
			With("copy App settings > Basic > App secret of the app that sends the webhooks, and set whatsapp.app_secret")
	default:
		return refused(checkAppSecret, err)
	}
}
