package rpcapi

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// FuzzRequests reads any bytes as each of the requests that others make of channels: none makes a converter fail, and what is
// taken has a recipient and text that the database takes.
func FuzzRequests(f *testing.F) {
	to := &typev1.Address{IntegrationId: "i", Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{PhoneNumber: "573001234567"}}}
	for _, m := range []proto.Message{
		&channelsv1.SendMessageRequest{RequestId: "1", Address: to, Content: &channelsv1.Content{Text: "hola"}},
		&channelsv1.SendTemplateRequest{RequestId: "1", Address: to, Template: "hola", Language: "es"},
		&channelsv1.RecordDeliveryReportsRequest{Reports: []*conversationv1.DeliveryReport{{MessageId: "w", ErrorMessage: "x"}}},
		&channelsv1.UpdateIntegrationRequest{Integration: &channelsv1.Integration{Id: "1"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name"}}},
	} {
		raw, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		send, template := &channelsv1.SendMessageRequest{}, &channelsv1.SendTemplateRequest{}
		if proto.Unmarshal(raw, send) == nil {
			if m, err := message(send); err == nil {
				require.True(t, (m.To.WhatsApp == nil) != (m.To.Telegram == nil), "one recipient")
			}
		}
		if proto.Unmarshal(raw, template) == nil {
			if m, err := templateMessage(template); err == nil {
				require.NotNil(t, m.To.WhatsApp)
			}
		}
		told := &channelsv1.RecordDeliveryReportsRequest{}
		if proto.Unmarshal(raw, told) == nil {
			if all, err := reports(told); err == nil {
				for _, r := range all {
					require.True(t, utf8.ValidString(r.ErrorMessage) && utf8.ValidString(r.MessageID))
					require.NotContains(t, r.ErrorMessage, "\x00")
				}
			}
		}
		update := &channelsv1.UpdateIntegrationRequest{}
		if proto.Unmarshal(raw, update) == nil && update.GetIntegration() != nil {
			_, _ = edits(update.GetIntegration(), update.GetUpdateMask())
			_ = creation(update.GetIntegration())
		}
	})
}
