package channels_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

// complete returns an integration that lacks nothing.
func complete(p channels.Platform) channels.Integration {
	now := time.Now()
	i := channels.Integration{Name: "una", Platform: p, Enabled: true, Settings: channels.DefaultSettings()}
	if p == channels.Telegram {
		i.SetSecret(channels.BotToken, channels.Secret("123456:"+strings.Repeat("A", 35)), now)
	} else {
		i.WhatsApp.PhoneNumberID = "106540352242922"
		i.SetSecret(channels.AccessToken, "EAAG", now)
		i.SetSecret(channels.VerifyToken, "verify", now)
		i.SetSecret(channels.AppSecret, "app", now)
	}
	i.Normalize(now)
	return i
}

func TestState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit   func(i *channels.Integration)
		want   channels.State
		reason string
	}{
		"complete":          {func(*channels.Integration) {}, channels.StateEnabled, ""},
		"off":               {func(i *channels.Integration) { i.Enable(false) }, channels.StateDisabled, ""},
		"stopped":           {func(i *channels.Integration) { i.StopReason = "token expired" }, channels.StateStopped, "token expired"},
		"on again":          {func(i *channels.Integration) { i.StopReason = "token expired"; i.Enable(true) }, channels.StateEnabled, ""},
		"off beats stopped": {func(i *channels.Integration) { i.StopReason = "x"; i.Enable(false) }, channels.StateDisabled, ""},
		"no app secret": {
			func(i *channels.Integration) {
				i.SetSecret(channels.AppSecret, "", time.Now())
				i.Secrets = i.Secrets[:2]
			},
			channels.StateIncomplete, "whatsapp.app_secret",
		},
		"no number":  {func(i *channels.Integration) { i.WhatsApp.PhoneNumberID = "" }, channels.StateIncomplete, "whatsapp.phone_number_id"},
		"deleted":    {func(i *channels.Integration) { i.DeleteTime = time.Now(); i.Enabled = false }, channels.StateDeleted, ""},
		"unreadable": {func(i *channels.Integration) { i.Unreadable = true }, channels.StateIncomplete, "KNOBOT_ENCRYPTION_KEYSET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := complete(channels.WhatsApp)
			c.edit(&i)
			state, reason := i.State()
			require.Equal(t, c.want, state)
			require.Contains(t, reason, c.reason)
			require.Equal(t, c.reason == "", reason == "")
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	secret := func(f channels.SecretField, v string) func(i *channels.Integration) {
		return func(i *channels.Integration) { i.SetSecret(f, channels.Secret(v), time.Now()) }
	}
	minute, month := time.Hour, 31*24*time.Hour
	for name, c := range map[string]struct {
		platform channels.Platform
		edit     func(i *channels.Integration)
		field    string // empty for valid
	}{
		"whatsapp":                  {channels.WhatsApp, func(*channels.Integration) {}, ""},
		"telegram":                  {channels.Telegram, func(*channels.Integration) {}, ""},
		"no name":                   {channels.WhatsApp, func(i *channels.Integration) { i.Name = " " }, "name"},
		"long name":                 {channels.WhatsApp, func(i *channels.Integration) { i.Name = strings.Repeat("ñ", 101) }, "name"},
		"name of 100 characters":    {channels.WhatsApp, func(i *channels.Integration) { i.Name = strings.Repeat("ñ", 100) }, ""},
		"line break in name":        {channels.WhatsApp, func(i *channels.Integration) { i.Name = "a\nb" }, "name"},
		"number instead of its id":  {channels.WhatsApp, func(i *channels.Integration) { i.WhatsApp.PhoneNumberID = "+573001234567" }, "whatsapp.phone_number_id"},
		"letters in number id":      {channels.WhatsApp, func(i *channels.Integration) { i.WhatsApp.PhoneNumberID = "10654a" }, "whatsapp.phone_number_id"},
		"pasted number id":          {channels.WhatsApp, func(i *channels.Integration) { i.WhatsApp.PhoneNumberID = " 106540352242922\n" }, ""},
		"path in waba id":           {channels.WhatsApp, func(i *channels.Integration) { i.WhatsApp.BusinessAccountID = "../1" }, "whatsapp.waba_id"},
		"blank in access token":     {channels.WhatsApp, secret(channels.AccessToken, "EAAG x"), "whatsapp.access_token"},
		"line break in app secret":  {channels.WhatsApp, secret(channels.AppSecret, "a\nb"), "whatsapp.app_secret"},
		"bot token at WhatsApp":     {channels.WhatsApp, secret(channels.BotToken, "1:x"), "telegram.bot_token"},
		"access token at Telegram":  {channels.Telegram, secret(channels.AccessToken, "EAAG"), "whatsapp.access_token"},
		"number at Telegram":        {channels.Telegram, func(i *channels.Integration) { i.WhatsApp.PhoneNumberID = "12345" }, "whatsapp"},
		"short bot token":           {channels.Telegram, secret(channels.BotToken, "123456:TEST"), "telegram.bot_token"},
		"path in bot token":         {channels.Telegram, secret(channels.BotToken, "1:"+strings.Repeat("a", 30)+"/../x"), "telegram.bot_token"},
		"bot token without a bot":   {channels.Telegram, secret(channels.BotToken, "0:"+strings.Repeat("a", 35)), "telegram.bot_token"},
		"blank in webhook secret":   {channels.Telegram, secret(channels.WebhookSecret, "a b"), "telegram.webhook_secret"},
		"long webhook secret":       {channels.Telegram, secret(channels.WebhookSecret, strings.Repeat("a", 257)), "telegram.webhook_secret"},
		"longest webhook secret":    {channels.Telegram, secret(channels.WebhookSecret, strings.Repeat("a", 256)), ""},
		"no passages":               {channels.WhatsApp, func(i *channels.Integration) { i.Settings.TopK = 0 }, "settings.top_k"},
		"most passages":             {channels.WhatsApp, func(i *channels.Integration) { i.Settings.TopK = 20 }, ""},
		"language in words":         {channels.WhatsApp, func(i *channels.Integration) { i.Settings.Language = "español" }, "settings.language"},
		"language with region":      {channels.WhatsApp, func(i *channels.Integration) { i.Settings.Language = "pt-BR" }, ""},
		"path in knowledge base":    {channels.WhatsApp, func(i *channels.Integration) { i.Settings.KnowledgeBase = "../x" }, "settings.knowledge_base"},
		"long debounce":             {channels.WhatsApp, func(i *channels.Integration) { i.Settings.Debounce = &minute }, "settings.debounce"},
		"long staff pause":          {channels.WhatsApp, func(i *channels.Integration) { i.Settings.StaffPause = &month }, "settings.staff_pause"},
		"long staleness":            {channels.WhatsApp, func(i *channels.Integration) { i.Settings.StaleAfter = &month }, "settings.stale_after"},
		"contact with line break":   {channels.WhatsApp, func(i *channels.Integration) { i.Settings.HumanContact = "a\nb" }, "settings.human_contact"},
		"template without language": {channels.WhatsApp, func(i *channels.Integration) { i.Settings.WindowTemplate = &channels.WindowTemplate{Name: "x"} }, "settings.window_template"},
		"template": {channels.WhatsApp, func(i *channels.Integration) {
			i.Settings.WindowTemplate = &channels.WindowTemplate{Name: "bienvenida", Languages: []string{"es_MX", "es"}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := complete(c.platform)
			c.edit(&i)
			i.Normalize(time.Now())
			err := i.Validate(channels.Rules{})
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			var invalid *channels.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.True(t, strings.HasPrefix(err.Error(), c.field), err)
		})
	}
}

func TestNewBotTokenForgetsTheName(t *testing.T) {
	t.Parallel()
	i := complete(channels.Telegram)
	i.Telegram.BotUsername = "uno_bot"
	i.SetSecret(channels.BotToken, channels.Secret("123456:"+strings.Repeat("B", 35)), time.Now())
	i.Normalize(time.Now())
	require.Equal(t, "uno_bot", i.Telegram.BotUsername, "a revoked token's successor is the same bot")
	i.SetSecret(channels.BotToken, channels.Secret("777:"+strings.Repeat("B", 35)), time.Now())
	i.Normalize(time.Now())
	require.Equal(t, channels.TelegramConfig{BotID: 777}, i.Telegram)
}
