package command

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/knobot/knobot/cli/internal/present"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// evalTimeout bounds an evaluation: 10,000 questions to a model take long.
const evalTimeout = 2 * time.Hour

// evalCommand measures a knowledge base.
type evalCommand struct {
	KnowledgeBase string   `default:"default" help:"The knowledge base."`
	Threshold     *float64 `help:"Judge with this threshold instead of the knowledge base's own."`
	Apply         bool     `help:"Make the threshold that is best on these questions the knowledge base's own, if it beats the one in use."`
	Questions     string   `arg:"" type:"existingfile" help:"Questions, one JSON object a line: question, answers, answerable, relevant_doc_ids, kind, history."`
}

// Run asks every question of the file and prints the measures; programs get each question's result too.
func (c evalCommand) Run(ctx context.Context, s session) error {
	questions, err := readQuestions(c.Questions)
	if err != nil {
		return err
	}
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, evalTimeout)
	defer cancel()
	r, err := c.evaluate(ctx, ragv1.NewEvaluationServiceClient(conn), questions, s.format != present.AsTable)
	if err != nil {
		return err
	}
	if s.format != present.AsTable {
		err = s.show(r, nil)
	} else {
		err = printMetrics(s.out, r)
	}
	if err != nil || !c.Apply {
		return err
	}
	return c.apply(ctx, ragv1.NewKnowledgeBaseServiceClient(conn), r, s.err)
}

// apply stores the best threshold if it is better than the one in use, and says so beside the output.
func (c evalCommand) apply(ctx context.Context, client ragv1.KnowledgeBaseServiceClient, r *ragv1.EvaluateResponse, out io.Writer) error {
	if r.BestThreshold == nil {
		return errors.New("these questions tell no best threshold: some must have an answer in the documents, and some none")
	}
	// What the best one promises is reckoned from confidences alone. The one in use was tried.
	if useful := r.GetTotal().GetUseful(); r.GetUsefulAtBest() <= useful {
		_, err := fmt.Fprintf(out, "The threshold of %s stays %.4f: it serves these questions no worse (useful %.3f).\n",
			c.KnowledgeBase, r.GetThreshold(), useful)
		return err
	}
	changed, err := client.UpdateKnowledgeBase(ctx, &ragv1.UpdateKnowledgeBaseRequest{
		KnowledgeBase: &ragv1.KnowledgeBase{Name: c.KnowledgeBase, AnswerThreshold: r.BestThreshold},
		UpdateMask:    &fieldmaskpb.FieldMask{Paths: []string{"answer_threshold"}},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "The threshold of %s is %.4f now.\n", c.KnowledgeBase, changed.GetKnowledgeBase().GetAnswerThreshold())
	return err
}

func (c evalCommand) evaluate(ctx context.Context, client ragv1.EvaluationServiceClient, questions []*ragv1.EvaluationQuestion, results bool) (*ragv1.EvaluateResponse, error) {
	stream, err := client.Evaluate(ctx)
	if err != nil {
		return nil, err
	}
	options := &ragv1.EvaluateOptions{KnowledgeBase: c.KnowledgeBase, Results: results, Threshold: c.Threshold}
	err = stream.Send(&ragv1.EvaluateRequest{Part: &ragv1.EvaluateRequest_Options{Options: options}})
	for _, q := range questions {
		if err != nil {
			break
		}
		err = stream.Send(&ragv1.EvaluateRequest{Part: &ragv1.EvaluateRequest_Question{Question: q}})
	}
	if err != nil && !errors.Is(err, io.EOF) { // EOF: the service has ended the call, and says why below
		return nil, err
	}
	return stream.CloseAndRecv()
}

// question is a line of a file of questions.
type question struct {
	ID         string   `json:"question_id"`
	Question   string   `json:"question"`
	Answers    []string `json:"answers"`
	Answerable *bool    `json:"answerable"`
	Documents  []string `json:"relevant_doc_ids"`
	Kind       string   `json:"kind"`
	History    []struct {
		Role string `json:"role"`
		Text string `json:"text"`
	} `json:"history"`
}

func readQuestions(path string) ([]*ragv1.EvaluationQuestion, error) {
	file, err := os.Open(path) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var out []*ragv1.EvaluationQuestion
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		out = append(out, q.proto())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func (q question) proto() *ragv1.EvaluationQuestion {
	out := &ragv1.EvaluationQuestion{Id: q.ID, Kind: q.Kind}
	for _, h := range q.History {
		role := ragv1.Turn_ROLE_CUSTOMER
		if h.Role == "assistant" {
			role = ragv1.Turn_ROLE_ASSISTANT
		}
		out.Turns = append(out.Turns, &ragv1.Turn{Role: role, Text: h.Text})
	}
	out.Turns = append(out.Turns, &ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: q.Question})
	if q.Answerable == nil || *q.Answerable {
		out.Answers, out.Documents = q.Answers, q.Documents
	}
	return out
}

func printMetrics(out io.Writer, r *ragv1.EvaluateResponse) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "KIND\tQUESTIONS\tR@1\tR@5\tMRR@10\tNDCG@10\tRIGHT\tSHORT\tUSEFUL\tABST.P\tABST.R\tAUROC\tCITED\tP50 ms\tP99 ms\t")
	for _, k := range r.GetKinds() {
		printRow(w, orDash(k.GetKind()), k.GetMetrics())
	}
	printRow(w, "total", r.GetTotal())
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "Threshold %.2f.", r.GetThreshold())
	if r.BestThreshold != nil {
		fmt.Fprintf(out, " Best on these questions: %.2f, useful %.3f.", r.GetBestThreshold(), r.GetUsefulAtBest())
	}
	_, err := fmt.Fprintf(out, " Unknown citations: %d. Tokens a question: %.0f in, %.0f out.\n",
		r.GetTotal().GetUnknownCitations(), r.GetTotal().GetInputTokens(), r.GetTotal().GetOutputTokens())
	return err
}

func printRow(w io.Writer, name string, m *ragv1.Metrics) {
	fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t%.2f\t%.3f\t%.1f\t%.1f\t\n",
		name, m.GetQuestions(), m.GetRecallAt_1(), m.GetRecallAt_5(), m.GetMrrAt_10(), m.GetNdcgAt_10(), m.GetRight(), m.GetRightAndShort(),
		m.GetUseful(), m.GetAbstentionPrecision(), m.GetAbstentionRecall(), m.GetAuroc(), m.GetCitationPrecision(),
		m.GetLatencyP50(), m.GetLatencyP99())
}
