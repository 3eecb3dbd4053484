package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// aimock is somebody else's fake of the APIs of models, and what it was asked.
type aimock struct{ url string }

// fault is what goes wrong before an answer comes.
type fault struct {
	Status    int  `json:"status,omitempty"`
	Malformed bool `json:"malformed,omitempty"`
	// CutAfter chunks a stream breaks off.
	CutAfter int `json:"cutAfter,omitempty"`
}

// scripted is what the fake's model says to a question.
type scripted struct {
	Question     string  `json:"question"`
	Text         string  `json:"text"`
	InputTokens  int64   `json:"inputTokens"`
	OutputTokens int64   `json:"outputTokens"`
	Faults       []fault `json:"faults,omitempty"`
}

const (
	judgedKey        = "sk-judged"
	judgedTranscript = "¿Cuánto cuesta el envío?"
)

func startAimock(t *testing.T, answers ...scripted) *aimock {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", filepath.Join(judges(), "aimock.mjs"))
	node.Stderr = os.Stderr
	in, err := node.StdinPipe()
	require.NoError(t, err)
	out, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() {
		_ = in.Close() // ends it
		_ = node.Wait()
	})
	require.NoError(t, json.NewEncoder(in).Encode(map[string]any{"key": judgedKey, "answers": append([]scripted{}, answers...), "transcript": judgedTranscript}))
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var started struct {
		URL string `json:"url"`
	}
	require.NoError(t, json.Unmarshal(line, &started))
	return &aimock{url: started.URL}
}

// environment points rag at the fake by one provider's protocol.
func (a *aimock) environment(provider string) map[string]string {
	base := a.url
	if provider == "openai" {
		base += "/v1"
	}
	return map[string]string{
		"KNOBOT_LLM_PROVIDER": provider, "KNOBOT_LLM_BASE_URL": base, "KNOBOT_LLM_API_KEY": judgedKey, "KNOBOT_LLM_MODEL": "judged",
	}
}

// statuses are what the fake answered to each path, in order.
func (a *aimock) statuses(t *testing.T) map[string][]int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"/__aimock/journal", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+judgedKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var entries []struct {
		Path     string `json:"path"`
		Response struct {
			Status int `json:"status"`
		} `json:"response"`
	}
	require.NoError(t, json.Unmarshal(body, &entries), "%s", body)
	out := map[string][]int{}
	for _, e := range entries {
		out[e.Path] = append(out[e.Path], e.Response.Status)
	}
	return out
}

// judgedDocument is what the fake's model quotes.
const judgedDocument = "# Envíos\n\nEl envío a domicilio cuesta cuatro euros y tarda dos días.\n"

// quoting is an answer that proves itself by the document.
func quoting(question string, faults ...fault) scripted {
	return scripted{
		Question: question, InputTokens: 321, OutputTokens: 45, Faults: faults,
		Text: "EVIDENCE [1]: \"El envío a domicilio cuesta cuatro euros y tarda dos días.\"\nSon cuatro euros [1]. Llega en dos días [1].",
	}
}

func asking(question string) *ragv1.GenerateAnswerRequest {
	return &ragv1.GenerateAnswerRequest{
		RequestId: "judged", Turns: []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: question}},
	}
}

// stream returns the drafts and the answer.
func stream(t *testing.T, s *system.System, question string) (drafts []string, answer *ragv1.GenerateAnswerResponse) {
	t.Helper()
	parts, err := ragv1.NewAnswerServiceClient(s.Conn(s.RAG)).StreamAnswer(t.Context(), &ragv1.StreamAnswerRequest{Request: asking(question)})
	require.NoError(t, err)
	for {
		part, err := parts.Recv()
		if errors.Is(err, io.EOF) {
			return drafts, answer
		}
		require.NoError(t, err)
		if draft := part.GetDraft(); draft != "" {
			drafts = append(drafts, draft)
		}
		if part.GetAnswer() != nil {
			answer = part.GetAnswer()
		}
	}
}

