package channels

import "context"

// CredentialError says what is wrong with credentials that a provider was shown, and what to do about it. It holds no secret.
type CredentialError struct {
	// Reason is stable, for programs.
	Reason string
	// Problem and Cure are for people.
	Problem, Cure string
}

// Reasons of a CredentialError.
const (
	// ReasonPhoneNumberAsID says that a phone number stands where Meta's id of the number belongs.
	ReasonPhoneNumberAsID = "PHONE_NUMBER_AS_ID"
	// ReasonPhoneNumberIDUnknown says that the token sees no number with this id.
	ReasonPhoneNumberIDUnknown = "PHONE_NUMBER_ID_UNKNOWN"
	// ReasonAccessTokenRefused says that Meta does not take the access token.
	ReasonAccessTokenRefused = "ACCESS_TOKEN_REFUSED"
	// ReasonPermissionMissing says that the access token may not use the number.
	ReasonPermissionMissing = "PERMISSION_MISSING"
	// ReasonBotTokenRefused says that Telegram does not take the bot token.
	ReasonBotTokenRefused = "BOT_TOKEN_REFUSED"
)

// Error returns problem and cure.
func (e *CredentialError) Error() string { return e.Problem + ": " + e.Cure }

// CredentialChecker shows credentials to their provider, which changes nothing there.
type CredentialChecker interface {
	// CheckCredentials returns a *CredentialError for credentials that the provider refuses, and a *SendError if it could not
	// be asked or gave an answer that says nothing about them.
	CheckCredentials(ctx context.Context, c Credentials) error
}
