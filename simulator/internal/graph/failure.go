package graph

import (
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/knobot/knobot/simulator/internal/exchange"
)

// contentType is that of every JSON answer.
const contentType = "application/json; charset=UTF-8"

// Codes that the simulator finds itself; WhatsApp docs, Error codes,
// 11 September 2026.
const (
	codeParameter   = 100
	codeToken       = 190
	codeMissing     = 131008
	codeValue       = 131009
	codeWindow      = 131047
	codePairRate    = 131056
	codeThroughput  = 130429
	codeTemplate    = 132001
	codeMediaUpload = 131053
)

// failure is an error answer.
type failure struct {
	status  int
	code    int
	subcode int
	kind    string
	// message is the whole message; else it is made of code and title.
	message string
	title   string
	details string
}

type failureBody struct {
	Error struct {
		Message string       `json:"message"`
		Type    string       `json:"type"`
		Code    int          `json:"code"`
		Data    *failureData `json:"error_data,omitempty"`
		Subcode int          `json:"error_subcode,omitempty"`
		Trace   string       `json:"fbtrace_id"`
	} `json:"error"`
}

type failureData struct {
	Product string `json:"messaging_product"`
	Details string `json:"details"`
}

func (f *failure) reply() exchange.Reply {
	var body failureBody
	e := &body.Error
	e.Message, e.Type, e.Code, e.Subcode = f.message, "OAuthException", f.code, f.subcode
	if f.kind != "" {
		e.Type = f.kind
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("(#%d) %s", f.code, f.title)
	}
	if f.details != "" {
		e.Data = &failureData{Product: "whatsapp", Details: f.details}
	}
	e.Trace = "A" + rand.Text()[:22]
	return exchange.JSON(f.status, contentType, body)
}

// refused is a failure of code with details of its own.
func refused(code int, format string, args ...any) *failure {
	f := failureOf(code)
	f.details = fmt.Sprintf(format, args...)
	return f
}

// parameter is error 100 whose message says it all, as Meta words it.
func parameter(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, code: codeParameter, message: "(#100) " + fmt.Sprintf(format, args...)}
}

func invalidToken() *failure {
	return &failure{
		status: http.StatusUnauthorized, code: codeToken,
		message: "Invalid OAuth access token - Cannot parse access token",
	}
}

// unknownObject is how Meta answers for a number or file that does not exist
// or that the token may not see.
func unknownObject(id string) *failure {
	return &failure{
		status: http.StatusBadRequest, code: codeParameter, subcode: 33, kind: "GraphMethodException",
		message: fmt.Sprintf("Unsupported request. Object with ID '%s' does not exist, cannot be loaded due to "+
			"missing permissions, or does not support this operation", id),
	}
}

// failureOf returns the error of a code as Meta words it.
func failureOf(code int) *failure {
	f := known(code)
	f.code = code
	if f.status == 0 {
		f.status = http.StatusBadRequest
	}
	return &f
}

// known is Meta's list of errors, as far as a sender meets them.
func known(code int) failure {
	switch code {
	case 2:
		return failure{status: http.StatusServiceUnavailable, title: "API Service"}
	case 4:
		return failure{title: "Application request limit reached", details: "The app has reached its API call rate limit."}
	case 10:
		return failure{status: http.StatusForbidden, title: "Application does not have permission for this action"}
	case codeParameter:
		return failure{title: "Invalid parameter", details: "Parameter value is not valid"}
	case codeToken:
		return failure{
			status: http.StatusUnauthorized, subcode: 463,
			message: "Error validating access token: Session has expired.",
		}
	case 368:
		return failure{
			status: http.StatusForbidden, title: "Temporarily blocked for policies violations",
			details: "The account has been restricted or disabled for violating a platform policy.",
		}
	case 80007:
		return failure{title: "Rate limit issues", details: "The WhatsApp Business Account has reached its rate limit."}
	default:
		return knownMessaging(code)
	}
}

func knownMessaging(code int) failure {
	switch code {
	case codeThroughput:
		return failure{title: "Rate limit hit", details: "Cloud API message throughput has been reached."}
	case 131000:
		return failure{
			status: http.StatusInternalServerError, title: "Something went wrong",
			details: "Message failed to send due to an unknown error.",
		}
	case codeMissing:
		return failure{title: "Required parameter is missing", details: "The request is missing a required parameter."}
	case codeValue:
		return failure{title: "Parameter value is not valid", details: "Unsupported value"}
	case 131016:
		return failure{
			status: http.StatusInternalServerError, title: "Service unavailable",
			details: "A service is temporarily unavailable.",
		}
	case 131026:
		return failure{title: "Message undeliverable", details: "Message Undeliverable."}
	case codeWindow:
		return failure{
			title: "Re-engagement message",
			details: "Message failed to send because more than 24 hours have passed since the customer last replied " +
				"to this number.",
		}
	case codeMediaUpload:
		return failure{title: "Media upload error", details: "Unsupported media type or unreadable file."}
	case codePairRate:
		return failure{
			title: "(Business Account, Consumer Account) pair rate limit hit",
			details: "Message failed to send because there were too many messages sent from this phone number to the " +
				"same phone number in a short period of time.",
		}
	case 131062:
		return failure{
			title:   "BSUID recipients not supported",
			details: "Business-scoped User ID (BSUID) recipients are not supported for this message.",
		}
	case codeTemplate:
		return failure{
			status: http.StatusNotFound, title: "Template name does not exist in the translation",
			details: "template name does not exist in the translation",
		}
	default:
		return failure{title: "Message failed", details: "The message was not sent."}
	}
}
