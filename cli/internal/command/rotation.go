package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/knobot/knobot/cli/internal/present"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// keysetResealCommand seals stored secrets again.
type keysetResealCommand struct {
	DryRun bool `short:"n" help:"Count only."`
}

// Run prints which key seals how many secrets then.
func (c keysetResealCommand) Run(ctx context.Context, s session) error {
	sealed, err := reseal(ctx, s, c.DryRun)
	if err != nil {
		return err
	}
	return showSealing(s, sealed)
}

func reseal(ctx context.Context, s session, countOnly bool) (sealed *channelsv1.ReSealSecretsResponse, err error) {
	err = onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		sealed, err = client.ReSealSecrets(ctx, &channelsv1.ReSealSecretsRequest{ValidateOnly: countOnly})
		return err
	})
	return sealed, err
}

// showSealing shows which key seals how many secrets.
func showSealing(s session, sealed *channelsv1.ReSealSecretsResponse) error {
	err := s.show(sealed, func() present.Table {
		t := present.Table{Header: []string{"KEY", "SECRETS", "IS"}}
		for _, k := range sealed.GetKeys() {
			is := "opens"
			switch {
			case k.GetPrimary():
				is = "primary"
			case !k.GetKnown():
				is = "not in the keyset of channels"
			}
			t.Add(k.GetId(), k.GetSecretCount(), is)
		}
		return t
	})
	if err != nil || s.format != present.AsTable {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d sealed again, %d that no key opens\n", sealed.GetReSealedCount(), sealed.GetUnreadableCount())
	return err
}

// keysetRotateCommand does one step of a rotation at a time, because a keyset must be everywhere before the next one is safe.
type keysetRotateCommand struct {
	File string `arg:"" type:"existingfile" help:"The keyset that KNOBOT_ENCRYPTION_KEYSET_FILE names. It is changed in place."`
}

// Run compares the file with what channels has and does what comes next.
func (c keysetRotateCommand) Run(ctx context.Context, s session) error {
	handle, err := readKeyset(c.File)
	if err != nil {
		return err
	}
	sealed, err := reseal(ctx, s, true)
	if err != nil {
		return err
	}
	step, err := nextStep(handle, sealed)
	if err != nil {
		return err
	}
	if step == stepReseal {
		if sealed, err = reseal(ctx, s, false); err != nil {
			return err
		}
		if err := showSealing(s, sealed); err != nil {
			return err
		}
	} else if err := changeFile(c.File, map[rotationStep]keysetChange{stepAdd: addKey, stepPromote: promoteNewest}[step]); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, step)
	return err
}

// rotationStep is what was done, and what a person does then.
type rotationStep string

const (
	stepAdd     rotationStep = "1 of 3: the file has a new key, which opens and does not seal yet. Give the file to every replica of channels, restart them, and run this again."
	stepPromote rotationStep = "2 of 3: the new key seals. Give the file to every replica of channels, restart them, and run this again."
	stepReseal  rotationStep = "3 of 3: every secret of an integration is sealed by the new key. Keep the old one while backups sealed by it may be restored, and until each subscription has a new secret (knobot subscriptions rotate-secret)."
)

// nextStep tells from the file and from the keys of channels how far a rotation is.
func nextStep(file *keyset.Handle, sealed *channelsv1.ReSealSecretsResponse) (rotationStep, error) {
	newest, err := file.Entry(file.Len() - 1)
	if err != nil {
		return "", err
	}
	known, primary, outdated := false, false, int32(0)
	for _, k := range sealed.GetKeys() {
		switch {
		case k.GetId() != newest.KeyID():
			outdated += k.GetSecretCount()
		default:
			known, primary = k.GetKnown(), k.GetPrimary()
		}
	}
	switch {
	case sealed.GetUnreadableCount() > 0:
		return "", fmt.Errorf("%d stored secrets do not open with the keyset of channels: restore the one that sealed them first", sealed.GetUnreadableCount())
	case !known:
		return "", errors.New("channels does not have the newest key of this file: give it the file, restart it, and run this again")
	case !newest.IsPrimary():
		return stepPromote, nil
	case !primary:
		return "", errors.New("channels still seals by an older key: give it this file, restart it, and run this again")
	case outdated > 0:
		return stepReseal, nil
	default:
		return stepAdd, nil
	}
}

type keysetChange = func(*keyset.Manager, *keyset.Handle) error

// changeFile replaces a keyset file at once: half a keyset opens nothing.
func changeFile(path string, change keysetChange) error {
	var text bytes.Buffer
	if err := changeKeyset(path, &text, change); err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }()
	if _, err := next.Write(text.Bytes()); err != nil {
		return err
	}
	if err := errors.Join(next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
