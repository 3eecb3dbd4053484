package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/knobot/knobot/services/channels"
)

// number is what Meta says of a number ("WhatsApp Business Account Phone Number API", v23.0, read 2026-11-26).
type number struct {
	Display    string `json:"display_phone_number"`
	Name       string `json:"verified_name"`
	NameStatus string `json:"name_status"`
	Quality    string `json:"quality_rating"`
	Status     string `json:"status"`
	Platform   string `json:"platform_type"`
}

const numberFields = "id,display_phone_number,verified_name,name_status,quality_rating,status,platform_type"

// CheckCredentials implements channels.CredentialChecker.
func (c *Client) CheckCredentials(ctx context.Context, credentials channels.Credentials) error {
	_, _, err := c.number(ctx, credentials)
	return explained(err, credentials.PhoneNumberID)
}

// number also returns the header of the answer, which has Meta's time.
func (c *Client) number(ctx context.Context, credentials channels.Credentials) (number, http.Header, error) {
	if err := usable(credentials); err != nil {
		return number{}, nil, err
	}
	var out number
	header, err := c.object(ctx, credentials, credentials.PhoneNumberID, url.Values{"fields": {numberFields}}, &out)
	return out, header, err
}

// object reads an object of the Graph API.
func (c *Client) object(ctx context.Context, credentials channels.Credentials, path string, query url.Values, out any) (http.Header, error) {
	response, err := c.wire.Get(ctx, call(credentials, c.root+path+"?"+query.Encode()))
	if err != nil {
		return nil, err
	}
	if failure := failureOf(response, credentials.AccessToken); failure != nil {
		return response.Header, failure
	}
	if json.Unmarshal(response.Body, out) != nil {
		return response.Header, unreadable(response.Status)
	}
	return response.Header, nil
}

// explained turns Meta's refusals of credentials into what a person can mend; other errors stay as they are.
func explained(err error, phoneNumberID string) error {
	e, ok := errors.AsType[*channels.SendError](err)
	if !ok {
		return err
	}
	switch {
	case e.Code == 190 || e.Code == 0 && e.Class == channels.ClassStopIntegration:
		return &channels.CredentialError{
			Reason: channels.ReasonAccessTokenRefused, Problem: "Meta refuses the access token (" + e.Message + ")",
			Cure: "make a permanent one (business.facebook.com/settings > Users > System users > Generate token) and enter it whole; the one of the API Setup page lives a day",
		}
	case e.Code == 3 || e.Code == 10 || e.Code >= 200 && e.Code <= 299:
		return &channels.CredentialError{
			Reason: channels.ReasonPermissionMissing, Problem: "the access token may not use this number (" + e.Message + ")",
			Cure: "assign the WhatsApp account to the system user, and generate the token with whatsapp_business_messaging and whatsapp_business_management",
		}
	case e.Code == 33 || e.Code == 100:
		return unknownNumber(e, phoneNumberID)
	}
	return err
}

// longestNumber is the most digits that phone numbers have in practice. E.164 allows 15, which Meta's ids have too; those are
// told apart by the words alone.
const longestNumber = 13

// unknownNumber tells the usual slip from the others.
func unknownNumber(e *channels.SendError, phoneNumberID string) error {
	const cure = "copy the Phone number ID from WhatsApp > API Setup: the long number below the phone number"
	switch {
	case len(phoneNumberID) <= longestNumber:
		return &channels.CredentialError{
			Reason: channels.ReasonPhoneNumberAsID, Problem: "whatsapp.phone_number_id looks like the phone number itself; Meta knows no number by it", Cure: cure,
		}
	case strings.Contains(e.Message, "nonexisting field"):
		return &channels.CredentialError{
			Reason: channels.ReasonPhoneNumberIDUnknown, Problem: "whatsapp.phone_number_id is the id of something else, such as the WhatsApp Business account", Cure: cure,
		}
	default:
		return &channels.CredentialError{
			Reason: channels.ReasonPhoneNumberIDUnknown, Problem: "this access token sees no number with this whatsapp.phone_number_id",
			Cure: cure + "; if it is right, assign its WhatsApp account to the token's system user",
		}
	}
}
