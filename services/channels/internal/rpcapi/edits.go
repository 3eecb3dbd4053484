package rpcapi

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

// field copies one field of a message into an integration. given says whether the message has it.
type field struct {
	given func(in *channelsv1.Integration) bool
	set   func(i *channels.Integration, in *channelsv1.Integration, now time.Time)
}

// fields are the paths that an update mask may name. A mask may also name settings, whatsapp or telegram: settings as a whole
// are replaced, of a configuration the given fields are, because its secrets cannot be read and sent back.
func fields() map[string]field {
	all := map[string]field{
		"name": {
			given: func(in *channelsv1.Integration) bool { return in.GetName() != "" },
			set:   func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) { i.Name = in.GetName() },
		},
		"enabled": {
			given: func(in *channelsv1.Integration) bool { return in.Enabled != nil },
			set: func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) {
				i.Enable(in.Enabled == nil || in.GetEnabled())
			},
		},
		"whatsapp.phone_number_id": {
			given: func(in *channelsv1.Integration) bool { return in.GetWhatsapp().GetPhoneNumberId() != "" },
			set: func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) {
				i.WhatsApp.PhoneNumberID = in.GetWhatsapp().GetPhoneNumberId()
			},
		},
		"whatsapp.waba_id": {
			given: func(in *channelsv1.Integration) bool { return in.GetWhatsapp().GetWabaId() != "" },
			set: func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) {
				i.WhatsApp.BusinessAccountID = in.GetWhatsapp().GetWabaId()
			},
		},
		"whatsapp.allow_unsigned": {
			given: func(in *channelsv1.Integration) bool { return in.GetWhatsapp().GetAllowUnsigned() },
			set: func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) {
				i.WhatsApp.AllowUnsigned = in.GetWhatsapp().GetAllowUnsigned()
			},
		},
		"whatsapp.access_token": secretField(channels.AccessToken, func(in *channelsv1.Integration) string { return in.GetWhatsapp().GetAccessToken() }),
		"whatsapp.verify_token": secretField(channels.VerifyToken, func(in *channelsv1.Integration) string { return in.GetWhatsapp().GetVerifyToken() }),
		"whatsapp.app_secret":   secretField(channels.AppSecret, func(in *channelsv1.Integration) string { return in.GetWhatsapp().GetAppSecret() }),
		"telegram.bot_token":    secretField(channels.BotToken, func(in *channelsv1.Integration) string { return in.GetTelegram().GetBotToken() }),
		"telegram.webhook_secret": secretField(channels.WebhookSecret,
			func(in *channelsv1.Integration) string { return in.GetTelegram().GetWebhookSecret() }),
	}
	for path, set := range settingsFields() {
		all["settings."+path] = field{
			given: func(in *channelsv1.Integration) bool { return in.GetSettings() != nil },
			set: func(i *channels.Integration, in *channelsv1.Integration, _ time.Time) {
				set(&i.Settings, in.GetSettings())
			},
		}
	}
	return all
}

func secretField(f channels.SecretField, value func(in *channelsv1.Integration) string) field {
	return field{
		given: func(in *channelsv1.Integration) bool { return value(in) != "" },
		set: func(i *channels.Integration, in *channelsv1.Integration, now time.Time) {
			i.SetSecret(f, channels.Secret(value(in)), now)
		},
	}
}

