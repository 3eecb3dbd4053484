// Package faults keeps the trouble that was ordered. The table of kinds is the
// data; what a kind does is up to the place that takes it.
package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
)

// Point is a place where a fault can strike.
type Point string

// Points of the flow.
const (
	Send    Point = "send"
	Status  Point = "status"
	Webhook Point = "webhook"
	// Person is where a webhook says who wrote, Media where a file is given out.
	Person Point = "person"
	Media  Point = "media"
	// Account is where an owner looks something up about a number.
	Account Point = "account"
)

// Set holds the ordered faults.
type Set struct {
	mu     sync.Mutex
	lastID int64
	orders []*order
}

type order struct {
	simulator.Fault
	point Point
}

// NewSet returns a set without faults.
func NewSet() *Set { return &Set{} }

// pointOf says where a kind strikes; empty for unknown kinds.
func pointOf(kind simulator.FaultKind) Point {
	switch kind {
	case simulator.FaultThrottled, simulator.FaultError, simulator.FaultServerError, simulator.FaultBadGateway,
		simulator.FaultEmpty, simulator.FaultHang, simulator.FaultReset, simulator.FaultLostReply,
		simulator.FaultSlow, simulator.FaultPaced, simulator.FaultClockSkew:
		return Send
	case simulator.FaultStatusLate, simulator.FaultStatusEarly, simulator.FaultStatusNever, simulator.FaultStatusFailed,
		simulator.FaultStatusReorder:
		return Status
	case simulator.FaultWebhookDuplicate, simulator.FaultWebhookLate, simulator.FaultWebhookNever,
		simulator.FaultWebhookReorder, simulator.FaultWebhookBatch:
		return Webhook
	case simulator.FaultPhoneMissing:
		return Person
	case simulator.FaultMediaGone, simulator.FaultMediaCorrupt, simulator.FaultMediaExpired:
		return Media
	case simulator.FaultTokenTemporary, simulator.FaultPermissionMissing, simulator.FaultNumberFlagged,
		simulator.FaultAppUnsubscribed, simulator.FaultMessagesUnsubscribed:
		return Account
	default:
		return ""
	}
}

// Add orders a fault and returns it with its id and defaults.
func (s *Set) Add(f simulator.Fault) (simulator.Fault, error) {
	point := pointOf(f.Kind)
	if point == "" {
		return simulator.Fault{}, fmt.Errorf("unknown fault kind %q", f.Kind)
	}
	if (f.Kind == simulator.FaultError || f.Kind == simulator.FaultStatusFailed) && f.Code == 0 {
		return simulator.Fault{}, fmt.Errorf("fault %q needs a code", f.Kind)
	}
	if whatsAppOnly(f.Kind, point) {
		if f.Platform == simulator.Telegram {
			return simulator.Fault{}, fmt.Errorf("fault %q is WhatsApp's", f.Kind)
		}
		f.Platform = simulator.WhatsApp
	}
	f = withDefaults(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	f.ID = s.lastID
	s.orders = append(s.orders, &order{Fault: f, point: point})
	return f, nil
}

// whatsAppOnly knows what cannot happen on Telegram, which reports no statuses
// and delivers one update after the other, each in a body of its own.
func whatsAppOnly(kind simulator.FaultKind, point Point) bool {
	switch kind {
	case simulator.FaultPaced, simulator.FaultWebhookReorder, simulator.FaultWebhookBatch:
		return true
	default:
		return point == Status || point == Person || point == Account
	}
}

func withDefaults(f simulator.Fault) simulator.Fault {
	delay := func(d time.Duration) { f.Delay = cmp.Or(f.Delay, simulator.Duration(d)) }
	f.Method = cmp.Or(f.Method, methodOf(f.Kind))
	switch f.Kind {
	case simulator.FaultHang:
		delay(time.Minute)
	case simulator.FaultClockSkew:
		delay(time.Hour)
	case simulator.FaultWebhookReorder:
		delay(5 * time.Second)
	case simulator.FaultWebhookBatch:
		delay(time.Second)
		f.Copies = cmp.Or(f.Copies, 1000)
		f.Count = cmp.Or(f.Count, f.Copies)
	}
	f.Count = cmp.Or(f.Count, 1)
	f.Copies = cmp.Or(f.Copies, 2)
	f.RetryAfter = cmp.Or(f.RetryAfter, 1)
	return f
}

// methodOf is the one call that a kind can strike, "*" for any; empty for kinds
// that strike what puts a message on the phone, or comes first at their point.
func methodOf(kind simulator.FaultKind) string {
	switch kind {
	case simulator.FaultTokenTemporary, simulator.FaultPermissionMissing:
		return "debug_token"
	case simulator.FaultNumberFlagged:
		return "number"
	case simulator.FaultAppUnsubscribed:
		return "subscribed_apps"
	case simulator.FaultMessagesUnsubscribed:
		return "subscriptions"
	case simulator.FaultClockSkew:
		return "*"
	default:
		return ""
	}
}

// List returns the faults that are still to come.
func (s *Set) List() []simulator.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]simulator.Fault, 0, len(s.orders))
	for _, o := range s.orders {
		list = append(list, o.Fault)
	}
	return list
}

// Remove calls off one fault, or all when id is 0.
func (s *Set) Remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = slices.DeleteFunc(s.orders, func(o *order) bool { return id == 0 || o.ID == id })
}

// Take uses up the first fault that strikes here. Sends says that the call
// puts a message on the phone, which is what faults without a method mean.
func (s *Set) Take(point Point, chat simulator.Chat, method string, sends bool) (simulator.Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.orders {
		if o.point != point || !o.matches(chat, method, sends) {
			continue
		}
		if o.Skip > 0 {
			o.Skip--
			continue
		}
		if o.Count > 0 {
			o.Count--
		}
		fault := o.Fault
		if o.Count == 0 {
			s.orders = slices.Delete(s.orders, i, i+1)
		}
		return fault, true
	}
	return simulator.Fault{}, false
}

func (o *order) matches(chat simulator.Chat, method string, sends bool) bool {
	named := func(want, got string) bool { return want == "" || want == got }
	if !named(string(o.Platform), string(chat.Platform)) || !named(o.Account, chat.Account) || !named(o.User, chat.User) {
		return false
	}
	switch o.Method {
	case "":
		return sends
	case "*":
		return true
	default:
		return strings.EqualFold(o.Method, method)
	}
}
