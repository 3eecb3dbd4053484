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
	case simulator.FaultStatusReorder:
		return func() { a.after(func() { a.backwards(n, m, steps) }) }
	}
	return func() { a.after(func() { a.climb(n, m, steps, fault) }) }
}

type step struct {
	state simulator.State
	delay time.Duration
}

func (a *API) climb(n simulator.Number, m simulator.Message, steps []step, fault simulator.Fault) {
	for _, s := range steps {
		if !a.pause(s.delay) {
			return
		}
		info, _ := a.store.Info(m.Chat)
		if !reaches(info, s.state) {
			return
		}
		a.advance(n, m, s.state, fault)
	}
}

// reaches says whether a message gets as far as state: read only on an open
// phone, and a blocked business sees its messages stay at sent.
func reaches(info simulator.ChatInfo, state simulator.State) bool {
	if info.Blocked {
		return state == simulator.StateSent
	}
	return state != simulator.StateRead || info.PhoneOpen
}

// apart keeps statuses that are reported backwards from overtaking each other.
const apart = 50 * time.Millisecond

// backwards reports the last state first.
func (a *API) backwards(n simulator.Number, m simulator.Message, steps []step) {
	for i := range steps {
		s := steps[len(steps)-1-i]
		if !a.pause(max(s.delay, apart)) {
			return
		}
		if info, _ := a.store.Info(m.Chat); !reaches(info, s.state) {
			continue
		}
		a.store.Advance(m.Chat, m.ID, s.state, "")
		a.tell(n, m, s.state, simulator.Fault{})
	}
}

// advance raises the state on the phone and tells the business.
func (a *API) advance(n simulator.Number, m simulator.Message, state simulator.State, fault simulator.Fault) {
	failure := ""
	if state == simulator.StateFailed {
		failure = strconv.Itoa(fault.Code)
	}
	if _, changed := a.store.Advance(m.Chat, m.ID, state, failure); changed {
		a.tell(n, m, state, fault)
	}
}

// tell reports a state to the business.
func (a *API) tell(n simulator.Number, m simulator.Message, state simulator.State, fault simulator.Fault) {
	status := statusValue{ID: m.ID, Status: string(state), Timestamp: stamp(time.Now()), Echo: echoOf(m.Request)}
	switch state {
	case simulator.StateFailed:
		failed := failureOf(fault.Code)
		problem := asyncError{Code: fault.Code, Title: failed.title, Message: failed.title, Href: errorPage}
		problem.Data.Details = failed.details
		status.Errors = []asyncError{problem}
	case simulator.StateSent, simulator.StateDelivered:
		status.Pricing = priceOf(m)
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
	a.deliver(n, parcel{chat: m.Chat, name: string(state) + " " + m.ID, values: []value{v}})
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
