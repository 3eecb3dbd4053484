package e2e

import (
	"context"
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

func (b *badInput) emptyQuestion(t *testing.T) {
	client := ragv1.NewAnswerServiceClient(b.Conn(b.RAG))
	ask := func(turns ...*ragv1.Turn) (*ragv1.GenerateAnswerResponse, error) {
		return client.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{RequestId: "empty", Turns: turns})
	}
	for _, text := range []string{"", " \n\t", "?¿!", "\u200b", "🙂"} {
		answer, err := ask(&ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: text})
		require.NoError(t, err, "%q", text)
		require.NotEqual(t, ragv1.Outcome_OUTCOME_ANSWERED, answer.GetOutcome(), "%q", text)
		require.NotEmpty(t, answer.GetText(), "%q", text)
		require.Empty(t, answer.GetCitations(), "%q", text)
	}
	_, err := ask()
	require.Equal(t, codes.InvalidArgument, status.Code(err), "no turn at all")
	_, err = ask(&ragv1.Turn{Text: saturday})
	require.Equal(t, codes.InvalidArgument, status.Code(err), "a turn of nobody")

	long, err := ask(&ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: strings.Repeat(saturday+" ", 1<<20/len(saturday))})
	require.NoError(t, err, "a question of 1 MB")
	require.NotEmpty(t, long.GetText())
	require.LessOrEqual(t, len([]rune(long.GetText())), 4096)
}

// unknownField shows the two ways in which a caller can be of another version: by name, which is a mistake, and on the wire.
func (b *badInput) unknownField(t *testing.T) {
	for _, c := range []struct {
		program *system.Program
		method  string
	}{
		{b.Channels, "knobot.channels.v1.IntegrationService/ListIntegrations"},
		{b.RAG, "knobot.rag.v1.KnowledgeBaseService/ListKnowledgeBases"},
		{b.Conversation, "knobot.conversation.v1.UserService/ListUsers"},
	} {
		out, err := grpcurl(t, "-d", `{"nobody_knows_this": 1}`, c.program.Address, c.method)
		require.Error(t, err, out)
		require.Contains(t, out, "nobody_knows_this", "the refusal names the field")

		method := findMethod(t, strings.ReplaceAll(c.method, "/", "."))
		request := dynamicpb.NewMessage(method.Input())
		field := protowire.AppendTag(nil, 15_000, protowire.BytesType)
		request.SetUnknown(protowire.AppendString(field, "from a newer caller"))
		require.NoError(t, b.Conn(c.program).Invoke(t.Context(), "/"+c.method, request, dynamicpb.NewMessage(method.Output())), "ignored on the wire")
	}
}

// wrongPageToken gives every list tokens that are not its own, those of the other lists among them.
func (b *badInput) wrongPageToken(t *testing.T) {
	within := map[protoreflect.Name]string{
		"conversation_id": b.someConversation(t), "id": b.someSource(t), "subscription_id": b.someSubscription(t),
	}
	lists := b.lists()
	require.GreaterOrEqual(t, len(lists), 7)
	tokens := map[string]string{
		"a word": "wrong", "not base64": "¡¿!?", "padded": "d3Jvbmc=", "long": strings.Repeat("A", 100_000),
		"binary": base64.RawURLEncoding.EncodeToString([]byte{0, 0xff, 0xfe, '\n', '/'}), "JSON": base64.RawURLEncoding.EncodeToString([]byte(`{}`)),
		"SQL": base64.RawURLEncoding.EncodeToString([]byte(`' or 1=1 --/x`)),
	}
	for _, l := range lists {
		first, err := l.call(t.Context(), within, 1, "")
		require.NoError(t, err, l.name)
		if token := first.Get(first.Descriptor().Fields().ByName("next_page_token")).String(); token != "" {
			tokens[l.name] = token
			_, err := l.call(t.Context(), within, 1, token)
			require.NoError(t, err, "%s takes its own token", l.name)
		}
	}
	require.Contains(t, tokens, "ListIntegrations", "a token of another list is among them")
	for _, l := range lists {
		for name, token := range tokens {
			if name != l.name {
				_, err := l.call(t.Context(), within, 1, token)
				require.Equal(t, codes.InvalidArgument, status.Code(err), "%s with %s: %v", l.name, name, err)
			}
		}
		_, err := l.call(t.Context(), within, -1, "")
		require.Equal(t, codes.InvalidArgument, status.Code(err), "%s with page_size -1", l.name)
	}
}

