package rpcapi

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// FuzzRequests reads any bytes as each of the requests that others make of rag: none makes a converter fail, and what is taken
// keeps its bounds and can be stored.
func FuzzRequests(f *testing.F) {
	turns := []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: "¿Abren hoy?", Media: []*ragv1.TurnMedia{{Content: []byte("x")}}}}
	for _, m := range []proto.Message{
		&ragv1.GenerateAnswerRequest{RequestId: "1", Turns: turns, OpenTurns: 1, TopK: proto.Int32(5)},
		&ragv1.EvaluationQuestion{Id: "1", Turns: turns, Answers: []string{"sí"}},
		&ragv1.EvaluateOptions{KnowledgeBase: "tienda", TopK: proto.Int32(-1)},
		&ragv1.KnowledgeBase{Name: "tienda", AnswerThreshold: proto.Float64(0.4)},
		&ragv1.ListUsageRequest{StartDay: "2026-11-26", PageToken: pageToken("usage", "2026-11-26/tienda")},
		&ragv1.ListDocumentsRequest{PageSize: 1001, PageToken: pageToken("documents", "a\x00b")},
		&ragv1.UploadDocumentRequest_Metadata{Name: "a.md", Audience: 9, Trust: 9},
	} {
		raw, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		read(raw, func(r *ragv1.GenerateAnswerRequest) {
			require.Len(t, request(r).Turns, len(r.GetTurns()))
			require.NotEmpty(t, request(r).KnowledgeBase)
		})
		read(raw, func(r *ragv1.EvaluationQuestion) {
			if q, err := evaluationQuestion(r); err == nil {
				require.NotEmpty(t, q.Turns)
				require.NotContains(t, q.Answers, "")
			}
		})
		read(raw, func(r *ragv1.EvaluateOptions) { require.NotEmpty(t, evaluationOptions(r).KnowledgeBase) })
		read(raw, func(r *ragv1.KnowledgeBase) {
			_, _ = knowledgeBaseEdit(r, []string{"answer_threshold", "display_name"})
		})
		read(raw, func(r *ragv1.UploadDocumentRequest_Metadata) { _ = uploadOf(r) })
		read(raw, func(r *ragv1.ListUsageRequest) {
			if filter, _, err := usageFilter(r); err == nil {
				require.True(t, isText(filter.KnowledgeBase))
			}
		})
		read(raw, func(r *ragv1.ListDocumentsRequest) {
			if n, err := pageSize(r.GetPageSize()); err == nil {
				require.Positive(t, n)
				require.LessOrEqual(t, n, maxPageSize)
			}
			if after, err := pageStart("documents", r.GetPageToken()); err == nil {
				require.True(t, isText(after))
			}
		})
	})
}

// read hands a message on that the bytes are.
func read[T any, M interface {
	*T
	proto.Message
}](raw []byte, use func(M),
) {
	m := M(new(T))
	if proto.Unmarshal(raw, m) == nil {
		use(m)
	}
}
