package postgres

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels"
)

// integrationRow is what selectIntegration returns.
type integrationRow struct {
	ID                string      `db:"id"`
	Name              string      `db:"name"`
	Platform          string      `db:"platform"`
	Enabled           bool        `db:"enabled"`
	StopReason        string      `db:"stop_reason"`
	PhoneNumberID     string      `db:"phone_number_id"`
	BusinessAccountID string      `db:"business_account_id"`
	AllowUnsigned     bool        `db:"allow_unsigned"`
	BotID             int64       `db:"bot_id"`
	BotUsername       string      `db:"bot_username"`
	Settings          settingsRow `db:"settings"`
	Seeded            bool        `db:"seeded"`
	Revision          int64       `db:"revision"`
	CreateTime        time.Time   `db:"create_time"`
	UpdateTime        time.Time   `db:"update_time"`
	DeleteTime        *time.Time  `db:"delete_time"`
	PurgeTime         *time.Time  `db:"purge_time"`
	RowVersion        string      `db:"row_version"`
	Secrets           []secretRow `db:"secrets"`
}

// secretRow is a secret in the aggregate of selectIntegration.
type secretRow struct {
	Field      string     `json:"field"`
	Sealed     string     `json:"sealed"`
	CreateTime time.Time  `json:"create_time"`
	ExpireTime *time.Time `json:"expire_time"`
}

// settingsRow is the JSON of the settings column. Its names are a contract with rows that exist.
type settingsRow struct {
	KnowledgeBase  string             `json:"knowledge_base"`
	Language       string             `json:"language"`
	RAGEnabled     bool               `json:"rag_enabled"`
	TopK           int                `json:"top_k"`
	HumanContact   string             `json:"human_contact,omitempty"`
	WindowTemplate *windowTemplateRow `json:"window_template,omitempty"`
	Debounce       *time.Duration     `json:"debounce_ns,omitempty"`
	StaleAfter     *time.Duration     `json:"stale_after_ns,omitempty"`
	StaffPause     *time.Duration     `json:"staff_pause_ns,omitempty"`
	StreamDrafts   bool               `json:"stream_drafts,omitempty"`
	Suggestions    *bool              `json:"suggestions,omitempty"`
	// Retention is also read by lockExpired.
	Retention retentionRow `json:"retention,omitzero"`
	Limits    limitsRow    `json:"customer_limits,omitzero"`
}

type retentionRow struct {
	Messages        *time.Duration `json:"messages_ns,omitempty"`
	Media           *time.Duration `json:"media_ns,omitempty"`
	WebhookPayloads *time.Duration `json:"webhook_payloads_ns,omitempty"`
}

type limitsRow struct {
	Hourly *int32 `json:"hourly,omitempty"`
	Daily  *int32 `json:"daily,omitempty"`
}

type windowTemplateRow struct {
	Name      string   `json:"name"`
	Languages []string `json:"languages"`
}

func newSettingsRow(s channels.Settings) settingsRow {
	return settingsRow{
		KnowledgeBase: s.KnowledgeBase, Language: s.Language, RAGEnabled: s.RAGEnabled, TopK: s.TopK,
		HumanContact: s.HumanContact, WindowTemplate: (*windowTemplateRow)(s.WindowTemplate),
		Debounce: s.Debounce, StaleAfter: s.StaleAfter, StaffPause: s.StaffPause, StreamDrafts: s.StreamDrafts,
		Suggestions: s.Suggestions, Retention: retentionRow(s.Retention), Limits: limitsRow(s.Limits),
	}
}

func (r settingsRow) settings() channels.Settings {
	return channels.Settings{
		KnowledgeBase: r.KnowledgeBase, Language: r.Language, RAGEnabled: r.RAGEnabled, TopK: r.TopK,
		HumanContact: r.HumanContact, WindowTemplate: (*channels.WindowTemplate)(r.WindowTemplate),
		Debounce: r.Debounce, StaleAfter: r.StaleAfter, StaffPause: r.StaffPause, StreamDrafts: r.StreamDrafts,
		Suggestions: r.Suggestions, Retention: channels.Retention(r.Retention), Limits: channels.CustomerLimits(r.Limits),
	}
}

// integration converts the row and opens its secrets. One that does not open makes the whole integration unreadable, not
// the service: the others go on.
func (r integrationRow) integration(sealer *sealing.Sealer) channels.Integration {
	i := channels.Integration{
		ID: r.ID, Name: r.Name, Platform: channels.Platform(r.Platform), Enabled: r.Enabled, StopReason: r.StopReason,
		WhatsApp: channels.WhatsAppConfig{
			PhoneNumberID: r.PhoneNumberID, BusinessAccountID: r.BusinessAccountID, AllowUnsigned: r.AllowUnsigned,
		},
		Telegram: channels.TelegramConfig{BotID: r.BotID, BotUsername: r.BotUsername},
		Settings: r.Settings.settings(), Seeded: r.Seeded, Revision: r.Revision,
		CreateTime: r.CreateTime, UpdateTime: r.UpdateTime, DeleteTime: timeOrZero(r.DeleteTime), PurgeTime: timeOrZero(r.PurgeTime),
	}
	for _, s := range r.Secrets {
		value, err := s.open(sealer, r.ID)
		if err != nil {
			i.Unreadable = true
			continue
		}
		i.Secrets = append(i.Secrets, channels.StoredSecret{
			Field: channels.SecretField(s.Field), Value: channels.Secret(value), CreateTime: s.CreateTime, ExpireTime: timeOrZero(s.ExpireTime),
		})
	}
	return i
}

func (s secretRow) open(sealer *sealing.Sealer, integrationID string) (string, error) {
	sealed, err := hex.DecodeString(s.Sealed)
	if err != nil {
		return "", err
	}
	return sealer.Open(sealed, integrationID, s.Field)
}

func secretsDiffer(a, b []channels.StoredSecret) bool {
	return !slices.EqualFunc(a, b, func(a, b channels.StoredSecret) bool {
		return a.Field == b.Field && a.Value == b.Value && a.ExpireTime.Equal(b.ExpireTime)
	})
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
