package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

const (
	// eraseBatch is how many messages go in one transaction.
	eraseBatch = 100
	// scanBatch is how many payloads are looked through at a time.
	scanBatch = 2000
)

// doomed is a message that is to go.
type doomed struct {
	ID            conversation.MessageID
	Talk          conversation.ID
	InGroup       bool
	PlatformID    string
	Request       conversation.RequestID
	Media         conversation.MediaID
	ProviderMedia string
}

// ErasureTraces returns what others keep of the next messages that are to go; none if none is left.
func (s *Store) ErasureTraces(ctx context.Context, t conversation.ErasureTask) (conversation.Traces, error) {
	var traces conversation.Traces
	list, err := s.doomed(ctx, s.pool, t)
	for _, m := range list {
		traces.Messages = append(traces.Messages, m.ID)
		if m.Request != "" {
			traces.Requests = append(traces.Requests, m.Request)
		}
		if m.Media != "" {
			traces.Media = append(traces.Media, m.Media)
		}
		if m.ProviderMedia != "" {
			traces.ProviderMedia = append(traces.ProviderMedia, m.ProviderMedia)
		}
	}
	return traces, platform.Fault(err)
}

func (s *Store) doomed(ctx context.Context, q querier, t conversation.ErasureTask) ([]doomed, error) {
	talks, err := s.erasedTalks(ctx, q, t)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, s.sql.get("erasure_messages"), talks, t.User, t.Integration, eraseBatch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[doomed])
}

// EraseMessages removes those messages of a customer that other services have forgotten, and what else was kept of them: of the
// payloads that they came in, their part. Returns ErrLeaseLost, removing nothing, if another worker has the erasure.
func (s *Store) EraseMessages(ctx context.Context, t conversation.ErasureTask, forgotten []conversation.MessageID) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		list, err := s.doomed(ctx, tx, t)
		if err != nil {
			return err
		}
		d := newDoom(list, forgotten)
		if err := s.lockDoomed(ctx, tx, t, d); err != nil {
			return err
		}
		if err := s.scrubOf(ctx, tx, t, d); err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(s.sql.get("erasure_settle"), d.ids)
		b.Queue(s.sql.get("erasure_reports"), t.Integration, d.platformIDs)
		if t.Platform == conversation.WhatsApp { // Telegram reports nothing
			b.Queue(s.sql.get("erasure_remember"), t.Integration, d.platformIDs, d.talks, d.ids)
		}
		b.Queue(s.sql.get("erasure_quotes"), d.groups, d.platformIDs)
		b.Queue(s.sql.get("erasure_parts"), d.talks, d.ids)
		b.Queue(s.sql.get("erasure_delete"), d.ids)
		b.Queue(s.sql.get("turns_dismiss"), d.groups)
		b.Queue(s.sql.get("turns_take_back"), d.groups)
		return tx.SendBatch(ctx, b).Close()
	})
}

// doom is a batch of messages in the columns of statements.
type doom struct {
	ids, platformIDs, talks, groups []string
}

// newDoom takes those of a list that may go now.
func newDoom(list []doomed, forgotten []conversation.MessageID) doom {
	may := map[conversation.MessageID]bool{}
	for _, id := range forgotten {
		may[id] = true
	}
	d, met := doom{groups: []string{}}, map[conversation.ID]bool{}
	for _, m := range list {
		if !may[m.ID] {
			continue
		}
		d.ids = append(d.ids, string(m.ID))
		if m.PlatformID != "" {
			d.platformIDs = append(d.platformIDs, m.PlatformID)
		}
		if !met[m.Talk] {
			met[m.Talk] = true
			d.talks = append(d.talks, string(m.Talk))
			if m.InGroup {
				d.groups = append(d.groups, string(m.Talk))
			}
		}
	}
	return d
}

// lockDoomed checks the lease, and locks conversations before turns.
func (s *Store) lockDoomed(ctx context.Context, tx pgx.Tx, t conversation.ErasureTask, d doom) error {
	if err := s.lockErasure(ctx, tx, t); err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(s.sql.get("conversations_lock"), d.talks)
	b.Queue(s.sql.get("turns_lock"), d.talks)
	return tx.SendBatch(ctx, b).Close()
}

func (s *Store) lockErasure(ctx context.Context, tx pgx.Tx, t conversation.ErasureTask) error {
	var one int
	err := tx.QueryRow(ctx, s.sql.get("erasure_lock"), t.User, t.Token).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return conversation.ErrLeaseLost
	}
	return err
}

