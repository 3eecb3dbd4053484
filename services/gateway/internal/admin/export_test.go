package admin

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/httpbody"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

func TestExportIsOneDocumentWhateverItsPieces(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	piece := func(text string) *conversationv1.ExportUserResponse {
		return &conversationv1.ExportUserResponse{Body: &httpbody.HttpBody{ContentType: "application/json", Data: []byte(text)}}
	}
	s.services.say(nil, piece(`{"user": {"id": "7"},`), piece(` "messages": ["hola"]`), piece(`}`))
	got := s.get(t, "/api/v1/users/7:export")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.JSONEq(t, `{"user": {"id": "7"}, "messages": ["hola"]}`, got.body)
	var asked conversationv1.ExportUserRequest
	s.services.last(t).into(t, 0, &asked)
	require.Equal(t, "7", asked.GetId())
}
