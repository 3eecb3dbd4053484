package seed

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// value is one variable of the environment and the field of an integration that it stands for.
type value struct {
	variable string
	given    channels.Secret // Some are secret, so all are treated so.
	get      func(i channels.Integration) channels.Secret
	set      func(i *channels.Integration, v channels.Secret, now time.Time)
}

// fill puts the value into an integration, if it is given.
func (v value) fill(i *channels.Integration, now time.Time) {
	if v.given != "" {
		v.set(i, v.given, now)
	}
}

func trimmed(s channels.Secret) channels.Secret {
	return channels.Secret(strings.TrimSpace(s.Reveal()))
}

func secret(variable string, given channels.Secret, field channels.SecretField) value {
	return value{
		variable: variable, given: trimmed(given),
		get: func(i channels.Integration) channels.Secret { return i.Secret(field) },
		set: func(i *channels.Integration, v channels.Secret, now time.Time) { i.SetSecret(field, v, now) },
	}
}

func (e Environment) whatsApp() []value {
	unsigned := channels.Secret("")
	if e.AllowUnsigned {
		unsigned = "true"
	}
	return []value{
		{
			variable: "WHATSAPP_PHONE_NUMBER_ID", given: trimmed(channels.Secret(e.PhoneNumberID)),
			get: func(i channels.Integration) channels.Secret { return channels.Secret(i.WhatsApp.PhoneNumberID) },
			set: func(i *channels.Integration, v channels.Secret, _ time.Time) { i.WhatsApp.PhoneNumberID = v.Reveal() },
		},
		{
			variable: "WHATSAPP_WABA_ID", given: trimmed(channels.Secret(e.BusinessAccountID)),
			get: func(i channels.Integration) channels.Secret { return channels.Secret(i.WhatsApp.BusinessAccountID) },
			set: func(i *channels.Integration, v channels.Secret, _ time.Time) {
				i.WhatsApp.BusinessAccountID = v.Reveal()
			},
		},
		secret("WHATSAPP_ACCESS_TOKEN", e.AccessToken, channels.AccessToken),
		secret("WHATSAPP_VERIFY_TOKEN", e.VerifyToken, channels.VerifyToken),
		secret("WHATSAPP_APP_SECRET", e.AppSecret, channels.AppSecret),
		{
			variable: allowUnsigned, given: unsigned,
			get: func(i channels.Integration) channels.Secret {
				if i.WhatsApp.AllowUnsigned {
					return "true"
				}
				return ""
			},
			set: func(i *channels.Integration, v channels.Secret, _ time.Time) {
				i.WhatsApp.AllowUnsigned, _ = strconv.ParseBool(v.Reveal())
			},
		},
	}
}

func (e Environment) telegram() []value {
	return []value{
		secret("TELEGRAM_BOT_TOKEN", e.BotToken, channels.BotToken),
		secret("TELEGRAM_SECRET_TOKEN", e.TelegramSecretToken, channels.WebhookSecret),
	}
}

const allowUnsigned = "WHATSAPP_ALLOW_UNSIGNED"

// anySet says whether there is anything to make an integration of; permission to go unsigned alone is nothing.
func anySet(values []value) bool {
	return slices.ContainsFunc(values, func(v value) bool { return v.given != "" && v.variable != allowUnsigned })
}

// refused reports what somebody else has already, or what is wrong only together; only other errors stop the start.
func refused(err error, log *zap.Logger) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind() != fault.Invalid && f.Kind() != fault.Conflict {
		return err
	}
	log.Error("the environment's values are refused: no integration was made or completed from them", zap.String("fault", f.Message()))
	return nil
}
