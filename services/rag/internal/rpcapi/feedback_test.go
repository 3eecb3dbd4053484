package rpcapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

func TestQuestionsThatNoDocumentAnswersAreListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "envios.md", "# Envíos\n\nEl envío a Cali cuesta $5.")
	ask := func(texts ...string) {
		for _, text := range texts {
			_, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn(text), HumanContact: "Ana"})
			require.NoError(t, err)
		}
	}
	ask("¿Venden patines?", "¿Alquilan carpas?", "venden patines", "¿Reparan relojes?")
	// What is no question to documents is none that they leave unanswered.
	ask("hola", "gracias", "¿Cuánto cuesta el envío a Cali?", "cuéntame un chiste", "quiero hablar con una persona", "¿Dónde viene mi pedido 45871?", "👍")

	var all []*ragv1.UnansweredQuestion
	token := ""
	for {
		page, err := b.feedback.ListUnansweredQuestions(t.Context(), &ragv1.ListUnansweredQuestionsRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		all = append(all, page.GetQuestions()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	require.Len(t, all, 3)
	require.Equal(t, "venden patines", all[0].GetQuestion())
	require.EqualValues(t, 2, all[0].GetCount())
	require.Equal(t, "es", all[0].GetLanguage())
	require.NotZero(t, all[0].GetLastTime().AsTime().Year())

	_, err := b.feedback.DismissUnansweredQuestion(t.Context(), &ragv1.DismissUnansweredQuestionRequest{Id: all[0].GetId()})
	require.NoError(t, err)
	rest, err := b.feedback.ListUnansweredQuestions(t.Context(), &ragv1.ListUnansweredQuestionsRequest{})
	require.NoError(t, err)
	require.Len(t, rest.GetQuestions(), 2)
}

func TestFeedbackIsCountedByCitedDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	envios := b.create(t, "envios.md", "El envío a Cali cuesta $5.").GetId()
	pagos := b.create(t, "pagos.md", "Se paga con tarjeta.").GetId()
	record := func(request string, positive *bool, documents ...string) {
		_, err := b.feedback.RecordFeedback(t.Context(), &ragv1.RecordFeedbackRequest{RequestId: request, Positive: positive, DocumentIds: documents})
		require.NoError(t, err)
	}
	counts := func() (out [][3]any) {
		r, err := b.feedback.ListDocumentFeedback(t.Context(), &ragv1.ListDocumentFeedbackRequest{})
		require.NoError(t, err)
		for _, d := range r.GetDocuments() {
			out = append(out, [3]any{d.GetDocumentName(), d.GetPositive(), d.GetNegative()})
		}
		return out
	}
	record("r1", proto.Bool(true), envios, pagos)
	record("r2", proto.Bool(false), pagos, "no uuid")
	record("r2", proto.Bool(false), pagos)
	require.Equal(t, [][3]any{{"pagos.md", int64(1), int64(1)}, {"envios.md", int64(1), int64(0)}}, counts(), "the same twice counts once")
	record("r1", proto.Bool(false), envios, pagos)
	require.Equal(t, [][3]any{{"pagos.md", int64(0), int64(2)}, {"envios.md", int64(0), int64(1)}}, counts(), "another opinion takes the place")
	record("r2", nil)
	require.Equal(t, [][3]any{{"envios.md", int64(0), int64(1)}, {"pagos.md", int64(0), int64(1)}}, counts(), "taken back")
	_, err := b.documents.DeleteDocument(t.Context(), &ragv1.DeleteDocumentRequest{Id: envios})
	require.NoError(t, err)
	require.Equal(t, [][3]any{{"pagos.md", int64(0), int64(1)}}, counts())
}

func TestFeedbackServiceRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		call   func() error
		code   codes.Code
		reason string
	}{
		"unknown base, questions": {func() error {
			_, err := b.feedback.ListUnansweredQuestions(ctx, &ragv1.ListUnansweredQuestionsRequest{KnowledgeBase: "otra"})
			return err
		}, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND"},
		"unknown base, documents": {func() error {
			_, err := b.feedback.ListDocumentFeedback(ctx, &ragv1.ListDocumentFeedbackRequest{KnowledgeBase: "otra"})
			return err
		}, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND"},
		"page size": {func() error {
			_, err := b.feedback.ListDocumentFeedback(ctx, &ragv1.ListDocumentFeedbackRequest{PageSize: 1001})
			return err
		}, codes.InvalidArgument, "PAGE_SIZE"},
		"page token": {func() error {
			_, err := b.feedback.ListUnansweredQuestions(ctx, &ragv1.ListUnansweredQuestionsRequest{PageToken: "dW5hbnN3ZXJlZAotMQ"})
			return err
		}, codes.InvalidArgument, "PAGE_TOKEN"},
		"unknown question": {func() error {
			_, err := b.feedback.DismissUnansweredQuestion(ctx, &ragv1.DismissUnansweredQuestionRequest{Id: "8f14e45f-ceea-4e7a-9c5a-5f2b8a3b0c11"})
			return err
		}, codes.NotFound, "QUESTION_NOT_FOUND"},
		"no id": {func() error {
			_, err := b.feedback.DismissUnansweredQuestion(ctx, &ragv1.DismissUnansweredQuestionRequest{Id: "x"})
			return err
		}, codes.NotFound, "QUESTION_NOT_FOUND"},
		"no request": {func() error {
			_, err := b.feedback.RecordFeedback(ctx, &ragv1.RecordFeedbackRequest{Positive: proto.Bool(true)})
			return err
		}, codes.InvalidArgument, "REQUEST_ID"},
		"too many documents": {func() error {
			_, err := b.feedback.RecordFeedback(ctx, &ragv1.RecordFeedbackRequest{RequestId: "r", DocumentIds: make([]string, 21)})
			return err
		}, codes.InvalidArgument, "DOCUMENT_IDS"},
		"feedback of an unknown base": {func() error {
			_, err := b.feedback.RecordFeedback(ctx, &ragv1.RecordFeedbackRequest{RequestId: "r", KnowledgeBase: "otra"})
			return err
		}, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireStatus(t, c.call(), c.code, c.reason)
		})
	}
}
