package simulator

// Number is a WhatsApp business phone number: POST /simulator/v1/numbers.
// Secrets go in and never come out again.
type Number struct {
	ID           string `json:"id"`
	DisplayPhone string `json:"display_phone,omitempty"`
	BusinessID   string `json:"business_id,omitempty"`
	AccessToken  string `json:"access_token,omitempty"`
	VerifyToken  string `json:"verify_token,omitempty"`
	AppSecret    string `json:"app_secret,omitempty"`
	// WebhookURL is where events go; the simulator's default when empty.
	WebhookURL string `json:"webhook_url,omitempty"`
	// Templates lists the approved ones as name/language. Empty approves all.
	Templates []string `json:"templates,omitempty"`
	// Limits enforces Meta's rates: 80 messages a second for the number, and to
	// one customer one in six seconds with a burst of 45.
	Limits bool `json:"limits,omitempty"`
}

// Public is the number without its secrets.
func (n Number) Public() Number {
	n.AccessToken, n.VerifyToken, n.AppSecret = "", "", ""
	return n
}

// Bot is a Telegram bot: POST /simulator/v1/bots. Its id is the part of the
// token before the colon.
type Bot struct {
	ID          string `json:"id"`
	Token       string `json:"token,omitempty"`
	Name        string `json:"name,omitempty"`
	Username    string `json:"username,omitempty"`
	WebhookURL  string `json:"webhook_url,omitempty"`
	SecretToken string `json:"secret_token,omitempty"`
	// Limits enforces Telegram's rates: 30 messages a second for the bot and one
	// a second to one chat.
	Limits bool `json:"limits,omitempty"`
}

// Public is the bot without its secrets.
func (b Bot) Public() Bot {
	b.Token, b.SecretToken = "", ""
	return b
}

// Accounts lists what the simulator imitates.
type Accounts struct {
	Numbers []Number `json:"numbers"`
	Bots    []Bot    `json:"bots"`
}
