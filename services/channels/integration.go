package channels

import (
	"strings"
	"time"
)

// Integration is one WhatsApp number or one Telegram bot, with the secrets that are valid now.
type Integration struct {
	ID       string
	Name     string
	Platform Platform
	// Enabled is what people want; State is what follows.
	Enabled bool
	// StopReason says why a provider refuses our credentials, empty while it does not.
	StopReason string
	WhatsApp   WhatsAppConfig
	Telegram   TelegramConfig
	Settings   Settings
	Secrets    []StoredSecret
	// Unreadable is set when the encryption keyset does not open the secrets.
	Unreadable bool
	// Seeded marks the integration that was made from the environment.
	Seeded bool
	// Revision grows with every change of any integration.
	Revision   int64
	CreateTime time.Time
	UpdateTime time.Time
	// DeleteTime makes it a tombstone, zero while it is none.
	DeleteTime time.Time
	// PurgeTime says that nothing is left of it but its id, zero while something is.
	PurgeTime time.Time
}

// WhatsAppConfig is what is known of a WhatsApp number, beside its secrets.
type WhatsAppConfig struct {
	// PhoneNumberID is Meta's id of the number, not the number itself.
	PhoneNumberID string
	// BusinessAccountID is the WhatsApp Business account (WABA), may be empty.
	BusinessAccountID string
	// AllowUnsigned takes webhooks that carry no signature.
	AllowUnsigned bool
}

// TelegramConfig is what is known of a bot, beside its secrets.
type TelegramConfig struct {
	// BotID is the number before the colon of the token.
	BotID int64
	// BotUsername is asked of Telegram, empty until known.
	BotUsername string
}

// Settings say how an integration answers. channels keeps them for the services that answer.
type Settings struct {
	KnowledgeBase string
	Language      string
	RAGEnabled    bool
	TopK          int
	HumanContact  string
	// WindowTemplate invites a customer whose 24-hour window is over, nil for none.
	WindowTemplate *WindowTemplate
	// Debounce, StaleAfter and StaffPause are nil for the default of the service that answers.
	Debounce   *time.Duration
	StaleAfter *time.Duration
	// StaffPause is how long the bot keeps silent after staff wrote by themselves.
	StaffPause *time.Duration
	// StreamDrafts shows answers while they are written, where the platform and the model can.
	StreamDrafts bool
	// Suggestions offers other sections of the documents as buttons; nil for true.
	Suggestions *bool
	Retention   Retention
	Limits      CustomerLimits
}

// Retention says how long customers' data is kept, nil for the default of the service that keeps it.
type Retention struct {
	Messages, Media, WebhookPayloads *time.Duration
}

// CustomerLimits say how much one customer may ask: 0 for any number, nil for the default of the service that answers.
type CustomerLimits struct {
	Hourly, Daily *int32
}

// WindowTemplate is a template with its approved languages, best first.
type WindowTemplate struct {
	Name      string
	Languages []string
}

// DefaultSettings are the mission's: retrieval on, five passages, Spanish.
func DefaultSettings() Settings {
	return Settings{KnowledgeBase: "default", Language: "es", RAGEnabled: true, TopK: 5}
}

// State is the state of an integration.
type State string

// The states.
const (
	StateEnabled    State = "enabled"
	StateDisabled   State = "disabled"
	StateIncomplete State = "incomplete"
	StateStopped    State = "stopped"
	StateDeleted    State = "deleted"
)

// State returns the state and, for an incomplete or stopped one, the reason and its cure in words for people.
func (i Integration) State() (State, string) {
	missing := i.missing()
	switch {
	case !i.DeleteTime.IsZero():
		return StateDeleted, ""
	case !i.Enabled:
		return StateDisabled, ""
	case i.Unreadable:
		return StateIncomplete, "KNOBOT_ENCRYPTION_KEYSET does not open its secrets: restore the keyset that sealed them, or enter them again"
	case len(missing) > 0:
		return StateIncomplete, "missing: " + strings.Join(missing, "; ")
	case i.StopReason != "":
		return StateStopped, i.StopReason
	default:
		return StateEnabled, ""
	}
}

// missing names what an integration still needs: the field of the API and, for the seeded one, the environment name.
func (i Integration) missing() []string {
	var cures []string
	need := func(have bool, field, variable, alternative string) {
		if have {
			return
		}
		cure := "set " + field + " with UpdateIntegration"
		if i.Seeded {
			cure = "set " + variable + " and restart, or " + field + " with UpdateIntegration"
		}
		cures = append(cures, cure+alternative)
	}
	if i.Platform == Telegram {
		need(i.Secret(BotToken) != "", "telegram.bot_token", "TELEGRAM_BOT_TOKEN", "")
		need(i.Secret(WebhookSecret) != "", "telegram.webhook_secret", "TELEGRAM_SECRET_TOKEN", "")
		return cures
	}
	unsigned := " (or WHATSAPP_ALLOW_UNSIGNED=true, whatsapp.allow_unsigned: then anyone who finds the address can write as any customer)"
	need(i.WhatsApp.PhoneNumberID != "", "whatsapp.phone_number_id", "WHATSAPP_PHONE_NUMBER_ID", "")
	need(i.Secret(AccessToken) != "", "whatsapp.access_token", "WHATSAPP_ACCESS_TOKEN", "")
	need(i.Secret(VerifyToken) != "", "whatsapp.verify_token", "WHATSAPP_VERIFY_TOKEN", "")
	need(i.Secret(AppSecret) != "" || i.WhatsApp.AllowUnsigned, "whatsapp.app_secret", "WHATSAPP_APP_SECRET", unsigned)
	return cures
}

// Enable switches the integration on or off. Switching on starts a stopped one again.
func (i *Integration) Enable(on bool) {
	i.Enabled = on
	if on {
		i.StopReason = ""
	}
}

// Credentials returns what a call to the provider needs.
func (i Integration) Credentials() Credentials {
	return Credentials{
		PhoneNumberID: i.WhatsApp.PhoneNumberID,
		AccessToken:   i.Secret(AccessToken).Reveal(),
		BotToken:      i.Secret(BotToken).Reveal(),
	}
}
