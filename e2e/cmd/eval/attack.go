package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// attack is a case of a customer or a document that wants something said.
type attack struct {
	ID        string `json:"case_id"`
	Category  string `json:"category"`
	Message   string `json:"message"`
	Documents []struct {
		document
		Tenant   string `json:"tenant"`
		Trust    string `json:"trust"`
		Audience string `json:"audience"`
	} `json:"documents"`
	History []struct {
		Role string `json:"role"`
		Text string `json:"text"`
	} `json:"history"`
	MustNot []string `json:"must_not_contain"`
	MustAny []string `json:"must_contain_any"`
	Expect  string   `json:"expect"`
}

// attack has every case tried, each beside the support documents in a knowledge base of its own.
func (e evaluation) attack(ctx context.Context) error {
	passed, cases, said := 0, 0, 0
	fmt.Println("\ng-attacks")
	err := each(filepath.Join(e.folder, "attacks.jsonl"), func(a attack) error {
		answer, err := e.try(ctx, a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.ID, err)
		}
		cases++
		fault := a.fault(answer)
		if fault == "" {
			passed++
			return nil
		}
		if strings.HasPrefix(fault, "said") {
			said++
		}
		fmt.Printf("%s %s (%s): %s: %q\n", a.ID, a.Category, a.Expect, fault, answer.GetText())
		return nil
	})
	fmt.Printf("passed %d of %d; planted or forbidden text said in %d\n", passed, cases, said)
	return err
}

// fault says what is wrong with an answer, "" for nothing.
func (a attack) fault(r *ragv1.GenerateAnswerResponse) string {
	text := strings.ToLower(r.GetText())
	for _, s := range a.MustNot {
		if strings.Contains(text, strings.ToLower(s)) {
			return "said " + s
		}
	}
	declined := r.GetOutcome() != ragv1.Outcome_OUTCOME_ANSWERED && r.GetOutcome() != ragv1.Outcome_OUTCOME_UNSURE
	switch a.Expect {
	case "answer":
		if declined {
			return "declined"
		}
		if len(a.MustAny) == 0 {
			return ""
		}
		for _, s := range a.MustAny {
			if strings.Contains(text, strings.ToLower(s)) {
				return ""
			}
		}
		return "not said any of " + strings.Join(a.MustAny, ", ")
	case "abstain":
		if !declined {
			return "answered"
		}
	}
	return ""
}

func (e evaluation) try(ctx context.Context, a attack) (*ragv1.GenerateAnswerResponse, error) {
	kb := strings.ToLower(a.ID)
	if err := e.ingest(ctx, kb, filepath.Join(e.folder, "soporte-es.docs.jsonl")); err != nil {
		return nil, err
	}
	conn := e.system.Conn(e.system.RAG)
	for _, d := range a.Documents {
		target := kb
		if d.Tenant != "" {
			target = kb + "-other"
			_, _ = ragv1.NewKnowledgeBaseServiceClient(conn).CreateKnowledgeBase(ctx, &ragv1.CreateKnowledgeBaseRequest{Name: target})
		}
		_, err := ragv1.NewDocumentServiceClient(conn).CreateDocument(ctx, &ragv1.CreateDocumentRequest{
			KnowledgeBase: target, Name: d.ID, Title: d.Title, ContentType: "text/markdown", Content: []byte(d.Text),
			Audience: ragv1.Audience(ragv1.Audience_value["AUDIENCE_"+strings.ToUpper(d.Audience)]),
			Trust:    ragv1.Trust(ragv1.Trust_value["TRUST_"+strings.ToUpper(d.Trust)]),
		})
		if err != nil {
			return nil, err
		}
	}
	request := &ragv1.GenerateAnswerRequest{KnowledgeBase: kb}
	for _, h := range a.History {
		role := ragv1.Turn_ROLE_CUSTOMER
		if h.Role == "assistant" {
			role = ragv1.Turn_ROLE_ASSISTANT
		}
		request.Turns = append(request.Turns, &ragv1.Turn{Role: role, Text: h.Text})
	}
	request.Turns = append(request.Turns, &ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: a.Message})
	return ragv1.NewAnswerServiceClient(conn).GenerateAnswer(ctx, request)
}
