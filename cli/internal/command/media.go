package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// uploadChunk is well below the 1 MiB that the service takes.
const uploadChunk = 256 << 10

// mediaCommand fetches and stores files.
type mediaCommand struct {
	Get    mediaGetCommand    `cmd:"" help:"Write a stored file to the standard output or into a file."`
	Upload mediaUploadCommand `cmd:"" help:"Store a file that an integration will send; prints its id."`
}

// mediaGetCommand reads a stored file.
type mediaGetCommand struct {
	ID   string `arg:"" help:"The file's id."`
	File string `short:"o" type:"path" help:"Write into this file instead of the standard output."`
}

// Run reads it. What is incomplete or changed on the way is an error and leaves no file.
func (c mediaGetCommand) Run(ctx context.Context, s session) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stream, err := channelsv1.NewChannelServiceClient(conn).GetMedia(ctx, &channelsv1.GetMediaRequest{Id: c.ID})
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	receive := func(w io.Writer) error { return receiveMedia(w, first.GetMedia(), stream.Recv) }
	if c.File == "" {
		return receive(s.out)
	}
	if err := writeFile(c.File, receive); err != nil {
		return err
	}
	m := first.GetMedia()
	_, err = fmt.Fprintf(s.err, "%s: %s, %d bytes, name %s\n", c.File, m.GetMimeType(), m.GetSizeBytes(), orDash(m.GetFilename()))
	return err
}

func receiveMedia(w io.Writer, m *channelsv1.StoredMedia, next func() (*channelsv1.GetMediaResponse, error)) error {
	sum := sha256.New()
	for {
		piece, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := io.MultiWriter(w, sum).Write(piece.GetChunk()); err != nil {
			return err
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != m.GetSha256() {
		return errors.New("what arrived is not the stored file: its hash differs")
	}
	return nil
}

// writeFile lets write fill a new file beside path and then puts it in its place.
func writeFile(path string, write func(w io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".knobot-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename there is nothing to remove
	err = errors.Join(write(f), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// mediaUploadCommand stores a file.
type mediaUploadCommand struct {
	Integration string `required:"" help:"Id of the integration that will send it (knobot integrations lists them)."`
	Type        string `help:"MIME type; else it follows from the name or the first bytes."`
	File        string `arg:"" type:"existingfile" help:"The file."`
}

// Run stores it and prints its id.
func (c mediaUploadCommand) Run(ctx context.Context, s session) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if c.Type == "" {
		if c.Type, err = typeOf(f); err != nil {
			return err
		}
	}
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stream, err := channelsv1.NewChannelServiceClient(conn).UploadMedia(ctx)
	if err != nil {
		return err
	}
	header := &channelsv1.UploadMediaHeader{IntegrationId: c.Integration, MimeType: c.Type, Filename: filepath.Base(c.File)}
	stored, err := sendMedia(stream, header, f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, stored.GetId())
	return err
}

// sendMedia sends a file. If the service ends the stream early, CloseAndRecv says why.
func sendMedia(stream channelsv1.ChannelService_UploadMediaClient, header *channelsv1.UploadMediaHeader, r io.Reader) (*channelsv1.StoredMedia, error) {
	err := stream.Send(&channelsv1.UploadMediaRequest{Piece: &channelsv1.UploadMediaRequest_Header{Header: header}})
	for buf := make([]byte, uploadChunk); err == nil; {
		n, readErr := io.ReadFull(r, buf)
		if n > 0 {
			err = stream.Send(&channelsv1.UploadMediaRequest{Piece: &channelsv1.UploadMediaRequest_Chunk{Chunk: buf[:n]}})
		}
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			break
		}
		if readErr != nil {
			return nil, readErr
		}
	}
	answer, err := stream.CloseAndRecv()
	return answer.GetMedia(), err
}

// typeOf tells a file's MIME type by its name, where platforms take only few, or by its first bytes.
func typeOf(f *os.File) (string, error) {
	if t, ok := mediaTypes()[strings.ToLower(filepath.Ext(f.Name()))]; ok {
		return t, nil
	}
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return http.DetectContentType(head[:n]), nil
}

// mediaTypes are the files that WhatsApp takes, by the endings of their names. Only names tell Office documents and kinds of
// sound apart.
func mediaTypes() map[string]string {
	const office = "application/vnd.openxmlformats-officedocument."
	return map[string]string{
		".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
		".mp4": "video/mp4", ".3gp": "video/3gpp",
		".aac": "audio/aac", ".amr": "audio/amr", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg; codecs=opus",
		".oga": "audio/ogg; codecs=opus", ".opus": "audio/ogg; codecs=opus",
		".txt": "text/plain", ".pdf": "application/pdf",
		".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
		".docx": office + "wordprocessingml.document", ".xlsx": office + "spreadsheetml.sheet", ".pptx": office + "presentationml.presentation",
	}
}