// settingsFields set one setting each; what is unset gets its default.
func settingsFields() map[string]func(s *channels.Settings, in *channelsv1.Settings) {
	defaults := channels.DefaultSettings()
	return map[string]func(s *channels.Settings, in *channelsv1.Settings){
		"knowledge_base": func(s *channels.Settings, in *channelsv1.Settings) {
			s.KnowledgeBase = or(in.GetKnowledgeBase(), defaults.KnowledgeBase)
		},
		"language": func(s *channels.Settings, in *channelsv1.Settings) {
			s.Language = or(in.GetLanguage(), defaults.Language)
		},
		"rag_enabled": func(s *channels.Settings, in *channelsv1.Settings) {
			s.RAGEnabled = in == nil || in.RagEnabled == nil || in.GetRagEnabled()
		},
		"top_k": func(s *channels.Settings, in *channelsv1.Settings) {
			s.TopK = defaults.TopK
			if in != nil && in.TopK != nil {
				s.TopK = int(in.GetTopK())
			}
		},
		"human_contact": func(s *channels.Settings, in *channelsv1.Settings) {
			s.HumanContact = strings.TrimSpace(in.GetHumanContact())
		},
		"window_template": func(s *channels.Settings, in *channelsv1.Settings) {
			s.WindowTemplate = nil
			if t := in.GetWindowTemplate(); t != nil {
				s.WindowTemplate = &channels.WindowTemplate{Name: t.GetName(), Languages: t.GetLanguages()}
			}
		},
		"debounce":    func(s *channels.Settings, in *channelsv1.Settings) { s.Debounce = durationDomain(in.GetDebounce()) },
		"stale_after": func(s *channels.Settings, in *channelsv1.Settings) { s.StaleAfter = durationDomain(in.GetStaleAfter()) },
		"suggestions": func(s *channels.Settings, in *channelsv1.Settings) {
			s.Suggestions = nil
			if in != nil {
				s.Suggestions = in.Suggestions
			}
		},
		"stream_drafts":   func(s *channels.Settings, in *channelsv1.Settings) { s.StreamDrafts = in.GetStreamDrafts() },
		"retention":       func(s *channels.Settings, in *channelsv1.Settings) { s.Retention = retention(in.GetRetention()) },
		"customer_limits": func(s *channels.Settings, in *channelsv1.Settings) { s.Limits = customerLimits(in.GetCustomerLimits()) },
		"staff_pause":     func(s *channels.Settings, in *channelsv1.Settings) { s.StaffPause = durationDomain(in.GetStaffPause()) },
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// creation sets every field that is given.
func creation(in *channelsv1.Integration) integration.Edit {
	return func(i *channels.Integration, now time.Time) {
		for _, f := range fields() {
			if f.given(in) {
				f.set(i, in, now)
			}
		}
	}
}

// edits turns an update mask into edits. Every path that it does not know is an error, so that a typing error changes
// nothing.
func edits(in *channelsv1.Integration, mask *fieldmaskpb.FieldMask) ([]integration.Edit, error) {
	if len(mask.GetPaths()) == 0 {
		return nil, invalid("update_mask", "names no field")
	}
	var out []integration.Edit
	for _, path := range mask.GetPaths() {
		chosen, err := choose(path, in)
		if err != nil {
			return nil, err
		}
		for _, f := range chosen {
			out = append(out, func(i *channels.Integration, now time.Time) { f.set(i, in, now) })
		}
	}
	return out, nil
}

// choose returns the fields that a path stands for.
func choose(path string, in *channelsv1.Integration) ([]field, error) {
	all := fields()
	if f, ok := all[path]; ok {
		return []field{f}, nil
	}
	if path != "settings" && path != "whatsapp" && path != "telegram" {
		return nil, notAField(path)
	}
	var chosen []field
	for name, f := range all {
		if strings.HasPrefix(name, path+".") && (path == "settings" || f.given(in)) {
			chosen = append(chosen, f)
		}
	}
	return chosen, nil
}

// notAField names a path of a mask that nobody knows. What does not look like one at all is not repeated: it may be a secret.
func notAField(path string) error {
	const longest = 64
	if len(path) > longest || strings.ContainsFunc(path, func(r rune) bool { return !fieldRune(r) }) {
		return invalid("update_mask", "a path is not a field that can be changed")
	}
	return invalid("update_mask", "%q is not a field that can be changed", path)
}

func fieldRune(r rune) bool {
	return r == '_' || r == '.' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
}
