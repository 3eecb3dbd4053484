package integration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// entryTimeout is how long a person waits at most for a provider's word on what was entered.
const entryTimeout = 8 * time.Second

// Entered is an integration that a person entered or changed.
type Entered struct {
	channels.Integration
	// Unchecked says why the provider could not be asked about the credentials, empty if it was not to be or said yes.
	Unchecked string
}

// Enter is Create after the provider was shown the credentials, unless skip is set. Those that it refuses are a fault of kind
// Invalid and nothing is stored; a provider that is away stops nobody.
func (s *Service) Enter(ctx context.Context, p channels.Platform, edit Edit, skip bool) (Entered, error) {
	draft, err := s.draft(p, edit)
	if err != nil {
		return Entered{}, err
	}
	unchecked, err := s.show(ctx, draft, skip)
	if err != nil {
		return Entered{}, err
	}
	stored, err := s.store.Create(ctx, draft)
	return Entered{stored, unchecked}, asFault(err)
}

// Amend is Update after the provider was shown the credentials, if they change.
func (s *Service) Amend(ctx context.Context, id string, edits []Edit, skip bool) (Entered, error) {
	unchecked, err := s.showChanged(ctx, id, edits, skip)
	if err != nil {
		return Entered{}, err
	}
	stored, err := s.Update(ctx, id, edits)
	return Entered{stored, unchecked}, err
}

// showChanged applies the edits to a copy; what is wrong with them otherwise is for Update to say.
func (s *Service) showChanged(ctx context.Context, id string, edits []Edit, skip bool) (string, error) {
	if uuid.Validate(id) != nil {
		return "", asFault(channels.ErrNotFound)
	}
	before, err := s.Get(ctx, id)
	if err != nil {
		return "", err
	}
	after := before
	after.Secrets = slices.Clone(before.Secrets)
	for _, edit := range edits {
		edit(&after, time.Now())
	}
	if s.check(&after, time.Now()) != nil || after.Credentials() == before.Credentials() {
		return "", nil
	}
	return s.show(ctx, after, skip)
}

// show asks the provider about complete credentials.
func (s *Service) show(ctx context.Context, i channels.Integration, skip bool) (unchecked string, err error) {
	examiner := s.config.Examiners[i.Platform]
	if skip || examiner == nil || !askable(i) {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, entryTimeout)
	defer cancel()
	err = examiner.CheckCredentials(ctx, i.Credentials())
	if refused, ok := errors.AsType[*channels.CredentialError](err); ok {
		return "", fault.New(fault.Invalid, refused.Reason, refused.Error())
	}
	if failed, ok := errors.AsType[*channels.SendError](err); ok {
		return failed.Message, nil
	}
	return "", err
}

// askable says that there is enough to ask with.
func askable(i channels.Integration) bool {
	if i.Platform == channels.Telegram {
		return i.Secret(channels.BotToken) != ""
	}
	return i.WhatsApp.PhoneNumberID != "" && i.Secret(channels.AccessToken) != ""
}
