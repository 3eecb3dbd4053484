package conversation

import "time"

// Integration is what this service knows of one of the company's numbers or bots: no secrets.
type Integration struct {
	ID       IntegrationID
	Platform Platform
	State    IntegrationState
	// KnowledgeBase is a name; empty for the default.
	KnowledgeBase string
	// Language is that of our own sentences when the customer's is not clear.
	Language       string
	RAGEnabled     bool
	Passages       int32
	HumanContact   string
	WindowTemplate *WindowTemplate
	// Debounce, StaleAfter and StaffPause are nil where the service's own setting holds.
	Debounce, StaleAfter, StaffPause *time.Duration
	// StreamDrafts shows answers while they are written, where the platform can.
	StreamDrafts bool
	// Suggestions offers other sections of the documents as buttons under an answer.
	Suggestions bool
	// KeepMessages and KeepPayloads say how long messages and the bodies of webhooks are kept; nil where the service's own setting
	// holds.
	KeepMessages, KeepPayloads *time.Duration
	// HourlyLimit and DailyLimit are nil where the service's own setting holds.
	HourlyLimit, DailyLimit *int32
}

// Limits returns how much one customer may ask.
func (i Integration) Limits(service Limits) Limits {
	if i.HourlyLimit != nil {
		service.Hourly = *i.HourlyLimit
	}
	if i.DailyLimit != nil {
		service.Daily = *i.DailyLimit
	}
	return service
}

// IntegrationState is whether an integration takes part.
type IntegrationState int

// The states.
const (
	Enabled IntegrationState = iota + 1
	Disabled
	Incomplete
	Stopped
	Deleted
)

// DefaultIntegration stands in for one that the gateway knows already and this service does not: both follow the same news,
// at most seconds apart.
func DefaultIntegration(id IntegrationID, p Platform) Integration {
	return Integration{
		ID: id, Platform: p, State: Enabled, Language: DefaultLanguage, RAGEnabled: true, Passages: DefaultPassages,
		Suggestions: true,
	}
}

// Ignores reports whether what comes in is acknowledged and ignored.
func (i Integration) Ignores() bool { return i.State == Disabled || i.State == Deleted }

// Answers reports whether answers may go out now. Where not, turns wait without using up attempts.
func (i Integration) Answers() bool { return i.State == Enabled }

// WindowTemplate is an approved WhatsApp template that invites the customer to write again.
type WindowTemplate struct {
	Name string
	// Languages are the approved codes, best first.
	Languages []string
}

// LanguageFor returns the approved code nearest to a language: the same, else one of the same base ("es" for "es_MX"), else
// the first. Meta refuses a code that was not approved (error 132001, error codes page, 2026-09-11).
func (t WindowTemplate) LanguageFor(language string) string {
	for _, l := range t.Languages {
		if l == language {
			return l
		}
	}
	for _, l := range t.Languages {
		if BaseLanguage(l) == BaseLanguage(language) {
			return l
		}
	}
	if len(t.Languages) > 0 {
		return t.Languages[0]
	}
	return ""
}
