package command

import (
	"context"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// usersCommand looks after customers.
type usersCommand struct {
	List    usersListCommand    `cmd:"" default:"withargs" help:"List customers, newest first."`
	Get     usersGetCommand     `cmd:"" help:"Show one."`
	Export  usersExportCommand  `cmd:"" help:"Write everything that is kept of one as a JSON document."`
	Erase   usersEraseCommand   `cmd:"" help:"Erase one everywhere."`
	Erasure usersErasureCommand `cmd:"" help:"Show how far the erasure of one came."`
}

// onUsers calls f with the service.
func onUsers(ctx context.Context, s session, f func(context.Context, conversationv1.UserServiceClient) error) error {
	return call(ctx, s, conversationv1.NewUserServiceClient, f)
}

// usersListCommand lists customers.
type usersListCommand struct {
	Integration string `placeholder:"ID" help:"Only those of this number or bot."`
	Platform    string `enum:"whatsapp,telegram," default:"" help:"Only this platform's: whatsapp or telegram."`
	Limit       int32  `short:"n" default:"10" help:"How many, at most 1000."`
}

// Run prints one line per customer.
func (c usersListCommand) Run(ctx context.Context, s session) error {
	return onUsers(ctx, s, func(ctx context.Context, users conversationv1.UserServiceClient) error {
		r, err := users.ListUsers(ctx, &conversationv1.ListUsersRequest{
			IntegrationId: c.Integration, Platform: platformOf(c.Platform), PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return userTable(r.GetUsers()...) })
	})
}

// usersGetCommand shows a customer.
type usersGetCommand struct {
	ID string `arg:"" help:"The customer's id, as knobot users prints it."`
}

// Run shows one.
func (c usersGetCommand) Run(ctx context.Context, s session) error {
	return onUsers(ctx, s, func(ctx context.Context, users conversationv1.UserServiceClient) error {
		r, err := users.GetUser(ctx, &conversationv1.GetUserRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return userTable(r.GetUser()) })
	})
}

func userTable(list ...*conversationv1.User) present.Table {
	t := present.Table{Header: []string{"ID", "PLATFORM", "USERNAME", "NAME", "PHONE", "SINCE", "BLOCKED"}}
	for _, u := range list {
		blocked := ""
		if u.GetBlocked() {
			blocked = "blocked"
		}
		t.Add(u.GetId(), platformName(u.GetPlatform()), u.GetUsername(), u.GetDisplayName(), u.GetPhoneNumber(), moment(u.GetCreateTime()), blocked)
	}
	return t
}
