package graph

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/faults"
)

// statusValue is one status of a message that the business sent.
type statusValue struct {
	ID              string       `json:"id"`
	Status          string       `json:"status"`
	Timestamp       string       `json:"timestamp"`
	RecipientID     string       `json:"recipient_id,omitempty"`
	RecipientUserID string       `json:"recipient_user_id,omitempty"`
	Echo            string       `json:"biz_opaque_callback_data,omitempty"`
	Pricing         *pricing     `json:"pricing,omitempty"`
	Errors          []asyncError `json:"errors,omitempty"`
}

// pricing comes with sent and with one of delivered and read (WhatsApp docs,
// status messages reference, 11 September 2026).
type pricing struct {
	Billable bool   `json:"billable"`
	Model    string `json:"pricing_model"`
	Type     string `json:"type"`
	Category string `json:"category"`
}

type asyncError struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
	Href string `json:"href"`
}

// report returns what tells the business how far a message got. It runs after
// the answer to the send, or before it when that is ordered.
func (a *API) report(n simulator.Number, m simulator.Message, b body) func() {
	if b.Type == "reaction" {
		return nil
	}
	fault, _ := a.desk.Faults.Take(faults.Status, m.Chat, "", true)
	settings := a.settings()
	steps := []step{
		{simulator.StateSent, time.Duration(settings.SentDelay)},
		{simulator.StateDelivered, time.Duration(settings.DeliveredDelay)},
		{simulator.StateRead, time.Duration(settings.ReadDelay)},
	}
	switch fault.Kind {
	case simulator.FaultStatusNever:
		return nil
	case simulator.FaultStatusLate:
		steps[0].delay += time.Duration(fault.Delay)
	case simulator.FaultStatusFailed:
		steps = []step{{simulator.StateFailed, steps[0].delay}}
	case simulator.FaultStatusEarly:
		a.advance(n, m, simulator.StateSent, fault)
		steps = steps[1:]
	}
	return func() { a.after(func() { a.climb(n, m, steps, fault) }) }
}

type step struct {
	state simulator.State
	delay time.Duration
}

func (a *API) climb(n simulator.Number, m simulator.Message, steps []step, fault simulator.Fault) {
	for _, s := range steps {
		timer := time.NewTimer(s.delay)
		select {
		case <-timer.C:
		case <-a.ctx.Done():
			timer.Stop()
			return
		}
		info, _ := a.store.Info(m.Chat)
		// A blocked business sees its messages stay at sent.
		if s.state == simulator.StateRead && !info.PhoneOpen || s.state != simulator.StateSent && info.Blocked {
			return
		}
		a.advance(n, m, s.state, fault)
	}
}

// advance raises the state on the phone and tells the business.
func (a *API) advance(n simulator.Number, m simulator.Message, state simulator.State, fault simulator.Fault) {
	status := statusValue{ID: m.ID, Status: string(state), Timestamp: stamp(time.Now()), Echo: echoOf(m.Request)}
	failure := ""
	switch state {
	case simulator.StateFailed:
		failed := failureOf(fault.Code)
		problem := asyncError{Code: fault.Code, Title: failed.title, Message: failed.title, Href: errorPage}
		problem.Data.Details = failed.details
		status.Errors, failure = []asyncError{problem}, strconv.Itoa(fault.Code)
	case simulator.StateSent, simulator.StateDelivered:
		status.Pricing = priceOf(m)
	}
	if _, changed := a.store.Advance(m.Chat, m.ID, state, failure); !changed {
		return
	}
	info, _ := a.store.Info(m.Chat)
	status.RecipientID, status.RecipientUserID = visiblePhone(info), info.UserID
	v := a.value(n)
	if state == simulator.StateFailed {
		// "contacts is absent, and recipient_user_id too if we sent to a phone"
		// (WhatsApp docs, status messages reference).
		status.RecipientUserID = ""
	} else {
		v.Contacts = []contact{contactOf(info)}
	}
	v.Statuses = []statusValue{status}
	a.deliver(n, m.Chat, string(state)+" "+m.ID, payload(n, v), nil)
}

// errorPage is where Meta's error objects point to.
const errorPage = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

func priceOf(m simulator.Message) *pricing {
	category := "service"
	if m.Kind == "template" {
		category = "utility"
	}
	return &pricing{Billable: true, Model: "PMP", Type: "regular", Category: category}
}

func echoOf(request json.RawMessage) string {
	var b body
	_ = json.Unmarshal(request, &b) // it was decoded before it was stored
	return b.Echo
}

// OpenPhone lets the customer look at the chat, or away from it. What was
// delivered meanwhile becomes read.
func (a *API) OpenPhone(chat simulator.Chat, phone simulator.Phone) (simulator.ChatInfo, error) {
	n, err := a.number(chat.Account)
	if err != nil {
		return simulator.ChatInfo{}, err
	}
	info, err := a.store.SetPhone(chat, phone)
	if err != nil || phone.Open == nil || !*phone.Open {
		return info, err
	}
	for _, m := range a.store.Messages(chat, 0) {
		if m.Direction == simulator.Outbound && m.State == simulator.StateDelivered {
			a.advance(n, m, simulator.StateRead, simulator.Fault{})
		}
	}
	return info, nil
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
