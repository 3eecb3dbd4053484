package rpcapi_test

import (
	"context"
	"encoding/base64"
	"math"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/rag/internal/diagnosis"
	"github.com/knobot/knobot/services/rag/internal/erasure"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/feedback"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/transcription"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

// bundle is the API over the wire, over real storage.
type bundle struct {
	answers    ragv1.AnswerServiceClient
	documents  ragv1.DocumentServiceClient
	bases      ragv1.KnowledgeBaseServiceClient
	ingestions ragv1.IngestionServiceClient
	sources    ragv1.SourceServiceClient
	feedback   ragv1.FeedbackServiceClient
	usage      ragv1.UsageServiceClient
	diagnoses  ragv1.DiagnosticsServiceClient
	store      *postgres.Store
	inside     *ragtest.Bundle
	drain      func()
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupWith(t, nil)
}

func setupWith(t *testing.T, model llm.Model) *bundle {
	t.Helper()
	return setupOver(t, ragtest.New(t), model)
}

func setupOver(t *testing.T, inside *ragtest.Bundle, model llm.Model) *bundle {
	t.Helper()
	server := rpc.NewServer(zap.NewNop())
	answerer := orchestrator.New(inside.Searcher, inside.Store, extract.New(inside.Analyzer), model, zap.NewNop())
	book := feedback.New(inside.Store, inside.Analyzer, zap.NewNop())
	ragv1.RegisterFeedbackServiceServer(server, rpcapi.NewFeedback(book, inside.Store))
	ragv1.RegisterAnswerServiceServer(server, rpcapi.NewAnswers(book.Listen(answerer), transcription.New(nil, zap.NewNop()), erasure.New(inside.Store)))
	draining := make(chan struct{})
	rpcapi.RegisterDocuments(server, inside.Library, inside.Crawler, inside.Store, draining)
	ragv1.RegisterKnowledgeBaseServiceServer(server, rpcapi.NewKnowledgeBases(inside.Library, inside.Store, inside.Searcher))
	ragv1.RegisterUsageServiceServer(server, rpcapi.NewUsages(inside.Store))
	ragv1.RegisterDiagnosticsServiceServer(server, rpcapi.NewDiagnostics(diagnosis.New(inside.Index, inside.Store,
		func(ctx context.Context) []doctor.Finding {
			return doctor.Database(ctx, inside.Pool, postgres.Schema())
		})))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := rpc.Dial(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &bundle{
		answers: ragv1.NewAnswerServiceClient(conn), documents: ragv1.NewDocumentServiceClient(conn),
		bases: ragv1.NewKnowledgeBaseServiceClient(conn), ingestions: ragv1.NewIngestionServiceClient(conn),
		sources:  ragv1.NewSourceServiceClient(conn),
		feedback: ragv1.NewFeedbackServiceClient(conn),
		usage:    ragv1.NewUsageServiceClient(conn), diagnoses: ragv1.NewDiagnosticsServiceClient(conn),
		store:  inside.Store,
		inside: inside, drain: func() { close(draining) },
	}
}

func (b *bundle) create(t *testing.T, name, content string) *ragv1.Document {
	t.Helper()
	r, err := b.documents.CreateDocument(t.Context(), &ragv1.CreateDocumentRequest{Name: name, Content: []byte(content)})
	require.NoError(t, err)
	return r.GetDocument()
}

func turn(text string) []*ragv1.Turn {
	return []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: text}}
}

func requireStatus(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	require.Equal(t, code, status.Code(err), err)
	require.Equal(t, reason, fault.ReasonOf(err), err)
}

