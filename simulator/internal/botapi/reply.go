package botapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/exchange"
)

const contentType = "application/json"

// result is what a method gives back.
type result struct {
	value       any
	description string
	message     string // the id of the message that was sent
	after       func()
}

func (r result) reply() exchange.Reply {
	reply := exchange.JSON(http.StatusOK, contentType, struct {
		OK          bool   `json:"ok"`
		Result      any    `json:"result"`
		Description string `json:"description,omitempty"`
	}{true, r.value, r.description})
	reply.Message, reply.After = r.message, r.after
	return reply
}

// failure is an error answer.
type failure struct {
	code        int
	description string
	parameters  *parameters
}

type parameters struct {
	RetryAfter int   `json:"retry_after,omitempty"`
	Migrate    int64 `json:"migrate_to_chat_id,omitempty"`
}

func (f *failure) reply() exchange.Reply {
	reply := exchange.JSON(f.code, contentType, struct {
		OK          bool        `json:"ok"`
		Code        int         `json:"error_code"`
		Description string      `json:"description"`
		Parameters  *parameters `json:"parameters,omitempty"`
	}{false, f.code, f.description, f.parameters})
	if f.parameters != nil && f.parameters.RetryAfter > 0 {
		reply.Header.Set("Retry-After", strconv.Itoa(f.parameters.RetryAfter))
	}
	return reply
}

func replyWith(f *failure) func(simulator.Fault) exchange.Reply {
	return func(simulator.Fault) exchange.Reply { return f.reply() }
}

func badRequest(format string, args ...any) *failure {
	return &failure{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func tooMany(seconds int) *failure {
	return &failure{
		code: http.StatusTooManyRequests, description: fmt.Sprintf("Too Many Requests: retry after %d", seconds),
		parameters: &parameters{RetryAfter: seconds},
	}
}

func blocked() *failure {
	return &failure{code: http.StatusForbidden, description: "Forbidden: bot was blocked by the user"}
}

// missing words the refusal of an absent parameter as the server does.
func missing(name string) *failure {
	switch name {
	case "text":
		return badRequest("message text is empty")
	case "chat_id":
		return badRequest("chat_id is empty")
	case "action":
		return badRequest("wrong parameter action in request")
	case "callback_query_id":
		return badRequest("query is too old and response timeout expired or query ID is invalid")
	case "file_id":
		return badRequest("file_id not specified")
	case "message_id":
		return badRequest("message identifier is not specified")
	default:
		return badRequest("parameter %q is required", name)
	}
}

// refuse makes the error that a fault orders.
func refuse(f simulator.Fault) exchange.Reply {
	if f.Kind == simulator.FaultThrottled || f.Code == http.StatusTooManyRequests {
		return tooMany(f.RetryAfter).reply()
	}
	failed := &failure{code: f.Code, description: f.Description}
	if failed.code < 400 || failed.code > 599 {
		failed.code = http.StatusBadRequest
	}
	if failed.description == "" {
		failed.description = title(failed.code)
	}
	if f.Migrate != 0 {
		failed.parameters = &parameters{Migrate: f.Migrate}
	}
	return failed.reply()
}

func title(code int) string {
	if code == http.StatusForbidden {
		return blocked().description
	}
	return strings.TrimSpace(http.StatusText(code))
}
