package edge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"

	gateway "github.com/knobot/knobot/services/gateway"
)

// errFull says that the bodies of other requests fill the memory that bodies may take.
var errFull = errors.New("too many bytes in flight")

const (
	// exactUpTo is the declared size up to which a buffer is made at once. Beyond it the buffer grows with what really
	// arrives, so that a client cannot reserve memory with a header.
	exactUpTo = 64 << 10
	// firstGuess is the buffer of a body that does not declare its size.
	firstGuess = 4 << 10
)

type readCloser = io.ReadCloser

// buffer is a body in memory, of which held bytes count against the bound.
type buffer struct {
	data []byte
	held int64
}

// read reads a whole body. The buffer that it returns holds its part of the bound also when there is an error. It returns
// gateway.ErrBodyTooLarge, errFull, or what reading said.
func (h *Handler) read(r *http.Request) (*buffer, error) {
	b := &buffer{}
	if r.ContentLength > gateway.MaxBodyBytes {
		return b, gateway.ErrBodyTooLarge
	}
	if err := h.grow(b, firstSize(r.ContentLength)); err != nil {
		return b, err
	}
	for {
		n, err := r.Body.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case len(b.data) > gateway.MaxBodyBytes:
			return b, gateway.ErrBodyTooLarge
		case errors.Is(err, io.EOF), err == nil && int64(len(b.data)) == r.ContentLength:
			return b, nil
		case err != nil:
			return b, err
		case len(b.data) == cap(b.data):
			if err := h.grow(b, min(2*cap(b.data), gateway.MaxBodyBytes+1)); err != nil {
				return b, err
			}
		}
	}
}

func firstSize(declared int64) int {
	if declared < 0 {
		return firstGuess
	}
	return int(min(declared, exactUpTo))
}

// grow makes the buffer larger, if the bound has room.
func (h *Handler) grow(b *buffer, size int) error {
	more := int64(size - cap(b.data))
	if !h.inFlight.TryAcquire(more) {
		return errFull
	}
	b.held += more
	larger := make([]byte, len(b.data), size)
	copy(larger, b.data)
	b.data = larger
	return nil
}

func (b *buffer) reader() *bufferReader {
	return &bufferReader{Reader: bytes.NewReader(b.data), data: b.data}
}

// bufferReader is a body that also hands over its bytes without copying them.
type bufferReader struct {
	*bytes.Reader
	data []byte
}

// Close does nothing; the server closes the real body.
func (*bufferReader) Close() error { return nil }

// take returns all bytes of a reader, without copying where they are in memory already.
func take(r io.Reader) ([]byte, error) {
	if b, ok := r.(*bufferReader); ok {
		_, err := b.Seek(0, io.SeekEnd)
		return b.data, err
	}
	return io.ReadAll(r)
}

// remoteIP is the address of the TCP peer, or of the client once Sources found it.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
