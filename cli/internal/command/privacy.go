package command

import (
	"context"
	"errors"
	"io"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// usersExportCommand hands out what is kept of a customer.
type usersExportCommand struct {
	ID   string `arg:"" help:"The customer's id, as knobot users prints it."`
	File string `short:"o" type:"path" help:"Write into this file instead of the standard output."`
}

// Run writes one JSON document. One that breaks off leaves no file.
func (c usersExportCommand) Run(ctx context.Context, s session) error {
	return onUsers(ctx, s, func(ctx context.Context, users conversationv1.UserServiceClient) error {
		stream, err := users.ExportUser(ctx, &conversationv1.ExportUserRequest{Id: c.ID})
		if err != nil {
			return err
		}
		receive := func(w io.Writer) error {
			for {
				piece, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if _, err := w.Write(piece.GetBody().GetData()); err != nil {
					return err
				}
			}
		}
		if c.File == "" {
			return receive(s.out)
		}
		return writeFile(c.File, receive)
	})
}

// usersEraseCommand erases a customer.
type usersEraseCommand struct {
	ID  string `arg:"" help:"The customer's id, as knobot users prints it."`
	Yes bool   `help:"Really: it cannot be undone."`
}

// Run begins it; the rest is done in the background.
func (c usersEraseCommand) Run(ctx context.Context, s session) error {
	if !c.Yes {
		return errors.New("this erases the customer everywhere and cannot be undone: add --yes")
	}
	return onUsers(ctx, s, func(ctx context.Context, users conversationv1.UserServiceClient) error {
		r, err := users.DeleteUser(ctx, &conversationv1.DeleteUserRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "being erased; knobot users erasure %s says when nothing is left", c.ID)
	})
}

// usersErasureCommand tells how far an erasure came.
type usersErasureCommand struct {
	ID string `arg:"" help:"The erased customer's id."`
}

// Run shows it.
func (c usersErasureCommand) Run(ctx context.Context, s session) error {
	return onUsers(ctx, s, func(ctx context.Context, users conversationv1.UserServiceClient) error {
		r, err := users.GetErasure(ctx, &conversationv1.GetErasureRequest{UserId: c.ID})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table {
			e := r.GetErasure()
			t := present.Table{Header: []string{"CUSTOMER", "STATE", "ASKED", "DONE", "FAILURES", "ERROR"}}
			t.Add(e.GetUserId(), word(e.GetState().String(), "STATE_"), moment(e.GetCreateTime()), moment(e.GetDoneTime()), e.GetFailures(), e.GetError())
			return t
		})
	})
}
