// Package command is the command line of knobot: one file per command.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/knobot/knobot/platform/service"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// grammar is every command with its flags.
type grammar struct {
	Up            upCommand            `cmd:"" help:"Start everything on this machine: PostgreSQL, Weaviate, the four services and a simulator."`
	Chat          chatCommand          `cmd:"" help:"Chat as a customer with the simulator, in the terminal."`
	Ask           askCommand           `cmd:"" help:"Ask the knowledge base one question, without any channel."`
	Ingest        ingestCommand        `cmd:"" help:"Put documents into a knowledge base."`
	Documents     documentsCommand     `cmd:"" help:"List or delete the documents of a knowledge base."`
	Sources       sourcesCommand       `cmd:"" help:"List, refresh or delete the web addresses that documents come from."`
	Reindex       reindexCommand       `cmd:"" help:"Make the search index of a knowledge base anew; the old one answers meanwhile."`
	Eval          evalCommand          `cmd:"" help:"Measure how well a knowledge base answers questions whose answers are known."`
	Unanswered    unansweredCommand    `cmd:"" help:"List what customers asked in vain and which documents' answers they disliked."`
	Integrations  integrationsCommand  `cmd:"" help:"Add, change, check and remove WhatsApp numbers and Telegram bots."`
	Media         mediaCommand         `cmd:"" help:"Fetch a stored file, or store one to send."`
	Webhook       webhookCommand       `cmd:"" help:"Set or show a Telegram webhook."`
	Conversations conversationsCommand `cmd:"" help:"List conversations, or end the bot's silence in one."`
	Logs          logsCommand          `cmd:"" help:"List the last webhooks and what became of them."`
	Stats         statsCommand         `cmd:"" help:"Count webhooks by platform."`
	Replay        replayCommand        `cmd:"" help:"Open the dead messages of a webhook again."`
	Doctor        doctorCommand        `cmd:"" help:"Look at everything that KnoBot needs, and say how to cure what is wrong."`
	Keyset        keysetCommand        `cmd:"" aliases:"keys" help:"Make or rotate the keys that seal secrets at rest."`
	Version       versionCommand       `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Run runs one command line and returns the exit code: 0 done, 1 failed, 2 wrong usage.
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
		kong.Bind(streams{in: in, out: out, err: errOut}),
	)
	if err != nil {
		fmt.Fprintln(errOut, "knobot:", err)
		return exitError
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for and printed
		return exited
	}
	if err != nil {
		fmt.Fprintln(errOut, "knobot:", err)
		return exitUsage
	}
	if err := parsed.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(errOut, "knobot:", readable(err))
		return exitError
	}
	return exitOK
}

// versionCommand prints the version.
type versionCommand struct{}

// Run prints it.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "knobot", service.Version())
	return err
}