// TestJudgeAimockTakesOurClientsForItsOwn has both protocols of models spoken with aimock, which checks keys and requests and
// writes the answers and errors.
func TestJudgeAimockTakesOurClientsForItsOwn(t *testing.T) {
	t.Parallel()
	judge(t)
	const (
		plain   = "¿Cuánto cuesta el envío a domicilio?"
		throng  = "¿Cuánto cuesta hoy el envío a domicilio?"
		garbled = "¿Cuánto tarda el envío a domicilio?"
		broken  = "¿Cuánto cuesta y tarda el envío a domicilio?"
		refused = "¿Cuánto cuesta un envío a domicilio?"
	)
	for provider, path := range map[string]string{"openai": "/v1/chat/completions", "anthropic": "/v1/messages"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			fake := startAimock(t, quoting(plain), quoting(throng, fault{Status: http.StatusTooManyRequests}),
				quoting(garbled, fault{Malformed: true}), quoting(broken, fault{CutAfter: 3}),
				quoting(refused, fault{Status: http.StatusBadRequest}))
			s := start(t, fake.environment(provider))
			require.NoError(t, s.Store(t.Context(), "envios.md", judgedDocument))
			answers := ragv1.NewAnswerServiceClient(s.Conn(s.RAG))
			ask := func(question string) *ragv1.GenerateAnswerResponse {
				answer, err := answers.GenerateAnswer(t.Context(), asking(question))
				require.NoError(t, err)
				return answer
			}
			requireGenerated := func(answer *ragv1.GenerateAnswerResponse) {
				t.Helper()
				require.Equal(t, ragv1.Mode_MODE_GENERATED, answer.GetMode(), answer.GetText())
				require.True(t, strings.HasPrefix(answer.GetText(), "Son cuatro euros"), answer.GetText())
				require.EqualValues(t, 321, answer.GetUsage().GetInputTokens())
				require.EqualValues(t, 45, answer.GetUsage().GetOutputTokens())
				require.Equal(t, provider+"/judged", answer.GetUsage().GetModel())
			}
			requireExtracted := func(answer *ragv1.GenerateAnswerResponse) {
				t.Helper()
				require.Equal(t, ragv1.Mode_MODE_EXTRACTIVE, answer.GetMode(), answer.GetText())
				require.Contains(t, answer.GetText(), "cuesta cuatro euros y tarda dos días")
			}

			requireGenerated(ask(plain))
			drafts, streamed := stream(t, s, plain)
			requireGenerated(streamed)
			require.NotEmpty(t, drafts)
			require.True(t, strings.HasPrefix(drafts[len(drafts)-1], "Son cuatro euros"), drafts)
			require.Equal(t, []int{200, 200}, fake.statuses(t)[path])

			requireGenerated(ask(throng))
			require.Equal(t, []int{200, 200, 429, 200}, fake.statuses(t)[path], "tried again after Retry-After")

			_, mended := stream(t, s, broken)
			requireGenerated(mended)
			require.Len(t, fake.statuses(t)[path], 6, "a stream that breaks off is asked for again whole")

			requireExtracted(ask(garbled))
			requireExtracted(ask(refused))
			for other, statuses := range fake.statuses(t) {
				require.Contains(t, []string{path, "/__aimock/journal"}, other, "%v", statuses)
			}
		})
	}
}

// TestJudgeAimockReadsEmbeddingsAndVoice has aimock make vectors and a transcript.
func TestJudgeAimockReadsEmbeddingsAndVoice(t *testing.T) {
	t.Parallel()
	judge(t)
	fake := startAimock(t)
	s := start(t, map[string]string{
		"KNOBOT_EMBEDDING_PROVIDER": "openai", "KNOBOT_EMBEDDING_BASE_URL": fake.url + "/v1", "KNOBOT_EMBEDDING_API_KEY": judgedKey,
		"KNOBOT_EMBEDDING_MODEL": "text-embedding-3-small", "KNOBOT_TRANSCRIPTION_BASE_URL": fake.url + "/v1",
		"KNOBOT_TRANSCRIPTION_API_KEY": judgedKey, "KNOBOT_TRANSCRIPTION_MODEL": "whisper-1",
	})
	said, err := ragv1.NewAnswerServiceClient(s.Conn(s.RAG)).Transcribe(t.Context())
	require.NoError(t, err)
	require.NoError(t, said.Send(&ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Header{
		Header: &ragv1.TranscribeHeader{RequestId: "judged", MimeType: "audio/ogg", Filename: "nota.ogg"},
	}}))
	require.NoError(t, said.Send(&ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Chunk{Chunk: []byte("OggS and more")}}))
	transcript, err := said.CloseAndRecv()
	require.NoError(t, err)
	require.Equal(t, judgedTranscript, transcript.GetText())
	require.Equal(t, []int{200}, fake.statuses(t)["/v1/audio/transcriptions"])

	require.NoError(t, s.Store(t.Context(), "envios.md", judgedDocument))
	bases := ragv1.NewKnowledgeBaseServiceClient(s.Conn(s.RAG))
	eventually(t, 30*time.Second, func() bool {
		found, err := bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: "zafarrancho"})
		require.NoError(t, err)
		return len(found.GetPassages()) == 1 && found.GetPassages()[0].GetScore() == 0 && found.GetPassages()[0].GetCosine() != 0
	}, "a passage without a word of the query is found by its vector")
	statuses := fake.statuses(t)["/v1/embeddings"]
	require.GreaterOrEqual(t, len(statuses), 3, "for the model's measure, the document and the query")
	require.Equal(t, slices.Repeat([]int{200}, len(statuses)), statuses)
}

// TestJudgeAimockRefusesAnotherKey shows that the judge looks: with another key every call is refused, and the documents answer.
func TestJudgeAimockRefusesAnotherKey(t *testing.T) {
	t.Parallel()
	judge(t)
	for _, provider := range []string{"openai", "anthropic"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			const question = "¿Cuánto cuesta el envío a domicilio?"
			fake := startAimock(t, quoting(question))
			env := fake.environment(provider)
			env["KNOBOT_LLM_API_KEY"] = "sk-another"
			s := start(t, env)
			require.NoError(t, s.Store(t.Context(), "envios.md", judgedDocument))
			answer, err := ragv1.NewAnswerServiceClient(s.Conn(s.RAG)).GenerateAnswer(t.Context(), asking(question))
			require.NoError(t, err)
			require.Equal(t, ragv1.Mode_MODE_EXTRACTIVE, answer.GetMode())
		})
	}
}
