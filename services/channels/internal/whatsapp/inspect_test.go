package whatsapp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

const (
	numberID  = "106540352242922"
	accountID = "102290129340398"
	appID     = "670843887433847"
	appSecret = "CANARY-app-secret"

	unknownObject = `{"error":{"message":"Unsupported get request. Object with ID '573001234567' does not exist, cannot be loaded due to missing permissions, or does not support this operation","type":"GraphMethodException","code":100,"error_subcode":33}}`
	otherObject   = `{"error":{"message":"(#100) Tried accessing nonexisting field (display_phone_number) on node type (WhatsAppBusinessAccount)","type":"OAuthException","code":100}}`
	expired       = `{"error":{"message":"Error validating access token: Session has expired EAACANARY","type":"OAuthException","code":190,"error_subcode":463}}`
	noPermission  = `{"error":{"message":"(#10) Application does not have permission for this action","type":"OAuthException","code":10}}`
)

// meta is a Graph API that answers by path. A test changes what it says.
type meta map[string]fakeapi.Answer

// healthy is how Meta answers for a number on which nothing is wrong.
func healthy() meta {
	good := func(body string) fakeapi.Answer { return fakeapi.Answer{Status: 200, Body: body} }
	return meta{
		"/v26.0/" + numberID: good(`{"id":"106540352242922","display_phone_number":"+57 601 2242922","verified_name":"Tienda",
			"name_status":"APPROVED","quality_rating":"GREEN","status":"CONNECTED","platform_type":"CLOUD_API"}`),
		"/v26.0/debug_token": good(`{"data":{"app_id":"670843887433847","type":"SYSTEM_USER","is_valid":true,"expires_at":0,
			"scopes":["whatsapp_business_management","whatsapp_business_messaging","public_profile"]}}`),
		"/v26.0/" + accountID + "/subscribed_apps": good(`{"data":[{"whatsapp_business_api_data":{"id":"1","name":"Otra"}},
			{"whatsapp_business_api_data":{"id":"670843887433847","name":"Tienda"}}]}`),
		"/v26.0/" + appID + "/subscriptions": good(`{"data":[{"object":"whatsapp_business_account","active":true,
			"callback_url":"https://bot.example/api/integrations/webhooks/whatsapp/","fields":[{"name":"messages","version":"v26.0"}]}]}`),
	}
}

func (m meta) serve(t *testing.T) *fakeapi.Server {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write([]byte(credentials().AccessToken))
	proof := hex.EncodeToString(mac.Sum(nil))
	return fakeapi.New(t, fakeapi.Answer{Handle: func(w http.ResponseWriter, r *http.Request) {
		answer, found := m[r.URL.Path]
		for name, value := range answer.Header {
			w.Header().Set(name, value)
		}
		switch given := r.URL.Query().Get("appsecret_proof"); {
		case !found:
			w.WriteHeader(http.StatusNotFound)
			return
		case given != "" && given != proof:
			answer.Status, answer.Body = 400, `{"error":{"message":"Invalid appsecret_proof provided in the API argument","type":"GraphMethodException","code":100}}`
		case strings.HasSuffix(r.URL.Path, "/subscriptions") && r.Header.Get("Authorization") != "Bearer "+appID+"|"+appSecret:
			answer.Status, answer.Body = 400, `{"error":{"message":"Invalid OAuth access token signature.","type":"OAuthException","code":190}}`
		}
		w.WriteHeader(answer.Status)
		_, _ = fmt.Fprint(w, answer.Body)
	}})
}

// inspected is an integration with everything that can be looked at.
func inspected() channels.Integration {
	i := channels.Integration{ID: "i1", Platform: channels.WhatsApp, Enabled: true, WhatsApp: channels.WhatsAppConfig{
		PhoneNumberID: numberID, BusinessAccountID: accountID,
	}}
	i.SetSecret(channels.AccessToken, channels.Secret(credentials().AccessToken), time.Now())
	i.SetSecret(channels.AppSecret, appSecret, time.Now())
	return i
}

// inspect returns the findings by check, after looking for secrets and missing cures in them.
func (m meta) inspect(t *testing.T, i channels.Integration) map[string]doctor.Finding {
	t.Helper()
	client := whatsapp.New(whatsapp.Config{BaseURL: m.serve(t).URL})
	found := map[string]doctor.Finding{}
	for _, f := range client.Inspect(t.Context(), i) {
		require.NotContains(t, f.Summary+f.Cure, "CANARY")
		require.NotContains(t, found, f.Check, "each is said once")
		if f.State == doctor.Warning || f.State == doctor.Failed {
			require.NotEmpty(t, f.Cure, f.Check)
		}
		found[f.Check] = f
	}
	return found
}

