package conversation

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// calls records what was sent.
type calls struct {
	grpc.ClientConnInterface
	ingested []*conversationv1.IngestWebhookRequest
	err      error
	// once is what the first call returns instead.
	once error
}

func (c *calls) Invoke(_ context.Context, _ string, req, _ any, _ ...grpc.CallOption) error {
	if r, ok := req.(*conversationv1.IngestWebhookRequest); ok {
		c.ingested = append(c.ingested, r)
		if len(c.ingested) == 1 && c.once != nil {
			return c.once
		}
	}
	return c.err
}

func TestWhatNobodyAnsweredIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	nobody := status.Error(codes.Unavailable, "connection refused")
	away := fault.Status(t.Context(), fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "try again")).Err()
	for name, c := range map[string]struct {
		once, then, want error
		calls            int
	}{
		"ReplicaIsFound":   {nobody, nil, nil, 2},
		"NobodyAgain":      {nobody, nobody, nobody, 2},
		"ServiceSaysNo":    {away, nil, away, 1},
		"AnotherFailure":   {status.Error(codes.Internal, "x"), nil, status.Error(codes.Internal, "x"), 1},
		"StoredAtOnce":     {nil, nil, nil, 1},
		"SaysNoAfterwards": {nobody, away, away, 2},
	} {
		conn := &calls{once: c.once, err: c.then}
		err := New(conn).Ingest(t.Context(), gateway.Delivery{Platform: gateway.Telegram, Payload: []byte("{}")})
		require.Equal(t, status.Code(c.want), status.Code(err), name)
		require.Equal(t, fault.ReasonOf(c.want), fault.ReasonOf(err), name)
		require.Len(t, conn.ingested, c.calls, name)
	}
}

func TestEveryWordHasItsEnum(t *testing.T) {
	t.Parallel()
	last := func(e protoreflect.Enum) int { return e.Descriptor().Values().Len() - 1 }
	require.EqualValues(t, last(messageKind(0)), gateway.KindUnsupported)
	require.EqualValues(t, last(deliveryState(0)), gateway.StateFailed)
	require.EqualValues(t, last(identityChangeKind(0)), gateway.ChangeChatMigrated)
	require.EqualValues(t, last(rejectionReason(0)), gateway.RejectedForeignSource)
	for k := range gateway.KindUnsupported + 1 {
		require.EqualValues(t, k, messageKind(k))
	}
	for r := range gateway.RejectedForeignSource + 1 {
		require.EqualValues(t, r, rejectionReason(r))
	}
	require.Zero(t, messageKind(200))
	require.Zero(t, platform(9))
}

func TestEveryFieldOfAMessageIsCarried(t *testing.T) {
	t.Parallel()
	out := event(&gateway.Event{
		Key: "k", Integration: "i", Kind: "text", OccurTime: time.Unix(1795000000, 0),
		Content: &gateway.Message{
			ID: "1", Sender: fullSender(), Address: gateway.WhatsAppUser{UserID: "u", PhoneNumber: "p"},
			Kind: gateway.KindText, Text: "t", Group: true, Addressed: true, Echo: true, ReplyToMessageID: "r", QuotedText: "q",
			OriginalMessageID: "o", ButtonID: "b", Command: "c", AlbumID: "a", Forwarded: true,
			Media:      &gateway.Media{ID: "m", MIMEType: "mime", SHA256: "sha", Filename: "f", SizeBytes: 7},
			Location:   &gateway.Location{Latitude: 1, Longitude: 2, Name: "n", Address: "a"},
			Contacts:   []gateway.ContactCard{{DisplayName: "x", PhoneNumbers: []string{"1"}}},
			Referral:   &gateway.Referral{Headline: "h", Body: "b", SourceURL: "u", SourceID: "i"},
			OrderItems: []gateway.OrderItem{{ProductID: "p", Quantity: 1, Price: "2", Currency: "COP"}},
		},
	})
	requireFull(t, out, "foreign_number", "button_press", "delivery_report", "identity_change", "chat")
	requireFull(t, event(&gateway.Event{Content: &gateway.ButtonPress{
		CallbackID: "c", Sender: fullSender(), ButtonID: "b", MessageID: "m", Group: true, Title: "t",
		Address: gateway.TelegramChat{ID: 1, ThreadID: 2, BusinessConnectionID: "b"},
	}}).GetButtonPress(), "user", "integration_id")
	requireFull(t, event(&gateway.Event{Content: &gateway.DeliveryReport{
		MessageID: "m", State: gateway.StateFailed, Echo: "e", ErrorCode: 1, ErrorMessage: "m", PricingCategory: "p", Billable: true,
		PricingModel: "PMP", PricingType: "regular",
	}}).GetDeliveryReport())
	requireFull(t, event(&gateway.Event{Content: &gateway.IdentityChange{
		Kind: gateway.ChangeUserID, OldID: "o", NewID: "n",
	}}).GetIdentityChange())
	require.Nil(t, event(&gateway.Event{Content: &gateway.ButtonPress{}}).GetButtonPress().GetAddress())
	require.Nil(t, event(&gateway.Event{}).GetOccurTime())
}

func fullSender() gateway.Sender {
	return gateway.Sender{UserID: "u", PhoneNumber: "p", Username: "n", DisplayName: "d", LanguageCode: "es", Bot: true}
}

// requireFull fails for a field that a conversion forgot.
func requireFull(t *testing.T, m proto.Message, but ...string) {
	t.Helper()
	r := m.ProtoReflect()
	for i := range r.Descriptor().Fields().Len() {
		f := r.Descriptor().Fields().Get(i)
		if contains(but, string(f.Name())) {
			continue
		}
		require.True(t, r.Has(f), "%s is not set", f.FullName())
		if f.Kind() == protoreflect.MessageKind && !f.IsList() && f.Message().FullName() != "google.protobuf.Timestamp" {
			requireFull(t, r.Get(f).Message().Interface(), but...)
		}
	}
}

func contains(names []string, name string) bool {
	return strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ")
}

func TestEventsThatOutgrowAMessageTravelInSeveralCalls(t *testing.T) {
	t.Parallel()
	delivery := gateway.Delivery{Platform: gateway.WhatsApp, Payload: make([]byte, gateway.MaxBodyBytes), RemoteAddress: "192.0.2.1"}
	for range 12 {
		message := &gateway.Message{Text: strings.Repeat("x", 1<<20)}
		delivery.Events = append(delivery.Events, gateway.Event{Key: "k", Integration: "i", Kind: "text", Content: message})
	}
	recorded := &calls{}
	require.NoError(t, New(recorded).Ingest(t.Context(), delivery))
	total := 0
	for _, call := range recorded.ingested {
		total += len(call.GetEvents())
		require.Less(t, proto.Size(call), 16<<20)
		require.Len(t, call.GetPayload(), gateway.MaxBodyBytes)
	}
	require.Equal(t, 12, total)
	require.Len(t, recorded.ingested, 2)
}

func TestSmallDeliveriesTravelInOneCall(t *testing.T) {
	t.Parallel()
	recorded := &calls{}
	require.NoError(t, New(recorded).Ingest(t.Context(), gateway.Delivery{Events: []gateway.Event{{Key: "a"}, {Key: "b"}}}))
	require.Len(t, recorded.ingested, 1)
	failing := &calls{err: context.DeadlineExceeded}
	require.Error(t, New(failing).Ingest(t.Context(), gateway.Delivery{Events: []gateway.Event{{Key: "a"}}}))
}