func TestDocumentIsAnsweredFrom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created, err := b.documents.CreateDocument(t.Context(), &ragv1.CreateDocumentRequest{
		Name: "envios.md", SourceUri: "https://example.com/envios_(1)", Content: []byte("# Envíos\n\n## Costos\n\nEl envío a Cali cuesta $5."),
	})
	require.NoError(t, err)
	require.False(t, created.GetUnchanged())
	doc := created.GetDocument()
	require.Equal(t, "default", doc.GetKnowledgeBase())
	require.Equal(t, "Envíos", doc.GetTitle())
	require.Equal(t, "text/markdown", doc.GetContentType())
	require.EqualValues(t, 1, doc.GetVersion())
	require.EqualValues(t, 1, doc.GetPassageCount())
	require.NotZero(t, doc.GetCreateTime().AsTime().Year())
	require.Empty(t, doc.GetContent())

	answer, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{
		RequestId: "r", Turns: turn("¿Cuánto cuesta el envío a Cali?"), CustomerKey: "k",
	})
	require.NoError(t, err)
	require.Equal(t, "El envío a Cali cuesta $5.\n\n_Fuente: [Envíos](https://example.com/envios_%281%29)_", answer.GetText())
	require.Equal(t, ragv1.Outcome_OUTCOME_ANSWERED, answer.GetOutcome())
	require.Equal(t, ragv1.Mode_MODE_EXTRACTIVE, answer.GetMode())
	require.Equal(t, "es", answer.GetLanguage())
	require.InDelta(t, 1, answer.GetConfidence(), 1e-9)
	require.Len(t, answer.GetCitations(), 1)
	require.Equal(t, doc.GetId(), answer.GetCitations()[0].GetDocumentId())
	require.Equal(t, "https://example.com/envios_(1)", answer.GetCitations()[0].GetSourceUri())

	found, err := b.bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: "envío a Lima"})
	require.NoError(t, err)
	require.Len(t, found.GetPassages(), 1)
	passage := found.GetPassages()[0]
	require.Equal(t, answer.GetCitations()[0].GetPassageId(), passage.GetId())
	require.Equal(t, "envios.md", passage.GetDocumentName())
	require.Equal(t, []string{"Costos"}, passage.GetHeadingPath())
	require.Positive(t, passage.GetScore())
	require.Zero(t, passage.GetCosine(), "there are no embeddings")
	require.Greater(t, passage.GetCoverage(), 0.0)
	require.Less(t, passage.GetCoverage(), 1.0)

	got, err := b.documents.GetDocument(t.Context(), &ragv1.GetDocumentRequest{Id: doc.GetId()})
	require.NoError(t, err)
	require.Contains(t, string(got.GetDocument().GetContent()), "cuesta $5")

	_, err = b.documents.DeleteDocument(t.Context(), &ragv1.DeleteDocumentRequest{Id: doc.GetId()})
	require.NoError(t, err)
	answer, err = b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn("¿Cuánto cuesta el envío a Cali?")})
	require.NoError(t, err)
	require.Equal(t, ragv1.Outcome_OUTCOME_DECLINED, answer.GetOutcome())
	_, err = b.documents.GetDocument(t.Context(), &ragv1.GetDocumentRequest{Id: doc.GetId()})
	requireStatus(t, err, codes.NotFound, "DOCUMENT_NOT_FOUND")
}

func TestBadRequestsHaveTheirStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		code   codes.Code
		reason string
		call   func() error
	}{
		"no turns": {codes.InvalidArgument, "TURNS_REQUIRED", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{})
			return err
		}},
		"role unknown": {codes.InvalidArgument, "TURN_ROLE", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{Turns: []*ragv1.Turn{{Role: 9, Text: "x"}}})
			return err
		}},
		"open turns": {codes.InvalidArgument, "OPEN_TURNS", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{Turns: turn("x"), OpenTurns: -1})
			return err
		}},
		"answer top_k 0": {codes.InvalidArgument, "TOP_K", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{Turns: turn("x"), TopK: proto.Int32(0)})
			return err
		}},
		"search top_k 21": {codes.InvalidArgument, "TOP_K", func() error {
			_, err := b.bases.SearchPassages(ctx, &ragv1.SearchPassagesRequest{Query: "x", TopK: proto.Int32(21)})
			return err
		}},
		"no model": {codes.FailedPrecondition, "MODEL_REQUIRED", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{Turns: turn("x"), RagEnabled: proto.Bool(false)})
			return err
		}},
		"knowledge base of an answer": {codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND", func() error {
			_, err := b.answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{Turns: turn("hola"), KnowledgeBase: "otra"})
			return err
		}},
		"knowledge base with NUL": {codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND", func() error {
			_, err := b.bases.GetKnowledgeBase(ctx, &ragv1.GetKnowledgeBaseRequest{Name: "a\x00"})
			return err
		}},
		"content": {codes.InvalidArgument, "CONTENT_NOT_UTF8", func() error {
			_, err := b.documents.CreateDocument(ctx, &ragv1.CreateDocumentRequest{Name: "a", Content: []byte("\xff")})
			return err
		}},
		"content too large": {codes.InvalidArgument, "CONTENT_TOO_LARGE", func() error {
			_, err := b.documents.CreateDocument(ctx, &ragv1.CreateDocumentRequest{Name: "a", Content: make([]byte, 8<<20+1)})
			return err
		}},
		"document id": {codes.NotFound, "DOCUMENT_NOT_FOUND", func() error {
			_, err := b.documents.DeleteDocument(ctx, &ragv1.DeleteDocumentRequest{Id: "'; drop"})
			return err
		}},
		"page size": {codes.InvalidArgument, "PAGE_SIZE", func() error {
			_, err := b.documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{PageSize: 1001})
			return err
		}},
		"page token": {codes.InvalidArgument, "PAGE_TOKEN", func() error {
			_, err := b.documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{PageToken: "%%%"})
			return err
		}},
		"page token of another list": {codes.InvalidArgument, "PAGE_TOKEN", func() error {
			token := base64.RawURLEncoding.EncodeToString([]byte("knowledge bases\na"))
			_, err := b.documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{PageToken: token})
			return err
		}},
		"name taken": {codes.AlreadyExists, "KNOWLEDGE_BASE_EXISTS", func() error {
			_, err := b.bases.CreateKnowledgeBase(ctx, &ragv1.CreateKnowledgeBaseRequest{Name: "default"})
			return err
		}},
		"default deleted": {codes.FailedPrecondition, "DEFAULT_KNOWLEDGE_BASE", func() error {
			_, err := b.bases.DeleteKnowledgeBase(ctx, &ragv1.DeleteKnowledgeBaseRequest{Name: "default"})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireStatus(t, c.call(), c.code, c.reason)
		})
	}
}

