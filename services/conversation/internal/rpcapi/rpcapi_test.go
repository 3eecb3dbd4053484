package rpcapi_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/diagnosis"
	"github.com/knobot/knobot/services/conversation/internal/export"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/rpcapi"
	"github.com/knobot/knobot/services/conversation/internal/staff"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

type nothing struct{}

func (nothing) Offer(courtesy.Courtesy) {}

// bundle is the API over the wire, over real storage.
type bundle struct {
	t             *testing.T
	pool          *pgxpool.Pool
	store         *postgres.Store
	rejections    *ingest.Rejections
	ingest        conversationv1.IngestServiceClient
	users         conversationv1.UserServiceClient
	conversations conversationv1.ConversationServiceClient
	logs          conversationv1.WebhookLogServiceClient
	diagnostics   conversationv1.DiagnosticsServiceClient
	subscriptions conversationv1.SubscriptionServiceClient
	woken         atomic.Int64
	n             int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, pool: pgtest.Database(t, postgres.Schema())}
	b.store = postgres.NewStore(b.pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second})
	table := integrations.NewTable()
	table.Replace(map[conversation.IntegrationID]conversation.Integration{})
	m := metrics.New(prometheus.NewRegistry())
	intake := ingest.New(t.Context(), ingest.Config{
		Store: b.store, Integrations: table, Courtesies: nothing{}, Wake: func() {}, Metrics: m, Log: zap.NewNop(),
		Settings: ingest.Settings{StaleAfter: 24 * time.Hour},
	})
	t.Cleanup(intake.Close)
	b.rejections = ingest.NewRejections(b.store, m, zap.NewNop())
	server := rpc.NewServer(zap.NewNop())
	conversationv1.RegisterIngestServiceServer(server, rpcapi.NewIngest(intake, b.rejections))
	conversationv1.RegisterUserServiceServer(server, rpcapi.NewUsers(b.store, export.NewExporter(b.store), func() { b.woken.Add(1) }))
	conversationv1.RegisterConversationServiceServer(server, rpcapi.NewConversations(b.store,
		staff.NewDesk(b.store, table, 30*time.Minute, func() { b.woken.Add(1) }), func() { b.woken.Add(1) }))
	told := subscriptions.NewService(b.store, newSealer(t), subscriptions.Addresses{})
	conversationv1.RegisterSubscriptionServiceServer(server, rpcapi.NewSubscriptions(b.store, told))
	conversationv1.RegisterWebhookLogServiceServer(server, rpcapi.NewLogs(b.store, func() { b.woken.Add(1) }))
	conversationv1.RegisterDiagnosticsServiceServer(server, rpcapi.NewDiagnostics(diagnosis.New(b.store, told,
		func(ctx context.Context) []doctor.Finding { return doctor.Database(ctx, b.pool, postgres.Schema()) })))
	b.connect(server)
	return b
}

func newSealer(t *testing.T) *sealing.Sealer {
	t.Helper()
	keyset, err := sealing.NewKeyset()
	require.NoError(t, err)
	sealer, err := sealing.New(keyset)
	require.NoError(t, err)
	return sealer
}

func (b *bundle) connect(server *grpc.Server) {
	b.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(b.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b.t, err)
	go func() { _ = server.Serve(listener) }()
	b.t.Cleanup(server.Stop)
	conn, err := rpc.Dial("passthrough:///" + listener.Addr().String())
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.Close() })
	b.ingest, b.users = conversationv1.NewIngestServiceClient(conn), conversationv1.NewUserServiceClient(conn)
	b.conversations, b.logs = conversationv1.NewConversationServiceClient(conn), conversationv1.NewWebhookLogServiceClient(conn)
	b.diagnostics = conversationv1.NewDiagnosticsServiceClient(conn)
	b.subscriptions = conversationv1.NewSubscriptionServiceClient(conn)
}

// text is the event of a customer's text.
func (b *bundle) text(phone, text string) *conversationv1.Event {
	b.n++
	return &conversationv1.Event{
		Key: fmt.Sprintf("msg:wamid.%d", b.n), IntegrationId: "wa-1", Kind: "text", OccurTime: timestamppb.Now(),
		Content: &conversationv1.Event_Message{Message: &conversationv1.InboundMessage{
			MessageId: fmt.Sprintf("wamid.%d", b.n), Kind: conversationv1.MessageKind_MESSAGE_KIND_TEXT, Text: text,
			Sender:  &conversationv1.Sender{PhoneNumber: phone, DisplayName: "Ana"},
			Address: &typev1.Address{Recipient: &typev1.Address_User{User: &typev1.WhatsAppUser{PhoneNumber: phone}}},
		}},
	}
}

