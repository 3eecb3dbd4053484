package rpcapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

// streamed asks and returns the drafts and the answer.
func streamed(t *testing.T, b *bundle, r *ragv1.GenerateAnswerRequest) (drafts []string, answer *ragv1.GenerateAnswerResponse, err error) {
	t.Helper()
	stream, err := b.answers.StreamAnswer(t.Context(), &ragv1.StreamAnswerRequest{Request: r})
	require.NoError(t, err)
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return drafts, answer, nil
		}
		if err != nil {
			return drafts, answer, err
		}
		require.Nil(t, answer, "the answer comes last")
		if answer = part.GetAnswer(); answer == nil {
			drafts = append(drafts, part.GetDraft())
		}
	}
}

func TestStreamAnswerShowsDraftsAndEndsWithTheAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, piece := range []string{"EVIDENCE [1]: \"La garantía dura 12 meses.\"\n", "La garantía dura 12 meses [1]. ", "Nada más. ", "Y ya."} {
			fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", piece)
		}
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(server.Close)
	b := setupWith(t, llm.NewOpenAI(llm.OpenAIConfig{BaseURL: server.URL, Model: "m"}))
	b.create(t, "garantia.md", "# Garantía\n\nLa garantía dura 12 meses.")
	drafts, answer, err := streamed(t, b, &ragv1.GenerateAnswerRequest{Turns: turn("¿Cuánto dura la garantía?")})
	require.NoError(t, err)
	require.Equal(t, []string{"La garantía dura 12 meses.", "La garantía dura 12 meses. Nada más."}, drafts)
	require.Equal(t, ragv1.Mode_MODE_GENERATED, answer.GetMode())
	require.Len(t, answer.GetCitations(), 1)

	can, err := b.answers.GetCapabilities(t.Context(), &ragv1.GetCapabilitiesRequest{})
	require.NoError(t, err)
	require.True(t, can.GetStreaming())
}

func TestStreamAnswerWithoutAModel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "garantia.md", "# Garantía\n\nLa garantía dura 12 meses.")
	ask := &ragv1.GenerateAnswerRequest{Turns: turn("¿Cuánto dura la garantía?")}
	drafts, answer, err := streamed(t, b, ask)
	require.NoError(t, err)
	require.Empty(t, drafts)
	whole, err := b.answers.GenerateAnswer(t.Context(), ask)
	require.NoError(t, err)
	require.True(t, proto.Equal(whole, answer))
	can, err := b.answers.GetCapabilities(t.Context(), &ragv1.GetCapabilitiesRequest{})
	require.NoError(t, err)
	require.False(t, can.GetStreaming())

	for reason, bad := range map[string]*ragv1.GenerateAnswerRequest{
		"TURNS_REQUIRED": nil, "TURN_ROLE": {Turns: []*ragv1.Turn{{Role: 9, Text: "x"}}}, "TOP_K": {Turns: turn("x"), TopK: proto.Int32(21)},
	} {
		_, _, err := streamed(t, b, bad)
		requireStatus(t, err, codes.InvalidArgument, reason)
	}
	_, _, err = streamed(t, b, &ragv1.GenerateAnswerRequest{Turns: turn("x"), RagEnabled: proto.Bool(false)})
	requireStatus(t, err, codes.FailedPrecondition, "MODEL_REQUIRED")
	_, _, err = streamed(t, b, &ragv1.GenerateAnswerRequest{Turns: turn("x"), KnowledgeBase: "otra"})
	requireStatus(t, err, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND")
}
