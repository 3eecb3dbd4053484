package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// spoken is what staff said last in a conversation.
type spoken struct {
	position int64
	// occurred is by the provider's clock; nil where it did not say.
	occurred *time.Time
	// until is when the bot may speak again, nil if that is over already.
	until *time.Time
}

// hearStaff finds what staff said, and settles what the customer wrote before it in the same transaction.
func (in *intake) hearStaff(t *talk) {
	for i, it := range t.items {
		if it.Message.Says() && it.outcome == conversation.OutcomeRecorded {
			t.staff = in.heard(t.staff, it)
			for _, before := range t.items[:i] {
				before.answeredBy(t.staff)
			}
		}
	}
	if t.staff == nil {
		return
	}
	in.spoken = append(in.spoken, t)
	t.paused = t.paused || t.staff.until != nil
}

// heard adds a message of staff to the ones before. The pause counts from when it was written, not from when we heard of it.
func (in *intake) heard(earlier *spoken, it *item) *spoken {
	s := &spoken{position: it.position, occurred: nullTime(it.OccurTime)}
	from := in.now
	if s.occurred != nil && s.occurred.Before(in.now) {
		from = *s.occurred
	}
	if until := from.Add(it.StaffPause); until.After(in.now) {
		s.until = &until
	}
	if earlier == nil {
		return s
	}
	if s.occurred != nil && (earlier.occurred == nil || earlier.occurred.After(*s.occurred)) {
		s.occurred = earlier.occurred
	}
	if s.until == nil || (earlier.until != nil && earlier.until.After(*s.until)) {
		s.until = earlier.until
	}
	return s
}

// answeredBy settles a question that was written before staff wrote.
func (it *item) answeredBy(s *spoken) {
	if it.outcome == conversation.OutcomeOpen && (s.occurred == nil || it.OccurTime.IsZero() || !it.OccurTime.After(*s.occurred)) {
		it.outcome = conversation.OutcomeAnsweredByStaff
	}
}

// queueStaff stores what follows from messages of staff: what they answered, and that the bot keeps silent for a while.
func (in *intake) queueStaff(b *pgx.Batch) {
	var ids []string
	var positions []int64
	var times, untils []*time.Time
	for _, t := range in.spoken {
		ids, positions = append(ids, string(t.id)), append(positions, t.staff.position)
		times, untils = append(times, t.staff.occurred), append(untils, t.staff.until)
	}
	if len(ids) == 0 {
		return
	}
	b.Queue(in.store.sql.get("turns_lock"), ids)
	b.Queue(in.store.sql.get("staff_answered"), ids, positions, times)
	b.Queue(in.store.sql.get("staff_pause"), ids, untils)
	b.Queue(in.store.sql.get("conversations_still_held"), ids)
	b.Queue(in.store.sql.get("turns_dismiss"), ids)
	b.Queue(in.store.sql.get("turns_take_back"), ids)
}