func TestMegabyteQuestionIsMetKindly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "a.md", "La garantía dura un año.")
	answer, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn("garantía " + strings.Repeat("a b c ", 180_000))})
	require.NoError(t, err)
	require.NotEmpty(t, answer.GetText())
	for _, question := range []string{"", "\x00", "😀"} {
		answer, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn(question), HumanContact: "123"})
		require.NoError(t, err)
		require.Equal(t, ragv1.Outcome_OUTCOME_DECLINED, answer.GetOutcome())
		require.Contains(t, answer.GetText(), "123")
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"c", "a", "b"} {
		b.create(t, name, "texto "+name)
		_, err := b.bases.CreateKnowledgeBase(t.Context(), &ragv1.CreateKnowledgeBaseRequest{Name: "kb-" + name})
		require.NoError(t, err)
	}
	var documents, bases []string
	for token := ""; ; {
		page, err := b.documents.ListDocuments(t.Context(), &ragv1.ListDocumentsRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		for _, d := range page.GetDocuments() {
			documents = append(documents, d.GetName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for token := ""; ; {
		page, err := b.bases.ListKnowledgeBases(t.Context(), &ragv1.ListKnowledgeBasesRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		for _, kb := range page.GetKnowledgeBases() {
			bases = append(bases, kb.GetName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	require.Equal(t, []string{"a", "b", "c"}, documents)
	require.Equal(t, []string{"default", "kb-a", "kb-b", "kb-c"}, bases)
}

func TestKnowledgeBaseIsReindexed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "a", "Vendemos trompos.")
	started, err := b.bases.ReindexKnowledgeBase(t.Context(), &ragv1.ReindexKnowledgeBaseRequest{})
	require.NoError(t, err)
	require.True(t, started.GetKnowledgeBase().GetReindexing())
	require.EqualValues(t, 1, started.GetKnowledgeBase().GetPassageCount())
	require.NoError(t, b.inside.Keeper.Inspect(t.Context()))
	done, err := b.bases.GetKnowledgeBase(t.Context(), &ragv1.GetKnowledgeBaseRequest{})
	require.NoError(t, err)
	require.False(t, done.GetKnowledgeBase().GetReindexing())
	found, err := b.bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: "trompos"})
	require.NoError(t, err)
	require.Len(t, found.GetPassages(), 1)
	_, err = b.bases.ReindexKnowledgeBase(t.Context(), &ragv1.ReindexKnowledgeBaseRequest{Name: "otra"})
	requireStatus(t, err, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND")
}

func update(name, display string, threshold *float64, paths ...string) *ragv1.UpdateKnowledgeBaseRequest {
	return &ragv1.UpdateKnowledgeBaseRequest{
		KnowledgeBase: &ragv1.KnowledgeBase{Name: name, DisplayName: display, AnswerThreshold: threshold},
		UpdateMask:    &fieldmaskpb.FieldMask{Paths: paths},
	}
}

func TestUpdateOfAKnowledgeBaseIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		request *ragv1.UpdateKnowledgeBaseRequest
		code    codes.Code
		reason  string
	}{
		"nothing":       {&ragv1.UpdateKnowledgeBaseRequest{}, codes.InvalidArgument, "UPDATE_MASK"},
		"other field":   {update("default", "", nil, "name"), codes.InvalidArgument, "UPDATE_MASK"},
		"all":           {update("default", "", nil, "*"), codes.InvalidArgument, "UPDATE_MASK"},
		"above":         {update("default", "", proto.Float64(1.1), "answer_threshold"), codes.InvalidArgument, "ANSWER_THRESHOLD"},
		"below":         {update("default", "", proto.Float64(-0.1), "answer_threshold"), codes.InvalidArgument, "ANSWER_THRESHOLD"},
		"no number":     {update("default", "", proto.Float64(math.NaN()), "answer_threshold"), codes.InvalidArgument, "ANSWER_THRESHOLD"},
		"long name":     {update("default", strings.Repeat("x", 257), nil, "display_name"), codes.InvalidArgument, "DISPLAY_NAME"},
		"unknown":       {update("otra", "x", nil, "display_name"), codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND"},
		"unknown, \x00": {update("otra\x00", "x", nil, "display_name"), codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.bases.UpdateKnowledgeBase(t.Context(), c.request)
			requireStatus(t, err, c.code, c.reason)
		})
	}
}

func TestKnowledgeBases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created, err := b.bases.CreateKnowledgeBase(t.Context(), &ragv1.CreateKnowledgeBaseRequest{Name: "otra"})
	require.NoError(t, err)
	require.Equal(t, "otra", created.GetKnowledgeBase().GetDisplayName())
	_, err = b.documents.CreateDocument(t.Context(), &ragv1.CreateDocumentRequest{KnowledgeBase: "otra", Name: "a", Content: []byte("Un secreto.")})
	require.NoError(t, err)
	updated, err := b.bases.UpdateKnowledgeBase(t.Context(), update("otra", "Tienda", proto.Float64(0.4), "display_name", "answer_threshold"))
	require.NoError(t, err)
	require.Equal(t, "Tienda", updated.GetKnowledgeBase().GetDisplayName())
	require.InDelta(t, 0.4, updated.GetKnowledgeBase().GetAnswerThreshold(), 1e-9)
	updated, err = b.bases.UpdateKnowledgeBase(t.Context(), update("otra", "", nil, "display_name"))
	require.NoError(t, err)
	require.Equal(t, "otra", updated.GetKnowledgeBase().GetDisplayName(), "empty is the name")
	require.NotNil(t, updated.GetKnowledgeBase().AnswerThreshold, "what the mask does not name stays")
	updated, err = b.bases.UpdateKnowledgeBase(t.Context(), update("otra", "x", nil, "answer_threshold"))
	require.NoError(t, err)
	require.Nil(t, updated.GetKnowledgeBase().AnswerThreshold)
	got, err := b.bases.GetKnowledgeBase(t.Context(), &ragv1.GetKnowledgeBaseRequest{Name: "otra"})
	require.NoError(t, err)
	require.EqualValues(t, 1, got.GetKnowledgeBase().GetDocumentCount())
	found, err := b.bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: "secreto"})
	require.NoError(t, err)
	require.Empty(t, found.GetPassages(), "another knowledge base's passages are never found")
	_, err = b.bases.DeleteKnowledgeBase(t.Context(), &ragv1.DeleteKnowledgeBaseRequest{Name: "otra"})
	require.NoError(t, err)
	_, err = b.bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{KnowledgeBase: "otra", Query: "secreto"})
	requireStatus(t, err, codes.NotFound, "KNOWLEDGE_BASE_NOT_FOUND")
}
