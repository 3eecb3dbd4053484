// Package integrations follows what channels knows of the company's numbers and bots, without secrets: whether they take
// part, and how they answer.
package integrations

import (
	"maps"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/conversation"
)

// Table is what is known. It goes on serving while channels is away.
type Table struct {
	mu     sync.RWMutex
	synced bool
	byID   map[conversation.IntegrationID]conversation.Integration
}

// NewTable returns an empty table, not synced.
func NewTable() *Table {
	return &Table{byID: map[conversation.IntegrationID]conversation.Integration{}}
}

// Synced reports whether a snapshot has been complete once.
func (t *Table) Synced() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.synced
}

// Get returns one integration.
func (t *Table) Get(id conversation.IntegrationID) (conversation.Integration, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	in, ok := t.byID[id]
	return in, ok
}

// Answering returns those that may answer now.
func (t *Table) Answering() []conversation.IntegrationID {
	return t.where(conversation.Integration.Answers)
}

// Deleted returns those that are gone for good.
func (t *Table) Deleted() []conversation.IntegrationID {
	return t.where(func(in conversation.Integration) bool { return in.State == conversation.Deleted })
}

func (t *Table) where(f func(conversation.Integration) bool) []conversation.IntegrationID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []conversation.IntegrationID
	for id, in := range t.byID {
		if f(in) {
			out = append(out, id)
		}
	}
	return out
}

// Replace takes a whole snapshot.
func (t *Table) Replace(all map[conversation.IntegrationID]conversation.Integration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID, t.synced = maps.Clone(all), true
}

func (t *Table) put(in conversation.Integration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID[in.ID] = in
}

func (t *Table) remove(id conversation.IntegrationID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// integration converts, with the defaults of the contract.
func integration(p *channelsv1.Integration) conversation.Integration {
	s := p.GetSettings()
	in := conversation.DefaultIntegration(conversation.IntegrationID(p.GetId()), platform(p.GetPlatform()))
	in.State = state(p.GetState())
	in.KnowledgeBase, in.HumanContact = s.GetKnowledgeBase(), s.GetHumanContact()
	in.StreamDrafts = s.GetStreamDrafts()
	if s.GetLanguage() != "" {
		in.Language = s.GetLanguage()
	}
	if s != nil && s.RagEnabled != nil {
		in.RAGEnabled = s.GetRagEnabled()
	}
	if s != nil && s.Suggestions != nil {
		in.Suggestions = s.GetSuggestions()
	}
	if s != nil && s.TopK != nil {
		in.Passages = s.GetTopK()
	}
	in.Debounce, in.StaleAfter, in.StaffPause = own(s.GetDebounce()), own(s.GetStaleAfter()), own(s.GetStaffPause())
	in.KeepMessages, in.KeepPayloads = own(s.GetRetention().GetMessages()), own(s.GetRetention().GetWebhookPayloads())
	if l := s.GetCustomerLimits(); l != nil {
		in.HourlyLimit, in.DailyLimit = l.Hourly, l.Daily
	}
	if w := s.GetWindowTemplate(); w.GetName() != "" {
		in.WindowTemplate = &conversation.WindowTemplate{Name: w.GetName(), Languages: w.GetLanguages()}
	}
	return in
}

// own returns an integration's own duration, nil where the service's holds.
func own(d *durationpb.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	v := d.AsDuration()
	return &v
}

func platform(p typev1.Platform) conversation.Platform {
	if p == typev1.Platform_PLATFORM_TELEGRAM {
		return conversation.Telegram
	}
	return conversation.WhatsApp
}

func state(s channelsv1.Integration_State) conversation.IntegrationState {
	switch s {
	case channelsv1.Integration_STATE_ENABLED:
		return conversation.Enabled
	case channelsv1.Integration_STATE_DISABLED:
		return conversation.Disabled
	case channelsv1.Integration_STATE_STOPPED:
		return conversation.Stopped
	case channelsv1.Integration_STATE_DELETED:
		return conversation.Deleted
	default:
		return conversation.Incomplete
	}
}
