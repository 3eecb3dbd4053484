package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/knobot/knobot/cli/internal/present"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// keysetResealCommand seals stored secrets again.
type keysetResealCommand struct {
	DryRun bool `short:"n" help:"Count only."`
}

// Run prints which key seals how many secrets then.
func (c keysetResealCommand) Run(ctx context.Context, s session) error {
	all, err := holders(ctx, s)
	if err != nil {
		return err
	}
	if !c.DryRun {
		if err := reseal(ctx, s, all); err != nil {
			return err
		}
	}
	return showSealing(s, all)
}

// sealing is what ReSealSecrets and ReSealSubscriptionSecrets answer.
type sealing interface {
	GetKeys() []*typev1.SealingKey
	GetReSealedCount() int32
	GetUnreadableCount() int32
}

// holder is a service that keeps sealed secrets. Each may have a keyset of its own.
type holder struct {
	service string
	ask     func(ctx context.Context, conn grpc.ClientConnInterface, countOnly bool) (sealing, error)
	sealing
}

// holders asks each which key seals how many secrets.
func holders(ctx context.Context, s session) ([]*holder, error) {
	all := []*holder{
		{service: "channels", ask: func(ctx context.Context, conn grpc.ClientConnInterface, countOnly bool) (sealing, error) {
			return channelsv1.NewIntegrationServiceClient(conn).ReSealSecrets(ctx, &channelsv1.ReSealSecretsRequest{ValidateOnly: countOnly})
		}},
		{service: "conversation", ask: func(ctx context.Context, conn grpc.ClientConnInterface, countOnly bool) (sealing, error) {
			return conversationv1.NewSubscriptionServiceClient(conn).ReSealSubscriptionSecrets(ctx,
				&conversationv1.ReSealSubscriptionSecretsRequest{ValidateOnly: countOnly})
		}},
	}
	return all, askEach(ctx, s, all, true)
}

// reseal has each seal again what another key than its primary one sealed.
func reseal(ctx context.Context, s session, of []*holder) error { return askEach(ctx, s, of, false) }

func askEach(ctx context.Context, s session, of []*holder, countOnly bool) error {
	return call(ctx, s, func(c grpc.ClientConnInterface) grpc.ClientConnInterface { return c },
		func(ctx context.Context, conn grpc.ClientConnInterface) error {
			for _, h := range of {
				answer, err := h.ask(ctx, conn, countOnly)
				if err != nil {
					return err
				}
				h.sealing = answer
			}
			return nil
		})
}

// showSealing shows which key seals how many secrets of whom.
func showSealing(s session, of []*holder) error {
	list := &structpb.ListValue{}
	t := present.Table{Header: []string{"SERVICE", "KEY", "SECRETS", "IS"}}
	again, unreadable := int32(0), int32(0)
	for _, h := range of {
		again, unreadable = again+h.GetReSealedCount(), unreadable+h.GetUnreadableCount()
		for _, k := range h.GetKeys() {
			is := "opens"
			switch {
			case k.GetPrimary():
				is = "primary"
			case !k.GetKnown():
				is = "not in its keyset"
			}
			t.Add(h.service, k.GetId(), k.GetSecretCount(), is)
			list.Values = append(list.Values, structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"service": structpb.NewStringValue(h.service), "id": structpb.NewNumberValue(float64(k.GetId())),
				"secretCount": structpb.NewNumberValue(float64(k.GetSecretCount())),
				"primary":     structpb.NewBoolValue(k.GetPrimary()), "known": structpb.NewBoolValue(k.GetKnown()),
			}}))
		}
	}
	answer := &structpb.Struct{Fields: map[string]*structpb.Value{
		"keys":          structpb.NewListValue(list),
		"reSealedCount": structpb.NewNumberValue(float64(again)), "unreadableCount": structpb.NewNumberValue(float64(unreadable)),
	}}
	if err := s.show(answer, func() present.Table { return t }); err != nil || s.format != present.AsTable {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%d sealed again, %d that no key opens\n", again, unreadable)
	return err
}

// keysetRotateCommand does one step of a rotation at a time, because a keyset must be everywhere before the next one is safe.
type keysetRotateCommand struct {
	File string `arg:"" type:"existingfile" help:"The keyset that KNOBOT_ENCRYPTION_KEYSET_FILE names. It is changed in place."`
}

// Run compares the file with what the services have and does what comes next.
func (c keysetRotateCommand) Run(ctx context.Context, s session) error {
	handle, err := readKeyset(c.File)
	if err != nil {
		return err
	}
	all, err := holders(ctx, s)
	if err != nil {
		return err
	}
	having, err := thoseWith(handle, all)
	if err != nil {
		return err
	}
	step, err := nextStep(handle, having)
	if err != nil {
		return err
	}
	if step == stepReseal {
		if err := reseal(ctx, s, having); err != nil {
			return err
		}
		if err := showSealing(s, having); err != nil {
			return err
		}
	} else if err := changeFile(c.File, map[rotationStep]keysetChange{stepAdd: addKey, stepPromote: promoteNewest}[step]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, string(step)+"\n", names(having))
	return err
}

// rotationStep is what was done, and what a person does then. %[1]s are the services that have the keyset.
type rotationStep string

const (
	stepAdd     rotationStep = "1 of 3: the file has a new key, which opens and does not seal yet. Give the file to every replica of %[1]s, restart them, and run this again."
	stepPromote rotationStep = "2 of 3: the new key seals. Give the file to every replica of %[1]s, restart them, and run this again."
	stepReseal  rotationStep = "3 of 3: every secret of %[1]s is sealed by the new key. Keep the old one while backups sealed by it may be restored."
)

// thoseWith returns the services that have a key of the file, or have secrets that one sealed.
func thoseWith(file *keyset.Handle, all []*holder) ([]*holder, error) {
	var having []*holder
	for _, h := range all {
		for n := range file.Len() {
			entry, err := file.Entry(n)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(h.GetKeys(), func(k *typev1.SealingKey) bool { return k.GetId() == entry.KeyID() }) {
				having = append(having, h)
				break
			}
		}
	}
	if len(having) == 0 {
		return nil, fmt.Errorf("%s have no key of this file: give it to those whose secrets it seals, restart them, and run this again", names(all))
	}
	return having, nil
}

func names(of []*holder) string {
	var all []string
	for _, h := range of {
		all = append(all, h.service)
	}
	return strings.Join(all, " and ")
}

// nextStep tells from the file and from the keys of the services that have it how far a rotation is.
func nextStep(file *keyset.Handle, having []*holder) (rotationStep, error) {
	newest, err := file.Entry(file.Len() - 1)
	if err != nil {
		return "", err
	}
	outdated := int32(0)
	for _, h := range having {
		known, primary := false, false
		for _, k := range h.GetKeys() {
			switch {
			case k.GetId() != newest.KeyID():
				outdated += k.GetSecretCount()
			default:
				known, primary = k.GetKnown(), k.GetPrimary()
			}
		}
		switch {
		case h.GetUnreadableCount() > 0:
			return "", fmt.Errorf("%d stored secrets do not open with the keyset of %s: restore the one that sealed them first", h.GetUnreadableCount(), h.service)
		case !known:
			return "", fmt.Errorf("%s does not have the newest key of this file: give it the file, restart it, and run this again", h.service)
		case newest.IsPrimary() && !primary:
			return "", fmt.Errorf("%s still seals by an older key: give it this file, restart it, and run this again", h.service)
		}
	}
	switch {
	case !newest.IsPrimary():
		return stepPromote, nil
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