// scrubOf takes the customer out of the payloads that messages came in, and learns the numbers that they came by.
func (s *Store) scrubOf(ctx context.Context, tx pgx.Tx, t conversation.ErasureTask, d doom) error {
	rows, err := tx.Query(ctx, s.sql.get("erasure_payloads"), d.ids)
	if err != nil {
		return err
	}
	digests, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return err
	}
	subject := t.Subject()
	if t.Platform == conversation.WhatsApp { // Telegram's ids of messages are counted by chat
		for _, id := range d.platformIDs {
			subject.Messages[id] = true
		}
	}
	var learnt []string
	for _, digest := range digests {
		phones, err := s.scrub(ctx, tx, t, subject, digest)
		if err != nil {
			return err
		}
		learnt = append(learnt, phones...)
	}
	if len(learnt) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, s.sql.get("erasure_learn"), t.User, t.Token, learnt)
	return err
}

// scrub takes the customer out of one payload, and out of what its log says. A payload that was theirs alone is dropped.
func (s *Store) scrub(ctx context.Context, tx pgx.Tx, t conversation.ErasureTask, subject conversation.Subject, digest []byte) ([]string, error) {
	var body []byte
	if err := tx.QueryRow(ctx, s.sql.get("erasure_payload"), digest).Scan(&body); err != nil {
		if errors.Is(err, pgx.ErrNoRows) { // it was old enough to go meanwhile
			err = nil
		}
		return nil, err
	}
	r := conversation.Scrub(body, subject)
	if !r.Found {
		return nil, nil
	}
	if r.Alone {
		r.Body = []byte{}
	}
	b := &pgx.Batch{}
	b.Queue(s.sql.get("erasure_rewrite"), digest, r.Body)
	b.Queue(s.sql.get("erasure_events"), digest, r.Alone, t.Needles())
	return r.Phones, tx.SendBatch(ctx, b).Close()
}

// ErasePayloads looks through the next payloads of before the erasure, and reports whether there were any. It goes on where it was
// broken off. Returns ErrLeaseLost if another worker has the erasure.
func (s *Store) ErasePayloads(ctx context.Context, t conversation.ErasureTask) (more bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := s.lockErasure(ctx, tx, t); err != nil {
			return err
		}
		var after []byte
		if err := tx.QueryRow(ctx, s.sql.get("erasure_scanned_to"), t.User).Scan(&after, &t.Phones); err != nil {
			return err
		}
		suspects, last, err := s.scanPayloads(ctx, tx, t, after)
		if err != nil {
			return err
		}
		more = last != nil
		for _, digest := range suspects {
			if _, err := s.scrub(ctx, tx, t, t.Subject(), digest); err != nil {
				return err
			}
		}
		if more {
			_, err = tx.Exec(ctx, s.sql.get("erasure_scanned"), t.User, t.Token, last)
		}
		return err
	})
	return more, err
}

// scanPayloads returns which of the next payloads may hold something of the customer, and the last that it looked at.
func (s *Store) scanPayloads(ctx context.Context, tx pgx.Tx, t conversation.ErasureTask, after []byte) (suspects [][]byte, last []byte, err error) {
	rows, err := tx.Query(ctx, s.sql.get("erasure_scan"), after, scanBatch, t.Needles(), t.User)
	if err != nil {
		return nil, nil, err
	}
	var suspect bool
	_, err = pgx.ForEachRow(rows, []any{&last, &suspect}, func() error {
		if suspect {
			suspects = append(suspects, append([]byte(nil), last...))
		}
		return nil
	})
	return suspects, last, err
}

// FinishErasure removes the user and what else is left, and reports whether it did: not if messages came in meanwhile that were
// on their way when the erasure began. Returns ErrLeaseLost if another worker has the erasure.
func (s *Store) FinishErasure(ctx context.Context, t conversation.ErasureTask) (done bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := s.lockErasure(ctx, tx, t); err != nil {
			return err
		}
		talks, err := s.erasedTalks(ctx, tx, t)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, s.sql.get("conversations_lock"), talks); err != nil {
			return err
		}
		left, err := s.doomed(ctx, tx, t)
		if done = err == nil && len(left) == 0; !done {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(s.sql.get("erasure_orphan"), t.User)
		b.Queue(s.sql.get("erasure_end_conversations"), talks)
		b.Queue(s.sql.get("erasure_end_user"), t.User)
		b.Queue(s.sql.get("erasure_done"), t.User, t.Token)
		return tx.SendBatch(ctx, b).Close()
	})
	return done && err == nil, err
}
