package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/tink-crypto/tink-go/v2/keyset"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// keysetResealCommand seals stored secrets again.
type keysetResealCommand struct {
	channelsPeer
	DryRun bool `short:"n" help:"Count only."`
}

// Run prints which key seals how many secrets then.
func (c keysetResealCommand) Run(ctx context.Context, s streams) error {
	sealed, err := c.reseal(ctx, c.DryRun)
	if err != nil {
		return err
	}
	return printSealing(s.out, sealed)
}

func (p channelsPeer) reseal(ctx context.Context, countOnly bool) (sealed *channelsv1.ReSealSecretsResponse, err error) {
	err = p.integrations(ctx, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		sealed, err = client.ReSealSecrets(ctx, &channelsv1.ReSealSecretsRequest{ValidateOnly: countOnly})
		return err
	})
	return sealed, err
}

func printSealing(out io.Writer, sealed *channelsv1.ReSealSecretsResponse) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tSECRETS\tIS")
	for _, k := range sealed.GetKeys() {
		is := "opens"
		switch {
		case k.GetPrimary():
			is = "primary"
		case !k.GetKnown():
			is = "not in the keyset of channels"
		}
		fmt.Fprintf(w, "%d\t%d\t%s\n", k.GetId(), k.GetSecretCount(), is)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d sealed again, %d that no key opens\n", sealed.GetReSealedCount(), sealed.GetUnreadableCount())
	return err
}

// keysetRotateCommand does one step of a rotation at a time, because a keyset must be everywhere before the next one is safe.
type keysetRotateCommand struct {
	channelsPeer
	File string `arg:"" type:"existingfile" help:"The keyset that KNOBOT_ENCRYPTION_KEYSET_FILE names. It is changed in place."`
}

// Run compares the file with what channels has and does what comes next.
func (c keysetRotateCommand) Run(ctx context.Context, s streams) error {
	handle, err := readKeyset(c.File)
	if err != nil {
		return err
	}
	sealed, err := c.reseal(ctx, true)
	if err != nil {
		return err
	}
	step, err := nextStep(handle, sealed)
	if err != nil {
		return err
	}
	if step == stepReseal {
		if sealed, err = c.reseal(ctx, false); err != nil {
			return err
		}
		if err := printSealing(s.out, sealed); err != nil {
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
	stepReseal  rotationStep = "3 of 3: every stored secret is sealed by the new key. Keep the old one while backups sealed by it may be restored."
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
