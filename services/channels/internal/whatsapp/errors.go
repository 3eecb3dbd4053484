package whatsapp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

// graphError is how the Graph API says no. Meta's advice is to branch on code and details, never on the HTTP status, the
// subcode or the title ("Error codes", read 2026-11-23).
type graphError struct {
	Error *struct {
		Message string `json:"message"`
		Code    *int   `json:"code"`
		Data    struct {
			Details string `json:"details"`
		} `json:"error_data"`
	} `json:"error"`
}

// failureOf returns what an answer means, nil for a success.
func failureOf(r wire.Response, secret string) *channels.SendError {
	var parsed graphError
	err := json.Unmarshal(r.Body, &parsed)
	switch {
	case err == nil && parsed.Error != nil && parsed.Error.Code != nil:
		return classified(parsed, r.Header, secret)
	case r.Status/100 == 2:
		return nil
	case r.Status/100 == 5:
		return unreadable(r.Status)
	default: // what stands before Meta refused the request
		return &channels.SendError{Class: channels.ClassRetry, Message: "the Graph API answered " + statusText(r.Status)}
	}
}

func classified(parsed graphError, header http.Header, secret string) *channels.SendError {
	text, code := parsed.Error.Message, *parsed.Error.Code
	if details := parsed.Error.Data.Details; details != "" {
		text += ": " + details
	}
	out := &channels.SendError{
		Class: Classify(code), Code: code, Message: wire.Explanation(text, secret),
	}
	if out.Class == channels.ClassThrottled {
		out.RetryAfter = max(pause(code), wire.RetryAfter(header))
	}
	return out
}

// unreadable is an answer from which it cannot be told whether Meta took the message.
func unreadable(status int) *channels.SendError {
	return &channels.SendError{Class: channels.ClassInDoubt, Message: "the Graph API answered " + statusText(status) + " without saying more"}
}

func statusText(status int) string {
	return strconv.Itoa(status) + " " + http.StatusText(status)
}

// Classify says what an error code means, in an answer or in a delivery report. The codes and their meanings are Meta's
// ("Error codes", https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes, page of 2026-09-11); what
// each asks us to do is our judgement. A code that is not here, as those of templates (132xxx), is a refusal of this
// message: trying again would not help, and stopping the number would silence everybody.
func Classify(code int) channels.Class {
	switch code {
	case 1, // unknown, or the request was bad
		2,      // API service down or overloaded
		131000, // something went wrong
		131016, // service unavailable
		133004: // server temporarily unavailable
		return channels.ClassRetry
	case 4, // calls of the app
		80007,  // calls of the WhatsApp Business account
		130429, // messages a second of the number
		131057, // account in maintenance, as while its throughput is raised
		132069, // flow throttled
		133016: // registrations
		return channels.ClassThrottled
	case 131056: // messages to this one user
		return channels.ClassPairThrottled
	case 131047: // more than 24 hours since the user's last message
		return channels.ClassWindowClosed
	case 131026, // undeliverable: not on WhatsApp, terms not accepted, app too old
		130403, // the business blocked the user
		130472, // the user is in an experiment of Meta's
		130497, // country not allowed
		131049, // held back for the health of the ecosystem
		131050: // the user opted out of marketing
		return channels.ClassDropRecipient
	case 0, // token cannot be used
		3,      // capability missing
		10,     // permission missing
		33,     // phone number id gone
		190,    // token expired or invalid
		368,    // policy violated
		131005, // access denied
		131031, // account locked
		131037, // display name not approved
		131042, // payment
		131045, // number not registered
		131048, // spam limit
		131064, // messaging limit
		133010: // number not registered
		return channels.ClassStopIntegration
	}
	if code >= 200 && code <= 299 { // permission missing
		return channels.ClassStopIntegration
	}
	return channels.ClassInvalid
}

// pause is how long to wait where Meta does not say: its windows are a second (throughput), about a minute (maintenance)
// and a rolling hour (calls), of which a few minutes free enough.
func pause(code int) time.Duration {
	switch code {
	case 130429:
		return 2 * time.Second
	case 131057:
		return time.Minute
	default:
		return 5 * time.Minute
	}
}
