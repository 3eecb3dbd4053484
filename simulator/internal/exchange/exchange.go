// Package exchange is the common part of the two fake APIs: an answer is a
// value until the faults that were ordered had their say, then it is written
// into the journal and onto the wire.
package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/ring"
)

// Reply is an answer to a call.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	// Message is the id of the message that the call put on the phone.
	Message string
	// File says that Body is a file, which the journal leaves out.
	File bool
	// After is called once the answer is on its way, for what follows it.
	After func()
}

// JSON makes a reply with the given content type.
func JSON(status int, contentType string, v any) Reply {
	body, err := json.Marshal(v)
	if err != nil { // replies are made of plain values
		panic(err)
	}
	return Reply{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// File makes a reply that is a file.
func File(contentType string, content []byte) Reply {
	header := http.Header{"Content-Type": {contentType}, "X-Content-Type-Options": {"nosniff"}}
	return Reply{Status: http.StatusOK, Header: header, Body: content, File: true}
}

// NotFound is how both platforms' file servers answer for what they do not
// have (any longer).
func NotFound() Reply {
	return Reply{
		Status: http.StatusNotFound, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body: []byte("404 page not found\n"),
	}
}

// Call is a decoded call before it is carried out.
type Call struct {
	Chat    simulator.Chat
	Method  string
	Request json.RawMessage
	// Sends says that the call puts a message on the phone.
	Sends bool
}

// Desk answers calls.
type Desk struct {
	Faults  *faults.Set
	Journal *ring.Log[simulator.Call]
}

// Serve answers one call. Refuse makes the platform's error for a fault;
// handle carries the call out, and gets the fault that strikes it, if any.
func (d Desk) Serve(w http.ResponseWriter, r *http.Request, call Call,
	refuse func(simulator.Fault) Reply, handle func(simulator.Fault) Reply,
) {
	fault, _ := d.Faults.Take(faults.Send, call.Chat, call.Method, call.Sends)
	start := time.Now()
	switch fault.Kind {
	case simulator.FaultThrottled, simulator.FaultError:
		d.answer(w, call, fault, start, refuse(fault))
	case simulator.FaultServerError:
		d.answer(w, call, fault, start, page(call.Chat.Platform, http.StatusInternalServerError))
	case simulator.FaultBadGateway:
		d.answer(w, call, fault, start, page(call.Chat.Platform, http.StatusBadGateway))
	case simulator.FaultEmpty:
		d.answer(w, call, fault, start, Reply{
			Status: http.StatusInternalServerError,
			Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		})
	case simulator.FaultHang, simulator.FaultReset:
		d.record(call, fault, start, Reply{})
		drop(r.Context(), fault.Delay)
	case simulator.FaultLostReply:
		reply := handle(fault)
		d.record(call, fault, start, Reply{Message: reply.Message})
		follow(reply)
		drop(r.Context(), fault.Delay)
	case simulator.FaultClockSkew:
		reply := handle(fault)
		reply.Header.Set("Date", time.Now().Add(time.Duration(fault.Delay)).UTC().Format(http.TimeFormat))
		d.answer(w, call, fault, start, reply)
	default:
		reply := handle(fault)
		pause(r.Context(), fault.Delay)
		d.answer(w, call, fault, start, reply)
	}
}

func (d Desk) answer(w http.ResponseWriter, call Call, fault simulator.Fault, start time.Time, reply Reply) {
	d.record(call, fault, start, reply)
	for name, values := range reply.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
	follow(reply)
}

func follow(reply Reply) {
	if reply.After != nil {
		reply.After()
	}
}

func (d Desk) record(call Call, fault simulator.Fault, start time.Time, reply Reply) {
	response := json.RawMessage(reply.Body)
	if reply.File {
		response = nil
	}
	if len(response) > 0 && !json.Valid(response) {
		response, _ = json.Marshal(string(reply.Body))
	}
	d.Journal.Append(func(seq int64) simulator.Call {
		return simulator.Call{
			Seq: seq, Time: start, Chat: call.Chat, Method: call.Method, Request: call.Request,
			Status: reply.Status, Response: response, Message: reply.Message, Fault: string(fault.Kind),
		}
	})
}

// page is an error that a load balancer answers, in HTML.
func page(platform simulator.Platform, status int) Reply {
	title := http.StatusText(status)
	body := fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body></body>\r\n</html>", status, title)
	if platform == simulator.WhatsApp {
		body = "<html><body>" + title[:1] + strings.ToLower(title[1:]) + "</body></html>"
	}
	return Reply{Status: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(body)}
}

// drop breaks the connection without an answer.
func drop(ctx context.Context, delay simulator.Duration) {
	pause(ctx, delay)
	panic(http.ErrAbortHandler) // net/http's documented way to do so
}

func pause(ctx context.Context, delay simulator.Duration) {
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(time.Duration(delay))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
