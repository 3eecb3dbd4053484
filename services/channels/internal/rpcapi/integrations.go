package rpcapi

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/services/channels"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// pageRequest is a parsed ListIntegrationsRequest.
type pageRequest struct {
	size               int
	platform           channels.Platform
	afterName, afterID string
}

func page(r *channelsv1.ListIntegrationsRequest) (pageRequest, error) {
	p := pageRequest{size: int(r.GetPageSize())}
	if p.size < 0 || p.size > maxPageSize {
		return p, invalid("page_size", "0 to %d", maxPageSize)
	}
	if p.size == 0 {
		p.size = defaultPageSize
	}
	var err error
	if p.platform, err = platformDomain(r.GetPlatform()); err != nil {
		return p, err
	}
	if r.GetPageToken() == "" {
		return p, nil
	}
	token, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	filter, position, _ := strings.Cut(string(token), "/")
	id, name, ok := strings.Cut(position, "/")
	if err != nil || !ok || filter != string(p.platform) || uuid.Validate(id) != nil || text("page_token", string(token), 1, 1000) != nil {
		return p, invalid("page_token", "is not one of this list")
	}
	p.afterID, p.afterName = id, name
	return p, nil
}

func listProto(found []channels.Integration, p pageRequest) *channelsv1.ListIntegrationsResponse {
	out := &channelsv1.ListIntegrationsResponse{}
	if len(found) > p.size {
		found = found[:p.size]
		last := found[p.size-1]
		out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(string(p.platform) + "/" + last.ID + "/" + last.Name))
	}
	for _, i := range found {
		out.Integrations = append(out.Integrations, integrationProto(i))
	}
	return out
}

// integrationProto holds no secret: there is none in the fields that it reads.
func integrationProto(i channels.Integration) *channelsv1.Integration {
	state, reason := i.State()
	out := &channelsv1.Integration{
		Id: i.ID, Name: i.Name, Platform: platformProto(i.Platform), State: integrationStateProto(state), StateReason: reason,
		Enabled: &i.Enabled, Settings: settingsProto(i.Settings),
		CreateTime: timestamppb.New(i.CreateTime), UpdateTime: timestamppb.New(i.UpdateTime),
	}
	if i.Platform == channels.Telegram {
		out.Config = &channelsv1.Integration_Telegram{Telegram: &channelsv1.TelegramConfig{
			BotId: i.Telegram.BotID, BotUsername: i.Telegram.BotUsername,
		}}
		return out
	}
	out.Config = &channelsv1.Integration_Whatsapp{Whatsapp: &channelsv1.WhatsAppConfig{
		PhoneNumberId: i.WhatsApp.PhoneNumberID, WabaId: i.WhatsApp.BusinessAccountID, AllowUnsigned: i.WhatsApp.AllowUnsigned,
	}}
	return out
}

func integrationStateProto(s channels.State) channelsv1.Integration_State {
	switch s {
	case channels.StateEnabled:
		return channelsv1.Integration_STATE_ENABLED
	case channels.StateDisabled:
		return channelsv1.Integration_STATE_DISABLED
	case channels.StateIncomplete:
		return channelsv1.Integration_STATE_INCOMPLETE
	case channels.StateStopped:
		return channelsv1.Integration_STATE_STOPPED
	case channels.StateDeleted:
		return channelsv1.Integration_STATE_DELETED
	default:
		return channelsv1.Integration_STATE_UNSPECIFIED
	}
}

func settingsProto(s channels.Settings) *channelsv1.Settings {
	topK := int32Of(s.TopK)
	out := &channelsv1.Settings{
		KnowledgeBase: s.KnowledgeBase, Language: s.Language, RagEnabled: &s.RAGEnabled, TopK: &topK, HumanContact: s.HumanContact,
		Debounce: durationProto(s.Debounce), StaleAfter: durationProto(s.StaleAfter), StaffPause: durationProto(s.StaffPause),
		StreamDrafts: s.StreamDrafts, Suggestions: s.Suggestions,
		Retention: retentionProto(s.Retention), CustomerLimits: customerLimitsProto(s.Limits),
	}
	if t := s.WindowTemplate; t != nil {
		out.WindowTemplate = &channelsv1.WindowTemplate{Name: t.Name, Languages: t.Languages}
	}
	return out
}

func webhookInfoProto(w channels.WebhookInfo) *channelsv1.WebhookInfo {
	out := &channelsv1.WebhookInfo{
		Url: w.URL, LastErrorMessage: w.LastErrorMessage, AllowedUpdates: w.AllowedUpdates,
		PendingUpdateCount: int32Of(w.PendingUpdateCount), MaxConnections: int32Of(w.MaxConnections),
	}
	if !w.LastErrorTime.IsZero() {
		out.LastErrorTime = timestamppb.New(w.LastErrorTime)
	}
	return out
}

func createdPlatform(i *channelsv1.Integration) (channels.Platform, error) {
	p, err := platformDomain(i.GetPlatform())
	if err != nil {
		return "", err
	}
	var configured channels.Platform
	switch i.GetConfig().(type) {
	case *channelsv1.Integration_Whatsapp:
		configured = channels.WhatsApp
	case *channelsv1.Integration_Telegram:
		configured = channels.Telegram
	}
	switch {
	case p == "" && configured == "":
		return "", invalid("integration.platform", "is missing")
	case p != "" && configured != "" && p != configured:
		return "", invalid("integration.config", "is not of the platform")
	case i.GetPlatform() == typev1.Platform_PLATFORM_UNSPECIFIED:
		return configured, nil
	}
	return p, nil
}

func durationProto(d *time.Duration) *durationpb.Duration {
	if d == nil {
		return nil
	}
	return durationpb.New(*d)
}

func durationDomain(d *durationpb.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	v := d.AsDuration()
	return &v
}