func TestInspectFindsNothingWrongWithAGoodNumber(t *testing.T) {
	t.Parallel()
	found := healthy().inspect(t, inspected())
	require.Len(t, found, 8)
	for check, f := range found {
		require.Equal(t, doctor.OK, f.State, "%s: %s", check, f.Summary)
	}
	require.Contains(t, found["whatsapp.number"].Summary, "Tienda")
	require.Contains(t, found["whatsapp.webhook"].Summary, "https://bot.example/")
}

func TestInspectNamesEachFaultWithItsCure(t *testing.T) {
	t.Parallel()
	number := "/v26.0/" + numberID
	token := func(fields string) func(meta, *channels.Integration) {
		return func(m meta, _ *channels.Integration) {
			m["/v26.0/debug_token"] = fakeapi.Answer{Status: 200, Body: `{"data":{"app_id":"670843887433847",` + fields + `}}`}
		}
	}
	says := func(path, body string) func(meta, *channels.Integration) {
		return func(m meta, _ *channels.Integration) { m[path] = fakeapi.Answer{Status: 200, Body: body} }
	}
	refuses := func(path, body string) func(meta, *channels.Integration) {
		return func(m meta, _ *channels.Integration) { m[path] = fakeapi.Answer{Status: 400, Body: body} }
	}
	const scopes = `"scopes":["whatsapp_business_management","whatsapp_business_messaging"]`
	later := func(d time.Duration) string { return fmt.Sprintf(`"expires_at":%d`, time.Now().Add(d).Unix()) }
	for name, c := range map[string]struct {
		change func(meta, *channels.Integration)
		check  string
		state  doctor.State
		cure   string
	}{
		"TokenExpired":          {refuses(number, expired), "whatsapp.number", doctor.Failed, "System users"},
		"TokenOver":             {token(`"type":"USER","is_valid":false,"expires_at":1,` + scopes), "whatsapp.token", doctor.Failed, "Generate token"},
		"TemporaryToken":        {token(`"type":"USER","is_valid":true,` + later(20*time.Hour) + `,` + scopes), "whatsapp.token", doctor.Warning, "expiration Never"},
		"TokenOfSixtyDays":      {token(`"type":"SYSTEM_USER","is_valid":true,` + later(50*24*time.Hour) + `,` + scopes), "whatsapp.token", doctor.Warning, "expiration Never"},
		"PersonsToken":          {token(`"type":"USER","is_valid":true,"expires_at":0,` + scopes), "whatsapp.token", doctor.Warning, "System users"},
		"CannotSend":            {token(`"type":"SYSTEM_USER","is_valid":true,"scopes":["whatsapp_business_management"]`), "whatsapp.permissions", doctor.Failed, "whatsapp_business_messaging"},
		"CannotManage":          {token(`"type":"SYSTEM_USER","is_valid":true,"scopes":["whatsapp_business_messaging"]`), "whatsapp.permissions", doctor.Warning, "whatsapp_business_management"},
		"TokenNotShown":         {refuses("/v26.0/debug_token", noPermission), "whatsapp.permissions", doctor.Skipped, ""},
		"NumberUnknown":         {refuses(number, unknownObject), "whatsapp.number", doctor.Failed, "Phone number ID"},
		"AccountAsNumber":       {refuses(number, otherObject), "whatsapp.number", doctor.Failed, "Phone number ID"},
		"NumberNotAssigned":     {refuses(number, noPermission), "whatsapp.number", doctor.Failed, "assign the WhatsApp account"},
		"NumberNotRegistered":   {says(number, `{"display_phone_number":"+57","status":"PENDING"}`), "whatsapp.number", doctor.Failed, "register"},
		"NumberFlagged":         {says(number, `{"display_phone_number":"+57","status":"FLAGGED"}`), "whatsapp.number", doctor.Warning, "WhatsApp Manager"},
		"QualityRed":            {says(number, `{"display_phone_number":"+57","status":"CONNECTED","quality_rating":"RED"}`), "whatsapp.number", doctor.Warning, "wrote first"},
		"NameDeclined":          {says(number, `{"display_phone_number":"+57","name_status":"DECLINED"}`), "whatsapp.number", doctor.Warning, "display name"},
		"NotOnCloudAPI":         {says(number, `{"display_phone_number":"+57","platform_type":"ON_PREMISE"}`), "whatsapp.number", doctor.Failed, "Cloud API"},
		"SecretOfAnotherApp":    {func(_ meta, i *channels.Integration) { i.SetSecret(channels.AppSecret, "CANARY-other", time.Now()) }, "whatsapp.app_secret", doctor.Failed, "App settings"},
		"Unsigned":              {func(_ meta, i *channels.Integration) { i.Secrets = i.Secrets[:1] }, "whatsapp.app_secret", doctor.Warning, "whatsapp.app_secret"},
		"AppNotSubscribed":      {says("/v26.0/"+accountID+"/subscribed_apps", `{"data":[{"whatsapp_business_api_data":{"id":"1"}}]}`), "whatsapp.subscription", doctor.Failed, "/102290129340398/subscribed_apps"},
		"AccountNotKnown":       {func(_ meta, i *channels.Integration) { i.WhatsApp.BusinessAccountID = "" }, "whatsapp.subscription", doctor.Skipped, "waba_id"},
		"NoWebhook":             {says("/v26.0/"+appID+"/subscriptions", `{"data":[{"object":"page","active":true}]}`), "whatsapp.webhook", doctor.Failed, "Configuration"},
		"MessagesNotWanted":     {says("/v26.0/"+appID+"/subscriptions", `{"data":[{"object":"whatsapp_business_account","active":true,"fields":[{"name":"flows"}]}]}`), "whatsapp.webhook", doctor.Failed, "subscribe messages"},
		"WebhookLeadsElsewhere": {says("/v26.0/"+appID+"/subscriptions", `{"data":[{"object":"whatsapp_business_account","active":true,"callback_url":"https://other.example/hook","fields":[{"name":"messages"}]}]}`), "whatsapp.webhook", doctor.Warning, "callback URL"},
		"ClockIsWrong":          {func(m meta, _ *channels.Integration) { m[number] = withDate(m[number], time.Now().Add(-2*time.Minute)) }, "whatsapp.clock", doctor.Failed, "time service"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, i := healthy(), inspected()
			c.change(m, &i)
			f := m.inspect(t, i)[c.check]
			require.Equal(t, c.state, f.State, f.Summary)
			require.Contains(t, f.Cure, c.cure)
		})
	}
}

