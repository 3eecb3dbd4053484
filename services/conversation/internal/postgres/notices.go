package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// tell queues what subscribers are told of messages, in the transaction in which it happened. Planning the statement takes 0.2 ms,
// so it is left out where nobody has subscribed.
func (s *Store) tell(b *pgx.Batch, what conversation.NoticeType, messages ...conversation.MessageID) {
	b.Queue(s.sql.get("notices_raise"), what, strs(messages))
}

// queueNotices tells of what customers wrote.
func (in *intake) queueNotices(b *pgx.Batch) {
	if !in.subscribed {
		return
	}
	var written []conversation.MessageID
	for _, it := range in.items {
		if it.message != "" && it.Message.Written() {
			written = append(written, it.message)
		}
	}
	if len(written) > 0 {
		in.store.tell(b, conversation.NoticeReceived, written...)
	}
}

// ClaimNotices leases due notices for a time, at most each of a subscription, those that the caller holds already counted.
func (s *Store) ClaimNotices(ctx context.Context, held []conversation.SubscriptionLoad, each, limit int, lease time.Duration) ([]conversation.Telling, error) {
	var busy []string
	var counts []int
	for _, h := range held {
		busy, counts = append(busy, string(h.Subscription)), append(counts, h.Held)
	}
	rows, err := s.pool.Query(ctx, s.sql.get("notices_claim"), busy, counts, each, limit, seconds(lease), conversation.MaxToldText+1)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, scanTelling)
	return out, platform.Fault(err)
}

func scanTelling(row pgx.CollectableRow) (t conversation.Telling, err error) {
	err = row.Scan(&t.ID, &t.Subscription, &t.Type, &t.Conversation, &t.Message, &t.Failures, &t.CreateTime, &t.Token,
		&t.URL, &t.Secret, &t.FormerSecret, &t.Gone, &t.Integration, &t.Platform, &t.User,
		&t.About.Position, &t.About.Role, &t.About.Kind, &t.About.Text, &t.About.State, &t.About.Error, &t.About.PlatformMessageID,
		&t.About.CreateTime, &t.About.Basis, &t.Cause, &t.Staff, &t.Reason)
	t.About.ID = t.Message
	return t, err
}

// NoticeDelivered stores that the subscriber took a notice. It and the next three return ErrLeaseLost, storing nothing, if another
// process has the notice now.
func (s *Store) NoticeDelivered(ctx context.Context, t conversation.Telling, status int) error {
	return s.handBack(ctx, "notice_delivered", t.ID, t.Token, status)
}

// NoticeFailed stores a try that failed, and disables the subscription of one that wants no more.
func (s *Store) NoticeFailed(ctx context.Context, t conversation.Telling, f conversation.NoticeFailure) error {
	if err := s.handBack(ctx, "notice_failed", t.ID, t.Token, f.Status, f.Reason, seconds(f.Delay), f.Dead); err != nil || !f.Gone {
		return err
	}
	_, err := s.pool.Exec(ctx, s.sql.get("subscription_disable"), t.Subscription, f.Reason)
	return platform.Fault(err)
}

// ReleaseNotice hands a notice back as it was.
func (s *Store) ReleaseNotice(ctx context.Context, t conversation.Telling) error {
	return s.handBack(ctx, "notice_release", t.ID, t.Token)
}

// DropNotice forgets a notice of what was erased.
func (s *Store) DropNotice(ctx context.Context, t conversation.Telling) error {
	return s.handBack(ctx, "notice_drop", t.ID, t.Token)
}

// PruneNotices forgets notices that are older, a batch at a time, and returns how many.
func (s *Store) PruneNotices(ctx context.Context, older time.Duration, batch int) (int64, error) {
	tag, err := s.pool.Exec(ctx, s.sql.get("notices_prune"), seconds(older), batch)
	return tag.RowsAffected(), platform.Fault(err)
}
