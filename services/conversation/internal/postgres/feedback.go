package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// queueFeedback keeps what customers' reactions say of answers: of each message, the last.
func (in *intake) queueFeedback(b *pgx.Batch) {
	type answer struct {
		talk conversation.ID
		id   string
	}
	last := map[answer]int{}
	var talks, ids []string
	var opinions []int16
	var times []time.Time
	for _, it := range in.items {
		if it.message == "" || it.Message.Kind != conversation.KindReaction || it.Message.Echo || it.Message.Group {
			continue
		}
		at := it.OccurTime
		if at.IsZero() || at.After(in.now) {
			at = in.now
		}
		a := answer{it.talk.id, it.Message.ReplyToMessageID}
		n, ok := last[a]
		if !ok {
			n = len(talks)
			last[a] = n
			talks, ids, opinions, times = append(talks, string(a.talk)), append(ids, a.id), append(opinions, 0), append(times, at)
		}
		if !at.Before(times[n]) {
			opinions[n], times[n] = int16(conversation.FeedbackOf(it.Message.Text)), at
		}
	}
	if len(talks) > 0 {
		b.Queue(in.store.sql.get("feedback_set"), talks, ids, opinions, times)
	}
}

// UntoldFeedback returns up to limit opinions that rag does not know yet.
func (s *Store) UntoldFeedback(ctx context.Context, limit int) ([]conversation.Opinion, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("feedback_untold"), limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.Opinion])
	return out, platform.Fault(err)
}

// FeedbackTold stores what rag was told of a message. If the customer thought otherwise meanwhile, it is told again. Returns
// ErrNotFound if there is no such message any more.
func (s *Store) FeedbackTold(ctx context.Context, o conversation.Opinion) error {
	tag, err := s.pool.Exec(ctx, s.sql.get("feedback_told"), o.Message, o.Feedback)
	if err == nil && tag.RowsAffected() == 0 {
		return conversation.ErrNotFound
	}
	return platform.Fault(err)
}
