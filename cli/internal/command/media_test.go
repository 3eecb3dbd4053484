package command_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"

	"github.com/knobot/knobot/cli/internal/command"
)

// keeper is a channels service that keeps one file.
type keeper struct {
	channelsv1.UnimplementedChannelServiceServer
	header  *channelsv1.UploadMediaHeader
	content []byte
	sha256  string
}

func (k *keeper) UploadMedia(stream grpc.ClientStreamingServer[channelsv1.UploadMediaRequest, channelsv1.UploadMediaResponse]) error {
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&channelsv1.UploadMediaResponse{Media: &channelsv1.StoredMedia{Id: "file-1"}})
		}
		if err != nil {
			return err
		}
		if h := piece.GetHeader(); h != nil {
			if k.header = h; h.GetMimeType() == "application/zip" {
				return status.Error(codes.InvalidArgument, "the platform does not take files of this MIME type")
			}
		}
		k.content = append(k.content, piece.GetChunk()...)
	}
}

func (k *keeper) GetMedia(r *channelsv1.GetMediaRequest, stream grpc.ServerStreamingServer[channelsv1.GetMediaResponse]) error {
	if r.GetId() != "file-1" {
		return status.Error(codes.NotFound, "no such file")
	}
	m := &channelsv1.StoredMedia{Id: "file-1", MimeType: "text/plain", SizeBytes: int64(len(k.content)), Sha256: k.sha256}
	if err := stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Media{Media: m}}); err != nil {
		return err
	}
	for rest := k.content; len(rest) > 0; {
		n := min(len(rest), 3)
		if err := stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Chunk{Chunk: rest[:n]}}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// run runs a command line against a service that has content.
func run(t *testing.T, content string, args ...string) (k *keeper, code int, out, errOut string) {
	t.Helper()
	sum := sha256.Sum256([]byte(content))
	k = &keeper{content: []byte(content), sha256: hex.EncodeToString(sum[:])}
	if content == "changed" {
		k.sha256 = strings.Repeat("00", 32)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	channelsv1.RegisterChannelServiceServer(server, k)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	var o, e bytes.Buffer
	code = command.Run(t.Context(), append(args, "--server", listener.Addr().String()), strings.NewReader(""), &o, &e)
	return k, code, o.String(), e.String()
}

func TestMediaGet(t *testing.T) {
	t.Parallel()

	t.Run("BytesGoToTheStandardOutput", func(t *testing.T) {
		t.Parallel()
		_, code, out, errOut := run(t, "the content", "media", "get", "file-1")
		require.Zero(t, code, errOut)
		require.Equal(t, "the content", out)
	})

	t.Run("OrIntoAFile", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "f")
		_, code, out, errOut := run(t, "the content", "media", "get", "file-1", "-o", path)
		require.Zero(t, code, errOut)
		require.Empty(t, out)
		require.Contains(t, errOut, "text/plain, 11 bytes")
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "the content", string(content))
	})

	t.Run("WhatArrivesChangedLeavesNoFile", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		_, code, _, errOut := run(t, "changed", "media", "get", "file-1", "-o", filepath.Join(dir, "f"))
		require.Equal(t, 1, code)
		require.Contains(t, errOut, "hash differs")
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	})

	t.Run("UnknownFileIsSaid", func(t *testing.T) {
		t.Parallel()
		_, code, _, errOut := run(t, "x", "media", "get", "other")
		require.Equal(t, 4, code)
		require.Contains(t, errOut, "no such file (NotFound)")
	})
}

func TestMediaUpload(t *testing.T) {
	t.Parallel()

	file := func(t *testing.T, name, content string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}

	t.Run("FileIsSentWithItsTypeAndName", func(t *testing.T) {
		t.Parallel()
		content := strings.Repeat("0123456789", 60_000)
		k, code, out, errOut := run(t, "", "media", "upload", file(t, "lista.DOCX", content), "--integration", "i")
		require.Zero(t, code, errOut)
		require.Equal(t, "file-1\n", out)
		require.Equal(t, content, string(k.content))
		require.Equal(t, "i", k.header.GetIntegrationId())
		require.Equal(t, "lista.DOCX", k.header.GetFilename())
		require.Equal(t, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", k.header.GetMimeType())
	})

	t.Run("TypeComesFromTheFlagOrTheFirstBytes", func(t *testing.T) {
		t.Parallel()
		k, code, _, errOut := run(t, "", "media", "upload", file(t, "x", "\xff\xd8\xff\xe0"), "--integration", "i")
		require.Zero(t, code, errOut)
		require.Equal(t, "image/jpeg", k.header.GetMimeType())
		require.Equal(t, "\xff\xd8\xff\xe0", string(k.content))
		k, code, _, errOut = run(t, "", "media", "upload", file(t, "x.pdf", "x"), "--integration", "i", "--type", "text/plain")
		require.Zero(t, code, errOut)
		require.Equal(t, "text/plain", k.header.GetMimeType())
	})

	t.Run("RefusalIsSaid", func(t *testing.T) {
		t.Parallel()
		_, code, _, errOut := run(t, "", "media", "upload", file(t, "x.zip", "PK\x03\x04"+strings.Repeat("x", 2<<20)), "--integration", "i")
		require.Equal(t, 1, code)
		require.Contains(t, errOut, "does not take files of this MIME type (InvalidArgument)")
		_, code, _, _ = run(t, "", "media", "upload", file(t, "x.pdf", "x"))
		require.Equal(t, 2, code, "the integration is needed")
	})
}
