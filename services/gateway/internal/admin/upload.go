package admin

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
)

const (
	// uploadMemory is what an upload holds at most: a piece, and what the parts of a form may have in headers.
	uploadMemory = 4 << 20
	// pieceBytes is how much of a file is handed on at once.
	pieceBytes = 256 << 10
	// maxFieldBytes bounds a part that is not the file; an address has 2048 bytes at most.
	maxFieldBytes = 4 << 10
	// maxFields bounds their number.
	maxFields = 16
)

// upload hands a file on to rag while it arrives.
func (h *Handler) upload(w http.ResponseWriter, r *http.Request) {
	release, err := h.take(w, uploadMemory, uploadDeadline)
	defer release()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), uploadDeadline)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, h.largest)
	response, err := h.pass(ctx, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	runtime.ForwardResponseMessage(ctx, h.rest, marshaler(), w, r, response)
}

// pass reads a form and calls UploadDocument with it. When it returns early, ctx ends the call and rag keeps nothing.
func (h *Handler) pass(ctx context.Context, r *http.Request) (*ragv1.UploadDocumentResponse, error) {
	if err := acceptable(r, "multipart/form-data"); err != nil {
		return nil, err
	}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, bodyError(err)
	}
	metadata := &ragv1.UploadDocumentRequest_Metadata{KnowledgeBase: r.PathValue("knowledgeBase")}
	file, err := readFields(form, metadata)
	if err != nil {
		return nil, err
	}
	ctx, err = runtime.AnnotateContext(ctx, h.rest, r, ragv1.DocumentService_UploadDocument_FullMethodName)
	if err != nil {
		return nil, err
	}
	stream, err := ragv1.NewDocumentServiceClient(h.conn).UploadDocument(ctx)
	if err != nil {
		return nil, err
	}
	if err := send(stream, metadata, file); err != nil {
		return nil, err
	}
	if _, err := form.NextPart(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "FILE_NOT_LAST", "the file must be the last part of the form, and whole")
	}
	return stream.CloseAndRecv()
}

// readFields fills the metadata from the parts before the file, and returns the file.
func readFields(form *multipart.Reader, metadata *ragv1.UploadDocumentRequest_Metadata) (*multipart.Part, error) {
	for range maxFields {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, fault.New(fault.Invalid, "FILE_MISSING", "the form has no part named file")
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if part.FormName() == "file" {
			if metadata.GetName() == "" {
				metadata.Name = part.FileName()
			}
			return part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if err != nil {
			return nil, bodyError(err)
		}
		if len(value) > maxFieldBytes || !setField(metadata, part.FormName(), string(value)) {
			return nil, fault.New(fault.Invalid, "FORM_FIELD", "a part of the form is unknown, too long or has no such value")
		}
	}
	return nil, fault.New(fault.Invalid, "FORM_FIELD", "the form has too many parts")
}

// setField sets one field and says whether there is such a field and such a value of it.
func setField(m *ragv1.UploadDocumentRequest_Metadata, name, value string) bool {
	known := true
	switch name {
	case "name":
		m.Name = value
	case "title":
		m.Title = value
	case "sourceUri":
		m.SourceUri = value
	case "contentType":
		m.ContentType = value
	case "audience":
		var number int32
		number, known = ragv1.Audience_value[value]
		m.Audience = ragv1.Audience(number)
	case "trust":
		var number int32
		number, known = ragv1.Trust_value[value]
		m.Trust = ragv1.Trust(number)
	default:
		known = false
	}
	return known
}

// sender is the stream of an upload.
type sender interface {
	Send(*ragv1.UploadDocumentRequest) error
	CloseAndRecv() (*ragv1.UploadDocumentResponse, error)
}

func send(stream sender, metadata *ragv1.UploadDocumentRequest_Metadata, file io.Reader) error {
	err := stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Metadata_{Metadata: metadata}})
	for err == nil {
		piece := make([]byte, pieceBytes) // gRPC may still hold the one before.
		n, read := fill(piece, file)
		if n > 0 {
			err = stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: piece[:n]}})
		}
		switch {
		case err != nil:
		case errors.Is(read, io.EOF):
			return nil
		case read != nil:
			return bodyError(read)
		}
	}
	// rag ended the stream: why, only the answer says.
	if _, refused := stream.CloseAndRecv(); refused != nil {
		return refused
	}
	return err
}

// fill reads until the piece is full. Unlike io.ReadFull it keeps the reader's error: a form that breaks off is no end of a file.
func fill(piece []byte, file io.Reader) (n int, err error) {
	for n < len(piece) && err == nil {
		var m int
		m, err = file.Read(piece[n:])
		n += m
	}
	return n, err
}
