// Package command is the command line of knobot: one file per command.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/knobot/knobot/cli/internal/present"
	"github.com/knobot/knobot/platform/service"
)

// grammar is every command with its flags.
type grammar struct {
	server
	Format present.Format `name:"output" enum:"table,json,yaml" default:"table" help:"How answers are shown: table, json or yaml."`

	Up            upCommand                 `cmd:"" group:"Start" help:"Start everything on this machine: PostgreSQL, Weaviate, the four services and a simulator."`
	Chat          chatCommand               `cmd:"" group:"Start" help:"Chat as a customer with the simulator, in the terminal."`
	Integrations  integrationsCommand       `cmd:"" group:"Channels" help:"Add, change, check and remove WhatsApp numbers and Telegram bots."`
	Webhook       webhookCommand            `cmd:"" group:"Channels" help:"Set or show a Telegram webhook."`
	Media         mediaCommand              `cmd:"" group:"Channels" help:"Fetch a stored file, or store one to send."`
	Ask           askCommand                `cmd:"" group:"Knowledge" help:"Ask the knowledge base one question, without any channel."`
	Ingest        ingestCommand             `cmd:"" group:"Knowledge" help:"Put documents into a knowledge base."`
	Documents     documentsCommand          `cmd:"" group:"Knowledge" help:"List or delete the documents of a knowledge base."`
	Sources       sourcesCommand            `cmd:"" group:"Knowledge" help:"List, refresh or delete the web addresses that documents come from."`
	Reindex       reindexCommand            `cmd:"" group:"Knowledge" help:"Make the search index of a knowledge base anew; the old one answers meanwhile."`
	Eval          evalCommand               `cmd:"" group:"Knowledge" help:"Measure how well a knowledge base answers questions whose answers are known."`
	Unanswered    unansweredCommand         `cmd:"" group:"Knowledge" help:"List what customers asked in vain and which documents' answers they disliked."`
	Conversations conversationsCommand      `cmd:"" group:"Customers" help:"List conversations and their messages, answer in one, or hand it to staff and back."`
	Users         usersCommand              `cmd:"" group:"Customers" help:"List customers, hand out what is kept of one, or erase one."`
	Subscriptions subscriptionsCommand      `cmd:"" group:"Operation" help:"Tell other programs what happens, by signed webhooks."`
	Logs          logsCommand               `cmd:"" group:"Operation" help:"List the last webhooks and what became of them."`
	Stats         statsCommand              `cmd:"" group:"Operation" help:"Count webhooks by platform."`
	Usage         usageCommand              `cmd:"" group:"Operation" help:"Show what language models wrote and cost, by day."`
	Replay        replayCommand             `cmd:"" group:"Operation" help:"Open the dead messages of a webhook again."`
	Doctor        doctorCommand             `cmd:"" group:"Operation" help:"Look at everything that KnoBot needs, and say how to cure what is wrong."`
	Keys          keysCommand               `cmd:"" group:"Settings" help:"Make, list, rotate or revoke the keys of the management API."`
	Audit         auditCommand              `cmd:"" group:"Settings" help:"List who changed what over the management API."`
	Profile       profileCommand            `cmd:"" group:"Settings" help:"Keep addresses of servers and keys to them."`
	Keyset        keysetCommand             `cmd:"" group:"Settings" help:"Make or rotate the keys that seal secrets at rest."`
	Completion    kongcompletion.Completion `cmd:"" group:"Settings" help:"Print the completion for bash, zsh or fish."`
	Version       versionCommand            `cmd:"" group:"Settings" help:"Print the version."`
}

// Run runs one command line and returns the exit code, 0 for done.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	exited := -1
	var g grammar
	parser, err := kong.New(&g,
		kong.Name("knobot"),
		kong.Description("KnoBot answers customers on WhatsApp and Telegram from the company's own documents."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(errOut, "knobot:", err)
		return exitError
	}
	kongcompletion.Register(parser)
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for and printed
		return exited
	}
	if err != nil {
		fmt.Fprintln(errOut, "knobot:", err)
		return exitUsage
	}
	err = parsed.Run(session{in: in, out: out, err: errOut, format: g.Format, server: g.server})
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(errOut, "knobot:", readable(err))
		return exitCode(err)
	}
	return exitOK
}

// versionCommand prints the version.
type versionCommand struct{}

// Run prints it.
func (versionCommand) Run(s session) error {
	_, err := fmt.Fprintln(s.out, "knobot", service.Version())
	return err
}
