// Package forward serves methods of other services by handing each call on to them. Messages keep fields that this program does
// not know. A caller's metadata stays here: the request's id, the trace and the deadline go along by themselves.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/knobot/knobot/platform/fault"
)

// Peer is who answers the calls.
type Peer struct {
	Package string // of the API, such as knobot.rag.v1; its definitions must be linked
	Conn    grpc.ClientConnInterface
}

// Register registers on server the methods of the peers' services that serves says yes to. Streams end when draining is closed.
func Register(server grpc.ServiceRegistrar, serves func(method string) bool, draining <-chan struct{}, peers ...Peer) error {
	for _, p := range peers {
		services, err := p.services(serves, draining)
		if err != nil {
			return err
		}
		if len(services) == 0 {
			return fmt.Errorf("nothing of %s is forwarded", p.Package)
		}
		for _, s := range services {
			server.RegisterService(s, nil)
		}
	}
	return nil
}

func (p Peer) services(serves func(string) bool, draining <-chan struct{}) (found []*grpc.ServiceDesc, err error) {
	protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName(p.Package), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			var s *grpc.ServiceDesc
			if s, err = p.service(file.Services().Get(i), serves, draining); err != nil {
				return false
			}
			if len(s.Methods)+len(s.Streams) > 0 {
				found = append(found, s)
			}
		}
		return true
	})
	return found, err
}

func (p Peer) service(d protoreflect.ServiceDescriptor, serves func(string) bool, draining <-chan struct{}) (*grpc.ServiceDesc, error) {
	s := &grpc.ServiceDesc{ServiceName: string(d.FullName()), Metadata: d.ParentFile().Path()}
	for i := range d.Methods().Len() {
		md := d.Methods().Get(i)
		name := s.ServiceName + "/" + string(md.Name())
		if !serves(name) {
			continue
		}
		m, err := newMethod(p.Conn, "/"+name, md)
		if err != nil {
			return nil, err
		}
		if md.IsStreamingClient() || md.IsStreamingServer() {
			s.Streams = append(s.Streams, m.streamDesc(md, draining))
		} else {
			s.Methods = append(s.Methods, grpc.MethodDesc{MethodName: string(md.Name()), Handler: m.unary()})
		}
	}
	return s, nil
}

// method is one that is handed on.
type method struct {
	conn    grpc.ClientConnInterface
	name    string // with its leading slash
	in, out protoreflect.MessageType
}

func newMethod(conn grpc.ClientConnInterface, name string, d protoreflect.MethodDescriptor) (method, error) {
	in, err := protoregistry.GlobalTypes.FindMessageByName(d.Input().FullName())
	if err != nil {
		return method{}, fmt.Errorf("%s: %w", d.Input().FullName(), err)
	}
	out, err := protoregistry.GlobalTypes.FindMessageByName(d.Output().FullName())
	if err != nil {
		return method{}, fmt.Errorf("%s: %w", d.Output().FullName(), err)
	}
	return method{conn, name, in, out}, nil
}

func (m method) unary() grpc.MethodHandler {
	call := func(ctx context.Context, request any) (any, error) {
		answer := m.out.New().Interface()
		if err := m.conn.Invoke(ctx, m.name, request, answer); err != nil {
			return nil, err
		}
		return answer, nil
	}
	return func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		request := m.in.New().Interface()
		if err := decode(request); err != nil {
			return nil, err
		}
		if interceptor == nil {
			return call(ctx, request)
		}
		return interceptor(ctx, request, &grpc.UnaryServerInfo{FullMethod: m.name}, call)
	}
}

func (m method) streamDesc(d protoreflect.MethodDescriptor, draining <-chan struct{}) grpc.StreamDesc {
	out := &grpc.StreamDesc{StreamName: string(d.Name()), ClientStreams: d.IsStreamingClient(), ServerStreams: d.IsStreamingServer()}
	return grpc.StreamDesc{
		StreamName: out.StreamName, ClientStreams: out.ClientStreams, ServerStreams: out.ServerStreams,
		Handler: func(_ any, caller grpc.ServerStream) error { return m.stream(out, caller, draining) },
	}
}

func (m method) stream(d *grpc.StreamDesc, caller grpc.ServerStream, draining <-chan struct{}) error {
	ctx, cancel := context.WithCancel(caller.Context())
	defer cancel()
	peer, err := m.conn.NewStream(ctx, d, m.name)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- m.down(d, peer, caller) }()
	go m.up(caller, peer, cancel)
	select {
	case err := <-ended:
		return err
	case <-draining:
		return fault.New(fault.Unavailable, "DRAINING", "the service is stopping, try again")
	}
}

// up hands on what the caller sends. How the stream ends is said by down.
func (m method) up(caller grpc.ServerStream, peer grpc.ClientStream, cancel context.CancelFunc) {
	for {
		message := m.in.New().Interface()
		switch err := caller.RecvMsg(message); {
		case err == nil:
			if peer.SendMsg(message) != nil {
				return
			}
		case errors.Is(err, io.EOF):
			_ = peer.CloseSend()
			return
		default:
			cancel() // the caller is gone
			return
		}
	}
}

// down hands on what the peer answers, to its end.
func (m method) down(d *grpc.StreamDesc, peer grpc.ClientStream, caller grpc.ServerStream) error {
	for {
		message := m.out.New().Interface()
		err := peer.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := caller.SendMsg(message); err != nil || !d.ServerStreams {
			return err
		}
	}
}