func withDate(a fakeapi.Answer, now time.Time) fakeapi.Answer {
	a.Header = map[string]string{"Date": now.UTC().Format(http.TimeFormat)}
	return a
}

func TestInspectSaysOnlyThatMetaIsAway(t *testing.T) {
	t.Parallel()
	client := whatsapp.New(whatsapp.Config{BaseURL: "http://127.0.0.1:1"})
	found := client.Inspect(t.Context(), inspected())
	require.Len(t, found, 1)
	require.Equal(t, "whatsapp.api", found[0].Check)
	require.Equal(t, doctor.Failed, found[0].State)
	require.Contains(t, found[0].Cure, "WHATSAPP_API_URL")
	require.NotContains(t, found[0].Summary+found[0].Cure, "CANARY")
}

func TestCredentialsAreToldApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		id     string
		status int
		body   string
		reason string
	}{
		"Good":                 {numberID, 200, `{"id":"106540352242922","display_phone_number":"+57"}`, ""},
		"PhoneNumberAsID":      {"573001234567", 400, unknownObject, channels.ReasonPhoneNumberAsID},
		"UnknownID":            {numberID, 400, unknownObject, channels.ReasonPhoneNumberIDUnknown},
		"UnknownIDByCode33":    {numberID, 400, `{"error":{"message":"gone","code":33}}`, channels.ReasonPhoneNumberIDUnknown},
		"AccountAsNumber":      {accountID, 400, otherObject, channels.ReasonPhoneNumberIDUnknown},
		"TokenExpired":         {numberID, 401, expired, channels.ReasonAccessTokenRefused},
		"PermissionMissing":    {numberID, 403, noPermission, channels.ReasonPermissionMissing},
		"PermissionsByCode200": {numberID, 403, `{"error":{"message":"(#200) no","code":200}}`, channels.ReasonPermissionMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakeapi.New(t, fakeapi.Answer{Status: c.status, Body: c.body})
			err := whatsapp.New(whatsapp.Config{BaseURL: server.URL}).CheckCredentials(t.Context(),
				channels.Credentials{PhoneNumberID: c.id, AccessToken: credentials().AccessToken})
			if c.reason == "" {
				require.NoError(t, err)
				return
			}
			var wrong *channels.CredentialError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, c.reason, wrong.Reason)
			require.NotContains(t, wrong.Error(), "CANARY")
			require.NotEmpty(t, wrong.Cure)
		})
	}
	for name, a := range map[string]fakeapi.Answer{
		"Broken": {Status: 502, Body: "<html>"}, "Throttled": {Status: 400, Body: `{"error":{"message":"limit","code":80007}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakeapi.New(t, a)
			err := whatsapp.New(whatsapp.Config{BaseURL: server.URL}).CheckCredentials(t.Context(), credentials())
			failure(t, err) // says nothing about the credentials
		})
	}
}
