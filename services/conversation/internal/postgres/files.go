package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// queueFetches has the files of the new messages fetched.
func (in *intake) queueFetches(b *pgx.Batch) {
	var messages, integrations []string
	for _, it := range in.items {
		if it.message == "" || it.Message.Media == nil || it.Message.Media.ID == "" {
			continue
		}
		messages, integrations = append(messages, string(it.message)), append(integrations, string(it.talk.integration))
		in.files[it.log]++
	}
	if len(messages) > 0 {
		b.Queue(in.store.sql.get("fetches_insert"), messages, integrations)
	}
}

// ClaimFetches leases files that are to be fetched for these integrations.
func (s *Store) ClaimFetches(ctx context.Context, integrations []conversation.IntegrationID, limit int, lease time.Duration) ([]conversation.Fetch, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("fetches_claim"), strs(integrations), limit, seconds(lease))
	if err != nil {
		return nil, platform.Fault(err)
	}
	fetches, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.Fetch])
	return fetches, platform.Fault(err)
}

// FetchDone stores where a file is now. Returns ErrLeaseLost, storing nothing, if another worker has the fetch.
func (s *Store) FetchDone(ctx context.Context, f conversation.Fetch, m conversation.StoredMedia) error {
	return s.handBack(ctx, "fetch_done", f.Message, f.Token, m.ID, m.SizeBytes)
}

// GiveUpFetch stores why a file cannot be had. Returns ErrLeaseLost, storing nothing, if another worker has the fetch.
func (s *Store) GiveUpFetch(ctx context.Context, f conversation.Fetch, cause string) error {
	return s.handBack(ctx, "fetch_give_up", f.Message, f.Token, cause)
}

// PutOffFetch makes a fetch due after the delay. Returns ErrLeaseLost, storing nothing, if another worker has it.
func (s *Store) PutOffFetch(ctx context.Context, f conversation.Fetch, delay time.Duration, failed bool) error {
	failures := 0
	if failed {
		failures = 1
	}
	return s.handBack(ctx, "fetch_put_off", f.Message, f.Token, seconds(delay), failures)
}

// Hear stores what was said in a voice note.
func (s *Store) Hear(ctx context.Context, t conversation.Turn, m conversation.MessageID, media conversation.StoredMedia, transcript string) error {
	return s.quickly(ctx, func(tx *platform.QuickTx) error {
		if _, err := s.lock(ctx, tx, tx.Begin(), t); err != nil {
			return err
		}
		b := &pgx.Batch{} // first the fetch and then the message, as FetchDone has it
		b.Queue(s.sql.get("fetch_drop"), m)
		b.Queue(s.sql.get("message_hear"), t.Conversation, m, media.ID, media.SizeBytes, transcript)
		tx.Commit(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

// attached is how a statement returns the file of a message.
type attached struct {
	media  *conversation.Media
	stored conversation.MediaID
	size   int64
	err    string
}

// attachment is nil for a message without a file.
func (a attached) attachment() *conversation.Attachment {
	if a.media == nil || a.media.ID == "" {
		return nil
	}
	out := &conversation.Attachment{Media: *a.media, Stored: a.stored, Error: a.err}
	if a.size > 0 {
		out.SizeBytes = a.size
	}
	return out
}

func scanOpen(row pgx.CollectableRow) (m conversation.OpenMessage, err error) {
	var a attached
	var quoted string
	var referral *conversation.Referral
	err = row.Scan(&m.ID, &m.Position, &m.User, &m.Text, &m.Sentence, &m.Language, &m.PlatformMessageID, &m.Album, &quoted, &referral,
		&m.Kind, &a.media, &a.stored, &a.size, &a.err, &m.Transcript,
		&m.Chosen, &m.Rests, &m.Trace)
	m.File, m.Context = a.attachment(), conversation.Context(quoted, referral)
	return m, err
}

func scanMessage(row pgx.CollectableRow) (m conversation.Message, err error) {
	var a attached
	err = row.Scan(&m.ID, &m.Position, &m.Role, &m.Kind, &m.Text, &m.State, &m.PlatformMessageID, &m.CreateTime, &m.DeliveryState,
		&m.MaybeDuplicate, &m.ReplyToMessageID, &m.Quoted, &m.Error, &a.media, &a.stored, &a.size, &a.err, &m.Transcript,
		&m.Basis, &m.Feedback)
	m.Media = a.attachment()
	return m, err
}
