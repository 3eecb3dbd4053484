package answerer_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/answerer/ragtest"
	"github.com/knobot/knobot/services/conversation/internal/peer/peertest"
)

// pieces is a recording that comes in parts, and breaks off with an error if there is one.
func pieces(err error, parts ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, p := range parts {
			if !yield([]byte(p), nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func verdict(t *testing.T, err error) conversation.Verdict {
	t.Helper()
	var p *conversation.PeerError
	require.ErrorAs(t, err, &p)
	return p.Verdict
}

func TestTranscribe(t *testing.T) {
	t.Parallel()
	note := conversation.VoiceNote{Request: "r1", MIMEType: "audio/ogg", Filename: "v.ogg"}

	t.Run("HandsTheWholeRecordingOverInSmallPieces", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { return "  hola\x00 ", nil })
		large := strings.Repeat("x", 5<<19)
		text, err := answerer.NewSenses(rag.Conn).Transcribe(t.Context(), note, pieces(nil, "Ogg", large, "S"))
		require.NoError(t, err)
		require.Equal(t, "hola", text, "as it can be stored")
		heard := rag.Heard()[0]
		require.Equal(t, "Ogg"+large+"S", heard.Recording)
		require.Equal(t, "r1", heard.Header.GetRequestId())
		require.Equal(t, "audio/ogg", heard.Header.GetMimeType())
		require.Equal(t, "v.ogg", heard.Header.GetFilename())
	})

	t.Run("EachErrorHasItsVerdict", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			err     error
			verdict conversation.Verdict
		}{
			{fault.New(fault.Invalid, "AUDIO_REFUSED", "x"), conversation.Refused},
			{fault.New(fault.Precondition, "TRANSCRIPTION_OFF", "x"), conversation.Refused},
			{fault.New(fault.Throttled, "TRANSCRIBER_BUSY", "x"), conversation.Wait},
			{fault.New(fault.Unavailable, "TRANSCRIBER_UNAVAILABLE", "x"), conversation.Retry},
			{fault.New(fault.Internal, "X", "x"), conversation.Retry},
		} {
			rag := ragtest.New(t)
			rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { return "", c.err })
			_, err := answerer.NewSenses(rag.Conn).Transcribe(t.Context(), note, pieces(nil, "x"))
			require.Equal(t, c.verdict, verdict(t, err), c.err)
		}
	})

	t.Run("RefusalAtTheHeaderIsSeenThoughTheRecordingGoesOn", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t) // it does not listen
		endless := func(yield func([]byte, error) bool) {
			for yield(make([]byte, 1<<20), nil) {
			}
		}
		_, err := answerer.NewSenses(rag.Conn).Transcribe(t.Context(), note, endless)
		require.ErrorContains(t, err, "TRANSCRIPTION_OFF")
	})

	t.Run("BrokenRecordingIsItsOwnError", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.OnTranscribe(func(context.Context, ragtest.Heard) (string, error) { return "half", nil })
		broken := errors.New("broken")
		_, err := answerer.NewSenses(rag.Conn).Transcribe(t.Context(), note, pieces(broken, "x"))
		require.ErrorIs(t, err, broken)
		require.Empty(t, rag.Heard(), "half a recording is not transcribed")
	})

	t.Run("PeerThatIsAwayIsNotCalled", func(t *testing.T) {
		t.Parallel()
		conn, err := rpc.Dial("passthrough:///127.0.0.1:1")
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		senses := answerer.NewSenses(conn)
		require.Eventually(t, func() bool {
			_, err := senses.Transcribe(t.Context(), note, pieces(nil, "x"))
			_, able := senses.Able(t.Context())
			return verdict(t, err) == conversation.Away && verdict(t, able) == conversation.Away
		}, 10*time.Second, time.Millisecond)
	})
}

func TestAbilities(t *testing.T) {
	t.Parallel()

	t.Run("AreAskedForOnceAMinute", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.Can(func(c *ragv1.GetCapabilitiesResponse) { c.Documents = true })
		senses := answerer.NewSenses(rag.Conn)
		for range 3 {
			able, err := senses.Able(t.Context())
			require.NoError(t, err)
			require.Equal(t, conversation.Abilities{Documents: true}, able)
		}
		require.Equal(t, 1, rag.Questions())
	})

	t.Run("AreAskedForAgainWhenNobodyListensAnyMore", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		senses := answerer.NewSenses(rag.Conn)
		_, err := senses.Able(t.Context())
		require.NoError(t, err)
		_, err = senses.Transcribe(t.Context(), conversation.VoiceNote{}, pieces(nil, "x"))
		require.Error(t, err)
		_, err = senses.Able(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, rag.Questions())
	})

	t.Run("TheVersionBeforeHasNone", func(t *testing.T) {
		t.Parallel()
		conn := peertest.Serve(t, func(*grpc.Server) {})
		able, err := answerer.NewSenses(conn).Able(t.Context())
		require.NoError(t, err)
		require.Zero(t, able)
	})
}

func TestFilesGoWithTheirTexts(t *testing.T) {
	t.Parallel()
	rag := ragtest.New(t)
	q := question()
	q.Open = []string{"a", ""}
	q.Files = [][]conversation.File{nil, {{MIMEType: "image/png", Filename: "f.png", Content: []byte("png")}}}
	_, err := answerer.New(rag.Conn, time.Second).Answer(t.Context(), q)
	require.NoError(t, err)
	turns := rag.Asked()[0].GetTurns()
	require.Empty(t, turns[0].GetMedia())
	require.Len(t, turns[1].GetMedia(), 1)
	require.Equal(t, "image/png", turns[1].GetMedia()[0].GetMimeType())
	require.Equal(t, "f.png", turns[1].GetMedia()[0].GetFilename())
	require.Equal(t, "png", string(turns[1].GetMedia()[0].GetContent()))
}