func (b *bundle) post(events ...*conversationv1.Event) *conversationv1.IngestWebhookResponse {
	b.t.Helper()
	b.n++
	r, err := b.ingest.IngestWebhook(b.t.Context(), &conversationv1.IngestWebhookRequest{
		Platform: typev1.Platform_PLATFORM_WHATSAPP, Payload: fmt.Append(nil, b.n), Events: events, RemoteAddress: "203.0.113.7",
	})
	require.NoError(b.t, err)
	return r
}

// refused requires an error of a kind with a reason.
func refused(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), err)
	require.Equal(t, reason, fault.ReasonOf(err))
}

func TestIngestWebhook(t *testing.T) {
	t.Parallel()

	t.Run("StoresAndTellsRepeats", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := b.text("573001234567", "hola")
		first := b.post(e)
		require.False(t, first.GetDuplicate())
		require.NotEmpty(t, first.GetWebhookLogId())
		require.True(t, b.post(e).GetDuplicate())
	})

	t.Run("RefusesWhatTheContractRefuses", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		post := func(r *conversationv1.IngestWebhookRequest) error {
			_, err := b.ingest.IngestWebhook(t.Context(), r)
			return err
		}
		refused(t, post(&conversationv1.IngestWebhookRequest{}), fault.Invalid, "PLATFORM_MISSING")
		for reason, e := range map[string]*conversationv1.Event{
			"KEY_INVALID":         {IntegrationId: "wa-1"},
			"INTEGRATION_MISSING": {Key: "msg:1"},
		} {
			refused(t, post(&conversationv1.IngestWebhookRequest{
				Platform: typev1.Platform_PLATFORM_WHATSAPP, Events: []*conversationv1.Event{e},
			}), fault.Invalid, reason)
		}
		refused(t, post(&conversationv1.IngestWebhookRequest{
			Platform: typev1.Platform_PLATFORM_WHATSAPP, Events: make([]*conversationv1.Event, 10_001),
		}), fault.Invalid, "TOO_MANY_EVENTS")
	})

	t.Run("TakesEveryKindOfEvent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		events := []*conversationv1.Event{
			{Key: "a", IntegrationId: "wa-1", Kind: "account_update"},
			{Key: "b", ForeignNumber: "1065", Kind: "text"},
			{Key: "c", IntegrationId: "wa-1", Kind: "status.read", Content: &conversationv1.Event_DeliveryReport{DeliveryReport: &conversationv1.DeliveryReport{
				MessageId: "m", State: conversationv1.DeliveryState_DELIVERY_STATE_READ, Billable: true,
			}}},
			{Key: "d", IntegrationId: "wa-1", Kind: "system", Content: &conversationv1.Event_IdentityChange{IdentityChange: &conversationv1.IdentityChange{
				Kind: conversationv1.IdentityChange_KIND_PHONE_NUMBER, OldId: "1", NewId: "2",
			}}},
			{Key: "e", IntegrationId: "wa-1", Kind: "callback_query", Content: &conversationv1.Event_ButtonPress{ButtonPress: &conversationv1.ButtonPress{CallbackId: "x"}}},
		}
		for kind := range conversationv1.MessageKind_name {
			e := b.text(fmt.Sprintf("5730000000%02d", kind), "")
			e.GetMessage().Kind = conversationv1.MessageKind(kind)
			e.GetMessage().Media = &conversationv1.Media{Id: "1"}
			e.GetMessage().Location = &conversationv1.Location{Latitude: 4.6}
			e.GetMessage().Contacts = []*conversationv1.ContactCard{{DisplayName: "Eva"}}
			events = append(events, e)
		}
		r := b.post(events...)
		l, err := b.logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: r.GetWebhookLogId()})
		require.NoError(t, err)
		require.Len(t, l.GetWebhookLog().GetEvents(), len(events))
		for i, want := range []string{"recorded", "foreign_number", "open", "recorded", "recorded"} {
			require.Equal(t, want, l.GetWebhookLog().GetEvents()[i].GetOutcome())
		}
	})

	t.Run("NothingOfTheDatabaseLeaves", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.pool.Exec(t.Context(), `drop table webhook_events cascade`)
		require.NoError(t, err)
		_, err = b.ingest.IngestWebhook(t.Context(), &conversationv1.IngestWebhookRequest{
			Platform: typev1.Platform_PLATFORM_WHATSAPP, Payload: []byte("{}"), Events: []*conversationv1.Event{b.text("573001234567", "secreto")},
		})
		refused(t, err, fault.Unavailable, "NOT_STORED")
		require.NotContains(t, err.Error(), "webhook_events")
		require.NotContains(t, err.Error(), "42P01")
		_, err = b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{})
		require.Equal(t, fault.Internal, fault.KindOf(err))
		require.NotContains(t, err.Error(), "webhook_events")
	})
}

