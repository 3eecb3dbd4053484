package admin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

func TestEvaluationIsOneObjectAfterTheOther(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.services.say(nil, &ragv1.EvaluateResponse{Total: &ragv1.Metrics{Questions: 2}})
	question := `{"question": {"id": "q", "turns": [{"text": "` + strings.Repeat("¿Abren hoy? ", maxJSONBytes/16) + `"}]}}` + "\n"
	got := s.post(t, "/api/v1/evaluations", `{"options": {"knowledgeBase": "tienda"}}`+"\n"+question+question)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"questions":2`)
	call := s.services.last(t)
	require.Equal(t, ragv1.EvaluationService_Evaluate_FullMethodName, call.method)
	require.Len(t, call.messages, 3)
	var options, last ragv1.EvaluateRequest
	call.into(t, 0, &options)
	call.into(t, 2, &last)
	require.Equal(t, "tienda", options.GetOptions().GetKnowledgeBase())
	require.Equal(t, "q", last.GetQuestion().GetId())
}

func TestEvaluationsAreBounded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	got := s.post(t, "/api/v1/evaluations", `{"question": {"id": "`+strings.Repeat("x", maxEvaluationBytes)+`"}}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	require.Equal(t, "BODY_TOO_LARGE", got.reason(t))
	got = s.post(t, "/api/v1/evaluations", `{"options": {}} {"question": `)
	require.Equal(t, http.StatusBadRequest, got.status, got.body)
	require.Empty(t, s.services.all(), "what breaks off is not measured")
}
