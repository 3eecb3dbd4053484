package rpcapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

func TestForgottenCustomerLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := b.create(t, "envios.md", "El envío a Cali cuesta $5.").GetId()
	ask := func(customer, text string) {
		_, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn(text), CustomerKey: customer})
		require.NoError(t, err)
	}
	ask("ana", "¿Venden patines de Quijorna?")
	ask("ana", "¿Alquilan carpas?")
	ask("eva", "¿Alquilan carpas?")
	ask("", "¿Reparan relojes?")
	for _, request := range []string{"of-ana", "of-eva"} {
		_, err := b.feedback.RecordFeedback(t.Context(), &ragv1.RecordFeedbackRequest{RequestId: request, Positive: proto.Bool(true), DocumentIds: []string{document}})
		require.NoError(t, err)
	}
	take := func(customer string) bool {
		taken, err := b.store.TakeAnswer(t.Context(), time.Now().UTC(), []usage.Allowance{{Kind: "customer", Name: customer, Limit: 1}})
		require.NoError(t, err)
		return taken
	}
	require.True(t, take("ana"))
	require.True(t, take("eva"))

	for range 2 { // it may be repeated
		_, err := b.answers.Forget(t.Context(), &ragv1.ForgetRequest{CustomerKey: "ana", RequestIds: []string{"of-ana", "unknown"}})
		require.NoError(t, err)
	}

	left, err := b.feedback.ListUnansweredQuestions(t.Context(), &ragv1.ListUnansweredQuestionsRequest{})
	require.NoError(t, err)
	var questions []string
	for _, q := range left.GetQuestions() {
		questions = append(questions, q.GetQuestion())
	}
	require.ElementsMatch(t, []string{"¿Alquilan carpas?", "¿Reparan relojes?"}, questions, "what others asked last stays")
	counts, err := b.feedback.ListDocumentFeedback(t.Context(), &ragv1.ListDocumentFeedbackRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 1, counts.GetDocuments()[0].GetPositive())
	require.True(t, take("ana"), "nobody remembers her")
	require.False(t, take("eva"))
}

func TestForgetRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		request *ragv1.ForgetRequest
		reason  string
	}{
		"nobody":            {&ragv1.ForgetRequest{}, "CUSTOMER_KEY"},
		"no key":            {&ragv1.ForgetRequest{CustomerKey: "a\x00"}, "CUSTOMER_KEY"},
		"a long key":        {&ragv1.ForgetRequest{CustomerKey: strings.Repeat("a", 257)}, "CUSTOMER_KEY"},
		"too many answers":  {&ragv1.ForgetRequest{CustomerKey: "ana", RequestIds: make([]string, 1001)}, "REQUEST_IDS"},
		"no answer's name":  {&ragv1.ForgetRequest{CustomerKey: "ana", RequestIds: []string{"ñ"}}, "REQUEST_IDS"},
		"a long one's name": {&ragv1.ForgetRequest{CustomerKey: "ana", RequestIds: []string{strings.Repeat("a", 257)}}, "REQUEST_IDS"},
	} {
		_, err := b.answers.Forget(t.Context(), c.request)
		requireStatus(t, err, codes.InvalidArgument, c.reason)
		require.NotContains(t, err.Error(), "aaaa", name)
	}
}
