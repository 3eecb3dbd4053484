package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// keysetCommand makes the keys that seal secrets at rest, and rotates them: a key is added, rolled out everywhere so that all can
// open what it seals, and only then made the one that seals.
type keysetCommand struct {
	New     keysetNewCommand     `cmd:"" help:"Print a new keyset for KNOBOT_ENCRYPTION_KEYSET, on one line."`
	Add     keysetAddCommand     `cmd:"" help:"Print a keyset with one key more, which opens and does not seal yet."`
	Promote keysetPromoteCommand `cmd:"" help:"Print a keyset whose newest key seals; the others go on opening."`
	Reseal  keysetResealCommand  `cmd:"" help:"Seal every stored secret again that another key than the primary one sealed."`
	Rotate  keysetRotateCommand  `cmd:"" help:"Do the next step of a rotation on a keyset file, and say what comes then."`
}

type keysetNewCommand struct{}

// Run prints it.
func (keysetNewCommand) Run(s session) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	return printKeyset(s.out, handle)
}

type keysetAddCommand struct {
	File string `arg:"" type:"existingfile" help:"The keyset as it is."`
}

// Run prints the keyset with the new key.
func (c keysetAddCommand) Run(s session) error {
	return changeKeyset(c.File, s.out, addKey)
}

func addKey(m *keyset.Manager, _ *keyset.Handle) error {
	_, err := m.Add(aead.AES256GCMKeyTemplate())
	return err
}

type keysetPromoteCommand struct {
	File string `arg:"" type:"existingfile" help:"The keyset that was rolled out."`
}

// Run prints the keyset with its last key as the primary one.
func (c keysetPromoteCommand) Run(s session) error {
	return changeKeyset(c.File, s.out, promoteNewest)
}

func promoteNewest(m *keyset.Manager, h *keyset.Handle) error {
	newest, err := h.Entry(h.Len() - 1)
	if err != nil {
		return err
	}
	return m.SetPrimary(newest.KeyID())
}

func readKeyset(path string) (*keyset.Handle, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the person names the file
	if err != nil {
		return nil, err
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("the file holds no Tink keyset in JSON") // Tink's message may quote it
	}
	return handle, nil
}

func changeKeyset(path string, out io.Writer, change func(*keyset.Manager, *keyset.Handle) error) error {
	handle, err := readKeyset(path)
	if err != nil {
		return err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := change(manager, handle); err != nil {
		return err
	}
	if handle, err = manager.Handle(); err != nil {
		return err
	}
	return printKeyset(out, handle)
}

// printKeyset writes one line, as files of NAME=value want it.
func printKeyset(out io.Writer, handle *keyset.Handle) error {
	var text, line bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return err
	}
	if err := json.Compact(&line, text.Bytes()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, line.String())
	return err
}
