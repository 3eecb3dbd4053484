package command

import (
	"context"

	"github.com/knobot/knobot/cli/internal/present"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// usageCommand shows what models wrote and cost.
type usageCommand struct {
	KnowledgeBase string `help:"Only this knowledge base's; all if not said."`
	From          string `placeholder:"DAY" help:"First day, such as 2026-11-01 (UTC)."`
	To            string `placeholder:"DAY" help:"Last day; today if not said."`
}

// Run prints one line per day, knowledge base and model.
func (c usageCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, ragv1.NewUsageServiceClient, func(ctx context.Context, usage ragv1.UsageServiceClient) error {
		all := &ragv1.ListUsageResponse{}
		for token := ""; ; {
			r, err := usage.ListUsage(ctx, &ragv1.ListUsageRequest{
				KnowledgeBase: c.KnowledgeBase, StartDay: c.From, EndDay: c.To, PageSize: 1000, PageToken: token,
			})
			if err != nil {
				return err
			}
			all.Usage = append(all.Usage, r.GetUsage()...)
			if token = r.GetNextPageToken(); token == "" {
				return s.show(all, func() present.Table { return usageTable(all.GetUsage()) })
			}
		}
	})
}

// micros are the parts of one unit of a currency.
const micros = 1e6

func usageTable(days []*ragv1.DailyUsage) present.Table {
	t := present.Table{Header: []string{"DAY", "KNOWLEDGE BASE", "MODEL", "ANSWERS", "TOKENS IN", "TOKENS OUT", "COST"}}
	for _, d := range days {
		t.Add(d.GetDay(), d.GetKnowledgeBase(), d.GetModel(), d.GetAnswers(), d.GetInputTokens(), d.GetOutputTokens(), float64(d.GetCostMicros())/micros)
	}
	return t
}
