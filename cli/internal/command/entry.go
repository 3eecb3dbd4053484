package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/knobot/knobot/cli/internal/present"
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// maxSecretBytes is more than any token has.
const maxSecretBytes = 8 << 10

// entry is what a person can say of an integration. Secrets come from files, so that they show in no process list.
type entry struct {
	Name          *string `help:"Name for people."`
	KnowledgeBase *string `help:"The knowledge base that it answers from."`
	Language      *string `help:"Language of its own sentences: es, en, pt."`
	HumanContact  *string `help:"How to reach a person: a text, phone or link."`
	SkipCheck     bool    `help:"Do not ask the provider whether the credentials are right."`

	PhoneNumberID *string `env:"WHATSAPP_PHONE_NUMBER_ID" group:"WhatsApp" help:"Meta's id of the number, not the number."`
	WABAID        *string `name:"waba-id" group:"WhatsApp" help:"Id of the WhatsApp Business account."`
	AccessToken   string  `name:"access-token-file" group:"WhatsApp" placeholder:"FILE" help:"File with the access token; - reads standard input."`
	VerifyToken   string  `name:"verify-token-file" group:"WhatsApp" placeholder:"FILE" help:"File with the token of the handshake."`
	AppSecret     string  `name:"app-secret-file" group:"WhatsApp" placeholder:"FILE" help:"File with the app's secret."`

	BotToken string `name:"bot-token-file" group:"Telegram" placeholder:"FILE" help:"File with BotFather's token; - reads standard input."`
}

// fill copies what was said into an integration and returns the paths of the update mask.
func (e entry) fill(i *channelsv1.Integration, whatsapp bool, in io.Reader) (paths []string, err error) {
	i.Settings = &channelsv1.Settings{}
	text := func(path string, to, value *string) {
		if value != nil {
			*to = *value
			paths = append(paths, path)
		}
	}
	text("name", &i.Name, e.Name)
	text("settings.knowledge_base", &i.Settings.KnowledgeBase, e.KnowledgeBase)
	text("settings.language", &i.Settings.Language, e.Language)
	text("settings.human_contact", &i.Settings.HumanContact, e.HumanContact)
	secret := func(path string, to *string, file string) {
		if file == "" || err != nil {
			return
		}
		if *to, err = readSecret(file, in); err == nil {
			paths = append(paths, path)
		}
	}
	if !whatsapp {
		config := &channelsv1.TelegramConfig{}
		i.Config = &channelsv1.Integration_Telegram{Telegram: config}
		secret("telegram.bot_token", &config.BotToken, e.BotToken)
		return paths, err
	}
	config := &channelsv1.WhatsAppConfig{}
	i.Config = &channelsv1.Integration_Whatsapp{Whatsapp: config}
	text("whatsapp.phone_number_id", &config.PhoneNumberId, e.PhoneNumberID)
	text("whatsapp.waba_id", &config.WabaId, e.WABAID)
	secret("whatsapp.access_token", &config.AccessToken, e.AccessToken)
	secret("whatsapp.verify_token", &config.VerifyToken, e.VerifyToken)
	secret("whatsapp.app_secret", &config.AppSecret, e.AppSecret)
	return paths, err
}

// readSecret reads a file, or all of standard input for "-".
func readSecret(file string, in io.Reader) (string, error) {
	if file != "-" {
		opened, err := os.Open(file) //nolint:gosec // the person names the file
		if err != nil {
			return "", err
		}
		defer func() { _ = opened.Close() }()
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSecretBytes))
	return strings.TrimSpace(string(text)), err
}

// integrationsCreateCommand adds a number or a bot.
type integrationsCreateCommand struct {
	Platform string `arg:"" enum:"whatsapp,telegram" help:"whatsapp or telegram."`
	entry
}

// Run adds it and says what the provider thought of the credentials.
func (c integrationsCreateCommand) Run(ctx context.Context, s session) error {
	i := &channelsv1.Integration{}
	if _, err := c.fill(i, c.Platform == "whatsapp", s.in); err != nil {
		return err
	}
	if i.GetName() == "" {
		i.Name = map[string]string{"whatsapp": "WhatsApp Business", "telegram": "Telegram Bot"}[c.Platform]
	}
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		r, err := client.CreateIntegration(ctx, &channelsv1.CreateIntegrationRequest{Integration: i, SkipCheck: c.SkipCheck})
		if err != nil {
			return err
		}
		return showEntered(s, r, r.GetIntegration(), r.GetUncheckedReason())
	})
}

// integrationsUpdateCommand changes a number or a bot.
type integrationsUpdateCommand struct {
	ID string `arg:"" help:"Id of the integration (knobot integrations)."`
	entry
}

// Run changes what was named.
func (c integrationsUpdateCommand) Run(ctx context.Context, s session) error {
	return onIntegrations(ctx, s, func(ctx context.Context, client channelsv1.IntegrationServiceClient) error {
		found, err := client.GetIntegration(ctx, &channelsv1.GetIntegrationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		i := &channelsv1.Integration{Id: c.ID}
		paths, err := c.fill(i, found.GetIntegration().GetTelegram() == nil, s.in)
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			return errors.New("nothing was named that is to change: see knobot integrations update --help")
		}
		r, err := client.UpdateIntegration(ctx, &channelsv1.UpdateIntegrationRequest{
			Integration: i, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}, SkipCheck: c.SkipCheck,
		})
		if err != nil {
			return err
		}
		return showEntered(s, r, r.GetIntegration(), r.GetUncheckedReason())
	})
}

// showEntered shows an integration, and on the side what could not be checked.
func showEntered(s session, answer proto.Message, i *channelsv1.Integration, unchecked string) error {
	if unchecked != "" {
		fmt.Fprintf(s.err, "The provider could not be asked about the credentials (%s): knobot integrations check %s does it later.\n", unchecked, i.GetId())
	}
	return s.show(answer, func() present.Table { return integrationTable(i) })
}
