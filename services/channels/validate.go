package channels

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Rules say which credentials can be right.
type Rules struct {
	// AnyBotToken takes short bot tokens such as 123456:TEST, which Bot API emulators use and Telegram never gives.
	AnyBotToken bool
}

// InvalidError lists everything that is wrong with an integration, by field. It holds no secret.
type InvalidError struct{ Violations []string }

// Error joins the violations.
func (e *InvalidError) Error() string { return strings.Join(e.Violations, "; ") }

func (e *InvalidError) add(field, format string, a ...any) {
	e.Violations = append(e.Violations, field+": "+fmt.Sprintf(format, a...))
}

var (
	phoneNumberID = regexp.MustCompile(`^[0-9]{5,20}$`)
	accountID     = regexp.MustCompile(`^[0-9]{0,20}$`)
	// Tokens as BotFather hands them out: the bot's id, a colon, 35 characters
	// (https://core.telegram.org/bots/api#authorizing-your-bot, read 2026-11-23).
	botToken = regexp.MustCompile(`^[0-9]{1,18}:[A-Za-z0-9_-]{30,200}$`)
	anyToken = regexp.MustCompile(`^[0-9]{1,18}:[A-Za-z0-9_-]{1,200}$`)
	// https://core.telegram.org/bots/api#setwebhook, read 2026-11-23.
	webhookSecret    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	languageTag      = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)
	knowledgeBase    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	templateName     = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	templateLanguage = regexp.MustCompile(`^[a-z]{2,3}(_[A-Za-z]{2,4})?$`)
)

// Normalize removes the blanks that stick to pasted ids (SetSecret does it for secrets), takes the bot's id from its token and makes a webhook
// secret for a bot that has none. Call it after every edit and before Validate.
func (i *Integration) Normalize(now time.Time) {
	i.Name = strings.TrimSpace(i.Name)
	i.WhatsApp.PhoneNumberID = strings.TrimSpace(i.WhatsApp.PhoneNumberID)
	i.WhatsApp.BusinessAccountID = strings.TrimSpace(i.WhatsApp.BusinessAccountID)
	if i.Platform != Telegram {
		return
	}
	if i.Secret(WebhookSecret) == "" && !i.Unreadable {
		i.SetSecret(WebhookSecret, NewWebhookSecret(), now)
	}
	if token := i.Secret(BotToken); token != "" {
		if id := botID(token); id != i.Telegram.BotID {
			i.Telegram = TelegramConfig{BotID: id}
		}
	}
}