// someSource is a web address that nobody answers at.
func (b *badInput) someSource(t *testing.T) string {
	t.Helper()
	r, err := ragv1.NewSourceServiceClient(b.Conn(b.RAG)).CreateSource(t.Context(), &ragv1.CreateSourceRequest{
		Url: "https://paginas.invalid/", Kind: ragv1.Source_KIND_PAGE,
	})
	require.NoError(t, err)
	return r.GetSource().GetId()
}

// someConversation is a conversation with two messages, so that its list has a second page.
func (b *badInput) someConversation(t *testing.T) string {
	t.Helper()
	b.telegram(t, "7130")
	r, err := conversationv1.NewConversationServiceClient(b.Conn(b.Conversation)).ListConversations(t.Context(),
		&conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(t, err)
	for _, c := range r.GetConversations() {
		if c.GetMetadata()["platform_user_id"] == "7130" {
			return c.GetId()
		}
	}
	require.Fail(t, "no conversation of 7130")
	return ""
}

// someSubscription is one of a program that nobody answers for.
func (b *badInput) someSubscription(t *testing.T) string {
	t.Helper()
	r, err := conversationv1.NewSubscriptionServiceClient(b.Conn(b.Conversation)).CreateSubscription(t.Context(),
		&conversationv1.CreateSubscriptionRequest{Subscription: &conversationv1.Subscription{
			Url: "https://avisos.invalid/", EventTypes: []string{"message.received"},
		}})
	require.NoError(t, err)
	return r.GetSubscription().GetId()
}

// list is an RPC that returns pages.
type list struct {
	name   string
	method protoreflect.MethodDescriptor
	invoke func(ctx context.Context, method string, in, out any) error
}

// lists are all RPCs of the running services that take a page_token.
func (b *badInput) lists() []list {
	var all []list
	for _, p := range b.Services() {
		for _, service := range servicesOf(p) {
			for i := range service.Methods().Len() {
				m := service.Methods().Get(i)
				if m.Input().Fields().ByName("page_token") == nil {
					continue
				}
				conn := b.Conn(p)
				all = append(all, list{name: string(m.Name()), method: m, invoke: func(ctx context.Context, method string, in, out any) error {
					return conn.Invoke(ctx, method, in, out)
				}})
			}
		}
	}
	return all
}

// call asks for a page; within holds the ids of what some lists list the parts of, by the name of the field.
func (l list) call(ctx context.Context, within map[protoreflect.Name]string, size int32, token string) (*dynamicpb.Message, error) {
	fields := l.method.Input().Fields()
	in, out := dynamicpb.NewMessage(l.method.Input()), dynamicpb.NewMessage(l.method.Output())
	in.Set(fields.ByName("page_token"), protoreflect.ValueOfString(token))
	in.Set(fields.ByName("page_size"), protoreflect.ValueOfInt32(size))
	for name, id := range within {
		if f := fields.ByName(name); f != nil {
			in.Set(f, protoreflect.ValueOfString(id))
		}
	}
	return out, l.invoke(ctx, "/"+string(l.method.Parent().FullName())+"/"+string(l.method.Name()), in, out)
}

// servicesOf are the services of a program's proto package.
func servicesOf(p *system.Program) []protoreflect.ServiceDescriptor {
	var found []protoreflect.ServiceDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName("knobot."+p.Name+".v1"), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			found = append(found, file.Services().Get(i))
		}
		return true
	})
	return found
}

func findMethod(t *testing.T, name string) protoreflect.MethodDescriptor {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	require.NoError(t, err)
	m, ok := d.(protoreflect.MethodDescriptor)
	require.True(t, ok, name)
	return m
}

// grpcurl runs bin/grpcurl and returns what it prints on both outputs.
func grpcurl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	require.FileExists(t, system.Bin("grpcurl"), "run make bin/grpcurl first")
	out, err := exec.CommandContext(t.Context(), system.Bin("grpcurl"), append([]string{"-plaintext"}, args...)...).CombinedOutput()
	return string(out), err
}