func TestRecordRejectedWebhook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		_, err := b.ingest.RecordRejectedWebhook(t.Context(), &conversationv1.RecordRejectedWebhookRequest{
			Platform: typev1.Platform_PLATFORM_TELEGRAM, RemoteAddress: "203.0.113.9",
			Reason: conversationv1.RejectionReason_REJECTION_REASON_WRONG_CREDENTIAL,
		})
		require.NoError(t, err)
	}
	b.rejections.Flush(t.Context())
	counts, err := b.logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{})
	require.NoError(t, err)
	require.Len(t, counts.GetCounts(), 1)
	require.EqualValues(t, 3, counts.GetCounts()[0].GetRejected())
	_, err = b.ingest.RecordRejectedWebhook(t.Context(), &conversationv1.RecordRejectedWebhookRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM})
	refused(t, err, fault.Invalid, "REASON_MISSING")
	_, err = b.ingest.RecordRejectedWebhook(t.Context(), &conversationv1.RecordRejectedWebhookRequest{})
	refused(t, err, fault.Invalid, "PLATFORM_MISSING")
}

func TestUsersOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 3 {
		b.post(b.text(fmt.Sprintf("57300123456%d", i), "hola"))
	}
	page, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: 2})
	require.NoError(t, err)
	require.Len(t, page.GetUsers(), 2)
	newest := page.GetUsers()[0]
	require.Equal(t, "whatsapp_573001234562", newest.GetUsername())
	require.Equal(t, "whatsapp_573001234562@knowbot.local", newest.GetEmail())
	require.Equal(t, "customer", newest.GetRole())
	require.Equal(t, typev1.Platform_PLATFORM_WHATSAPP, newest.GetPlatform())
	rest, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: 2, PageToken: page.GetNextPageToken()})
	require.NoError(t, err)
	require.Len(t, rest.GetUsers(), 1)
	require.Empty(t, rest.GetNextPageToken())
	got, err := b.users.GetUser(t.Context(), &conversationv1.GetUserRequest{Id: newest.GetId()})
	require.NoError(t, err)
	require.Equal(t, "Ana", got.GetUser().GetDisplayName())
	none, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{Platform: typev1.Platform_PLATFORM_TELEGRAM})
	require.NoError(t, err)
	require.Empty(t, none.GetUsers())
	_, err = b.users.GetUser(t.Context(), &conversationv1.GetUserRequest{Id: uuid.NewString()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	_, err = b.users.GetUser(t.Context(), &conversationv1.GetUserRequest{Id: "7"})
	refused(t, err, fault.Invalid, "ID_INVALID")
}

func TestConversationsOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 3 {
		b.post(b.text("573001234567", fmt.Sprintf("mensaje %d", i)))
	}
	list, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{IntegrationId: "wa-1"})
	require.NoError(t, err)
	require.Len(t, list.GetConversations(), 1)
	c := list.GetConversations()[0]
	require.Equal(t, map[string]string{"platform": "whatsapp", "platform_user_id": "573001234567", "created_via": "whatsapp"}, c.GetMetadata())
	require.True(t, c.GetRagEnabled())
	require.EqualValues(t, 5, c.GetContextPassages())
	require.Equal(t, conversationv1.Conversation_STATE_ACTIVE, c.GetState())

	var texts []string
	request := &conversationv1.ListMessagesRequest{ConversationId: c.GetId(), PageSize: 2}
	for {
		page, err := b.conversations.ListMessages(t.Context(), request)
		require.NoError(t, err)
		for _, m := range page.GetMessages() {
			texts = append(texts, m.GetText())
			require.Equal(t, conversationv1.Message_STATE_OPEN, m.GetState())
			require.Equal(t, conversationv1.Message_ROLE_CUSTOMER, m.GetRole())
			require.Equal(t, conversationv1.MessageKind_MESSAGE_KIND_TEXT, m.GetKind())
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	require.Equal(t, []string{"mensaje 0", "mensaje 1", "mensaje 2"}, texts)

	for range 2 {
		closed, err := b.conversations.CloseConversation(t.Context(), &conversationv1.CloseConversationRequest{Id: c.GetId()})
		require.NoError(t, err)
		require.Equal(t, conversationv1.Conversation_STATE_CLOSED, closed.GetConversation().GetState())
	}
	byUser, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{UserId: c.GetUserId()})
	require.NoError(t, err)
	require.Len(t, byUser.GetConversations(), 1)
	got, err := b.conversations.GetConversation(t.Context(), &conversationv1.GetConversationRequest{Id: c.GetId()})
	require.NoError(t, err)
	require.Equal(t, conversationv1.Conversation_STATE_CLOSED, got.GetConversation().GetState())
	_, err = b.conversations.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: uuid.NewString()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	_, err = b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{UserId: "7"})
	refused(t, err, fault.Invalid, "ID_INVALID")
}

func TestWebhookLogsOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []string
	for range 12 {
		ids = append([]string{b.post(b.text("573001234567", "hola")).GetWebhookLogId()}, ids...)
	}
	last, err := b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{Platform: typev1.Platform_PLATFORM_WHATSAPP, PageSize: 10})
	require.NoError(t, err)
	require.Len(t, last.GetWebhookLogs(), 10)
	for i, l := range last.GetWebhookLogs() {
		require.Equal(t, ids[i], l.GetId())
		require.Empty(t, l.GetPayload())
		require.EqualValues(t, 200, l.GetResponseStatus())
		require.Nil(t, l.GetProcessedTime())
	}
	counts, err := b.logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 12, counts.GetCounts()[0].GetTotal())

	_, err = b.logs.ReplayWebhookLog(t.Context(), &conversationv1.ReplayWebhookLogRequest{Id: ids[0]})
	refused(t, err, fault.Precondition, "NOTHING_DEAD")
	turns, err := b.store.Claim(t.Context(), conversation.ClaimRequest{Lease: time.Minute, Limit: 1, Rooms: []conversation.Room{{Integration: "wa-1", Free: 1}}})
	require.NoError(t, err)
	require.NoError(t, b.store.Bury(t.Context(), turns[0], "MODEL_UNAVAILABLE", ""))
	dead, err := b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{DeadOnly: true, PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, "MODEL_UNAVAILABLE", dead.GetWebhookLogs()[0].GetErrorMessage())
	require.NotNil(t, dead.GetWebhookLogs()[0].GetProcessedTime())
	replayed, err := b.logs.ReplayWebhookLog(t.Context(), &conversationv1.ReplayWebhookLogRequest{Id: ids[0]})
	require.NoError(t, err)
	require.EqualValues(t, 1, replayed.GetReopenedEvents())
	require.EqualValues(t, 1, b.woken.Load())
	_, err = b.logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: uuid.NewString()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
}

func TestPageTokensAreCheckedNotTrusted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.post(b.text("573001234567", "hola"))
	}
	page, err := b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{PageSize: 1})
	require.NoError(t, err)
	token := page.GetNextPageToken()
	require.NotEmpty(t, token)
	for _, wrong := range []string{"x", "%%%", token + "A", token[1:], "e30", "bnVsbA", "eyJsIjoxfQ"} {
		_, err := b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{PageSize: 1, PageToken: wrong})
		refused(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
	}
	_, err = b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{DeadOnly: true, PageToken: token})
	refused(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
	_, err = b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageToken: token})
	refused(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
	_, err = b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: -1})
	refused(t, err, fault.Invalid, "PAGE_SIZE_INVALID")
	many, err := b.logs.ListWebhookLogs(context.Background(), &conversationv1.ListWebhookLogsRequest{PageSize: 5000})
	require.NoError(t, err)
	require.Len(t, many.GetWebhookLogs(), 3)
}