func botID(token Secret) int64 {
	digits, _, _ := strings.Cut(token.Reveal(), ":")
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// Validate returns an *InvalidError that names every field that cannot be right. What is merely missing is no fault: it
// makes the integration incomplete.
func (i Integration) Validate(rules Rules) error {
	var e InvalidError
	if n := utf8.RuneCountInString(i.Name); n < 1 || n > 100 || hasControl(i.Name) {
		e.add("name", "needs 1 to 100 characters without line breaks")
	}
	switch i.Platform {
	case WhatsApp:
		i.validateWhatsApp(&e)
	case Telegram:
		i.validateTelegram(&e, rules)
	default:
		e.add("platform", "whatsapp or telegram is needed")
	}
	i.validateFields(&e)
	i.Settings.validate(&e)
	if len(e.Violations) > 0 {
		return &e
	}
	return nil
}

// validateFields refuses what belongs to the other platform.
func (i Integration) validateFields(e *InvalidError) {
	for _, s := range i.Secrets {
		if p := s.Field.platform(); p != i.Platform {
			e.add(string(p)+"."+string(s.Field), "the integration is not of that platform")
		}
	}
	if i.Platform != WhatsApp && i.WhatsApp != (WhatsAppConfig{}) {
		e.add("whatsapp", "the integration is not of that platform")
	}
}

func (i Integration) validateWhatsApp(e *InvalidError) {
	switch id := i.WhatsApp.PhoneNumberID; {
	case strings.HasPrefix(id, "+"):
		e.add("whatsapp.phone_number_id", "this looks like a phone number; Meta's id of the number is needed (WhatsApp > API Setup > Phone number ID)")
	case id != "" && !phoneNumberID.MatchString(id):
		e.add("whatsapp.phone_number_id", "5 to 20 digits are needed")
	}
	if !accountID.MatchString(i.WhatsApp.BusinessAccountID) {
		e.add("whatsapp.waba_id", "at most 20 digits")
	}
	for _, f := range []SecretField{AccessToken, VerifyToken, AppSecret} {
		if s := i.Secret(f).Reveal(); len(s) > 4096 || !utf8.ValidString(s) || hasControl(s) {
			e.add("whatsapp."+string(f), "at most 4096 bytes of text without line breaks")
		}
	}
	if strings.Contains(i.Secret(AccessToken).Reveal(), " ") {
		e.add("whatsapp.access_token", "holds a blank")
	}
}

func (i Integration) validateTelegram(e *InvalidError, rules Rules) {
	form := botToken
	if rules.AnyBotToken {
		form = anyToken
	}
	if t := i.Secret(BotToken).Reveal(); t != "" && (!form.MatchString(t) || i.Telegram.BotID == 0) {
		e.add("telegram.bot_token", "a token as BotFather gives it is needed: digits, a colon and 35 characters")
	}
	if s := i.Secret(WebhookSecret).Reveal(); s != "" && !webhookSecret.MatchString(s) {
		e.add("telegram.webhook_secret", "1 to 256 characters of A-Z, a-z, 0-9, _ and - are needed")
	}
}

func (s Settings) validate(e *InvalidError) {
	if !knowledgeBase.MatchString(s.KnowledgeBase) {
		e.add("settings.knowledge_base", "1 to 63 of A-Z, a-z, 0-9, dot, _ and - are needed")
	}
	if !languageTag.MatchString(s.Language) {
		e.add("settings.language", "a language tag such as es or pt-BR is needed")
	}
	if s.TopK < 1 || s.TopK > 20 {
		e.add("settings.top_k", "1 to 20")
	}
	if utf8.RuneCountInString(s.HumanContact) > 500 || hasControl(s.HumanContact) {
		e.add("settings.human_contact", "at most 500 characters without line breaks")
	}
	if s.Debounce != nil && (*s.Debounce < 0 || *s.Debounce > time.Minute) {
		e.add("settings.debounce", "0 s to 60 s")
	}
	if s.StaleAfter != nil && (*s.StaleAfter < time.Second || *s.StaleAfter > 30*24*time.Hour) {
		e.add("settings.stale_after", "1 s to 30 days")
	}
	if s.StaffPause != nil && (*s.StaffPause < 0 || *s.StaffPause > 7*24*time.Hour) {
		e.add("settings.staff_pause", "0 s to 7 days")
	}
	s.WindowTemplate.validate(e)
	s.Retention.validate(e)
	s.Limits.validate(e)
}

// validate keeps a slip of the unit from removing everything at once.
func (r Retention) validate(e *InvalidError) {
	for field, keep := range map[string]*time.Duration{
		"messages": r.Messages, "media": r.Media, "webhook_payloads": r.WebhookPayloads,
	} {
		if keep != nil && (*keep < time.Hour || *keep > 100*365*24*time.Hour) {
			e.add("settings.retention."+field, "1 hour to 100 years")
		}
	}
}

func (l CustomerLimits) validate(e *InvalidError) {
	for field, limit := range map[string]*int32{"hourly": l.Hourly, "daily": l.Daily} {
		if limit != nil && (*limit < 0 || *limit > maxCustomerLimit) {
			e.add("settings.customer_limits."+field, "0 to %d", maxCustomerLimit)
		}
	}
}

// maxCustomerLimit is as far as one looks back.
const maxCustomerLimit = 10_000

func (t *WindowTemplate) validate(e *InvalidError) {
	if t == nil {
		return
	}
	if !templateName.MatchString(t.Name) {
		e.add("settings.window_template.name", "1 to 512 of a-z, 0-9 and _ are needed")
	}
	if len(t.Languages) < 1 || len(t.Languages) > 20 {
		e.add("settings.window_template.languages", "1 to 20 language codes are needed")
	}
	for n, l := range t.Languages {
		if !templateLanguage.MatchString(l) { // what stands there instead is not repeated, it may be a secret
			e.add("settings.window_template.languages", "entry %d is no language code such as es or es_MX", n+1)
		}
	}
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
