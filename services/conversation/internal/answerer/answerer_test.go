package answerer_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/answerer/ragtest"
)

func question() conversation.Question {
	return conversation.Question{Request: "r1", Customer: "u1", Open: []string{"hola"}, RAG: true, Passages: 5}
}

func TestAnswer(t *testing.T) {
	t.Parallel()

	t.Run("AsksWithRolesAndSettings", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		q := question()
		q.History = []conversation.PastMessage{{Role: conversation.Customer, Text: "a"}, {Role: conversation.Assistant, Text: "b"}, {Role: conversation.Staff, Text: "c"}}
		q.RAG, q.Language, q.Contexts = false, "pt", []string{"el casco rojo"}
		answer, err := answerer.New(rag.Conn, time.Second).Answer(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, "respuesta a: hola", answer.Text)
		asked := rag.Asked()[0]
		var roles []ragv1.Turn_Role
		for _, turn := range asked.GetTurns() {
			roles = append(roles, turn.GetRole())
		}
		require.Equal(t, []ragv1.Turn_Role{
			ragv1.Turn_ROLE_CUSTOMER, ragv1.Turn_ROLE_ASSISTANT, ragv1.Turn_ROLE_STAFF, ragv1.Turn_ROLE_CUSTOMER,
		}, roles)
		require.EqualValues(t, 1, asked.GetOpenTurns())
		require.Equal(t, "el casco rojo", asked.GetTurns()[3].GetContext())
		require.Empty(t, asked.GetTurns()[0].GetContext())
		require.Equal(t, "r1", asked.GetRequestId())
		require.Equal(t, "u1", asked.GetCustomerKey())
		require.Equal(t, "pt", asked.GetLanguage())
		require.False(t, asked.GetRagEnabled())
		require.NotNil(t, asked.RagEnabled, "off is said, not left out")
	})

	for name, c := range map[string]struct {
		err     error
		verdict conversation.Verdict
	}{
		"throttled waits":               {fault.New(fault.Throttled, "BUDGET_SPENT", "x"), conversation.Wait},
		"invalid is final":              {fault.New(fault.Invalid, "TURNS_INVALID", "x"), conversation.Refused},
		"unavailable is tried again":    {fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "x"), conversation.Retry},
		"missing base is tried again":   {fault.New(fault.NotFound, "KNOWLEDGE_BASE_NOT_FOUND", "x"), conversation.Retry},
		"missing model is tried again":  {fault.New(fault.Precondition, "MODEL_REQUIRED", "x"), conversation.Retry},
		"internal fault is tried again": {fault.New(fault.Internal, "X", "x"), conversation.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rag := ragtest.New(t)
			rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) { return "", c.err })
			_, err := answerer.New(rag.Conn, time.Second).Answer(t.Context(), question())
			var p *conversation.PeerError
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.verdict, p.Verdict)
		})
	}

	t.Run("HangingModelIsAFailureAfterTheTimeout", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.OnAnswer(func(ctx context.Context, _ *ragv1.GenerateAnswerRequest) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		_, err := answerer.New(rag.Conn, 20*time.Millisecond).Answer(t.Context(), question())
		var p *conversation.PeerError
		require.ErrorAs(t, err, &p)
		require.Equal(t, conversation.Retry, p.Verdict)
	})

	t.Run("EmptyAnswerIsAFailure", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.OnAnswer(func(context.Context, *ragv1.GenerateAnswerRequest) (string, error) { return " \n", nil })
		_, err := answerer.New(rag.Conn, time.Second).Answer(t.Context(), question())
		require.ErrorContains(t, err, "EMPTY_ANSWER")
	})

	t.Run("PeerThatIsAwayIsNotCalled", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		require.NoError(t, rag.Conn.Close())
		_, err := answerer.New(rag.Conn, time.Second).Answer(t.Context(), question())
		var p *conversation.PeerError
		require.ErrorAs(t, err, &p)
		require.Equal(t, conversation.Away, p.Verdict)
	})
}

func TestStream(t *testing.T) {
	t.Parallel()

	ask := func(t *testing.T, rag *ragtest.Server, timeout time.Duration) (drafts []string, text string, err error) {
		t.Helper()
		answer, err := answerer.New(rag.Conn, timeout).Stream(t.Context(), question(), func(d string) { drafts = append(drafts, d) })
		return drafts, answer.Text, err
	}

	t.Run("HandsDraftsOnAndReturnsTheAnswer", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		rag.OnStream(func(_ context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
			draft("a")
			draft("a b")
			return "a b c", nil
		})
		drafts, text, err := ask(t, rag, 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "a b"}, drafts)
		require.Equal(t, "a b c", text)
		require.Equal(t, "u1", rag.Asked()[0].GetCustomerKey())
	})

	t.Run("RagOfTheVersionBeforeIsAskedForTheWholeAnswer", func(t *testing.T) {
		t.Parallel()
		drafts, text, err := ask(t, ragtest.New(t), 10*time.Second)
		require.NoError(t, err)
		require.Empty(t, drafts)
		require.Equal(t, "respuesta a: hola", text)
	})

	for name, c := range map[string]struct {
		answer  func(ctx context.Context, draft func(string)) (string, error)
		verdict conversation.Verdict
		reason  string
	}{
		"throttled waits": {func(context.Context, func(string)) (string, error) {
			return "", fault.New(fault.Throttled, "BUDGET_SPENT", "x")
		}, conversation.Wait, "BUDGET_SPENT"},
		"break after a draft is tried again": {func(_ context.Context, draft func(string)) (string, error) {
			draft("a")
			return "", fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "x")
		}, conversation.Retry, "INDEX_UNAVAILABLE"},
		"end without an answer is tried again": {func(_ context.Context, draft func(string)) (string, error) {
			draft("a")
			return "", nil
		}, conversation.Retry, "EMPTY_ANSWER"},
		"hanging stream is tried again": {func(ctx context.Context, draft func(string)) (string, error) {
			draft("a")
			<-ctx.Done()
			return "", ctx.Err()
		}, conversation.Retry, "DeadlineExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rag := ragtest.New(t)
			rag.OnStream(func(ctx context.Context, _ *ragv1.GenerateAnswerRequest, draft func(string)) (string, error) {
				return c.answer(ctx, draft)
			})
			_, _, err := ask(t, rag, 500*time.Millisecond)
			var p *conversation.PeerError
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.verdict, p.Verdict)
			require.Equal(t, c.reason, p.Reason)
		})
	}

	t.Run("PeerThatIsAwayIsNotCalled", func(t *testing.T) {
		t.Parallel()
		rag := ragtest.New(t)
		require.NoError(t, rag.Conn.Close())
		_, _, err := ask(t, rag, time.Second)
		var p *conversation.PeerError
		require.ErrorAs(t, err, &p)
		require.Equal(t, conversation.Away, p.Verdict)
	})
}
