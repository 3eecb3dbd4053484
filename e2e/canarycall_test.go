package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/knobot/knobot/e2e/internal/system"
)

// callEverything calls every RPC with the customer's words and secrets in every field that takes text, and holds what each
// refusal says against them.
func (c canaries) callEverything(t *testing.T, s *system.System) {
	t.Helper()
	refused, leaks := 0, []string{}
	for _, p := range s.Services() {
		for _, service := range servicesOf(p) {
			for i := range service.Methods().Len() {
				for _, word := range []string{c.text, c.document, c.phone, s.Credentials.AccessToken, s.Credentials.BotToken} {
					err := call(t, s.Conn(p), service.Methods().Get(i), word)
					if err == nil {
						continue
					}
					refused++
					shown := status.Convert(err)
					if leak, leaked := stores.Watch.Text(string(service.Methods().Get(i).FullName()), prototext.Format(shown.Proto())); leaked {
						leaks = append(leaks, leak.String())
					}
				}
			}
		}
	}
	require.Greater(t, refused, 50)
	require.Empty(t, leaks, "what a caller sent stands in an error")
}

// call calls a method of any kind with a word in every field, and returns the first error.
func call(t *testing.T, conn *grpc.ClientConn, method protoreflect.MethodDescriptor, word string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request := dynamicpb.NewMessage(method.Input())
	fill(request, word, 5)
	path := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err == nil {
		_ = stream.CloseSend()
	}
	return stream.RecvMsg(dynamicpb.NewMessage(method.Output()))
}

// fill sets every field of a message that can hold a text, down to a depth, one element for each list.
func fill(m protoreflect.Message, word string, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case f.IsMap():
		case f.IsList():
			list := m.Mutable(f).List()
			if value, ok := filled(list.NewElement, f, word, depth); ok {
				list.Append(value)
			}
		default:
			if value, ok := filled(func() protoreflect.Value { return m.NewField(f) }, f, word, depth); ok {
				m.Set(f, value)
			}
		}
	}
}

func filled(empty func() protoreflect.Value, f protoreflect.FieldDescriptor, word string, depth int) (protoreflect.Value, bool) {
	switch {
	case f.Kind() == protoreflect.StringKind:
		return protoreflect.ValueOfString(word), true
	case f.Kind() == protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(word)), true
	case f.Kind() == protoreflect.MessageKind && depth > 0:
		value := empty()
		fill(value.Message(), word, depth-1)
		return value, true
	default:
		return protoreflect.Value{}, false
	}
}
