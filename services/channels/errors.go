package channels

import "errors"

// Errors of the stores and of the media library.
var (
	// ErrNotFound says that there is no such integration or delivery.
	ErrNotFound = errors.New("not found")
	// ErrMediaNotFound says that there is no such stored file.
	ErrMediaNotFound = errors.New("no such stored file")
	// ErrPhoneNumberTaken says that another integration speaks for this phone_number_id.
	ErrPhoneNumberTaken = errors.New("the phone_number_id belongs to another integration")
	// ErrBotTaken says that another integration is this bot.
	ErrBotTaken = errors.New("the bot belongs to another integration")
	// ErrWebhookSecretTaken says that another integration has this Telegram secret, which must tell the bots apart.
	ErrWebhookSecretTaken = errors.New("the webhook secret belongs to another integration")
)
