package postgres

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/google/uuid"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// Ingest stores deliveries, with everything that is in them, in one transaction. Returns conversation.ErrRefused if the
// database refuses something for its content, and a fault of kind Unavailable if it may be tried again.
//
// It never sends a NOTIFY: inside the transaction that halves the rate of commits (measured).
func (s *Store) Ingest(ctx context.Context, deliveries []conversation.Delivery) ([]conversation.Receipt, error) {
	var receipts []conversation.Receipt
	err := s.quickly(ctx, func(tx *platform.QuickTx) error {
		in := s.newIntake(tx, deliveries)
		if err := in.run(ctx); err != nil {
			return err
		}
		receipts = in.receipts()
		return nil
	})
	if platform.IsRefused(err) {
		return nil, refused{err}
	}
	return receipts, err
}

// refused keeps the driver's error for the log and says what it means.
type refused struct{ cause error }

func (r refused) Error() string   { return "content refused: " + r.cause.Error() }
func (r refused) Unwrap() []error { return []error{conversation.ErrRefused, r.cause} }

// intake is one transaction of Ingest.
type intake struct {
	store *Store
	tx    *platform.QuickTx
	// now is the database's: no other clock decides anything.
	now time.Time
	// subscribed says that somebody is told what customers write.
	subscribed bool
	deliveries []*received
	items      []*item
	people     *people
	// spoken are the conversations in which staff wrote.
	spoken []*talk
	opened map[conversation.LogID]int
	files  map[conversation.LogID]int
}

// received is a delivery on its way through the transaction.
type received struct {
	*conversation.Delivery
	digest      [sha256.Size]byte
	newPayload  bool
	duplicateOf conversation.LogID
	items       []*item
}

// item is an event on its way through the transaction.
type item struct {
	*conversation.Arrival
	log     conversation.LogID
	trace   string
	digest  [sha256.Size]byte
	fresh   bool
	outcome conversation.Outcome
	why     string

	user     conversation.UserID
	scope    string
	message  conversation.MessageID
	talk     *talk
	position int64
	// chosen says that a button of ours was pressed.
	chosen bool
}

func (s *Store) newIntake(tx *platform.QuickTx, deliveries []conversation.Delivery) *intake {
	in := &intake{store: s, tx: tx, opened: map[conversation.LogID]int{}, files: map[conversation.LogID]int{}}
	for i := range deliveries {
		d := &received{Delivery: &deliveries[i], digest: sha256.Sum256(deliveries[i].Payload)}
		for j := range d.Arrivals {
			it := &item{Arrival: &d.Arrivals[j], log: d.Log, trace: d.Trace, outcome: d.Arrivals[j].Outcome, why: d.Arrivals[j].Error}
			it.digest = sha256.Sum256([]byte(it.Key))
			d.items = append(d.items, it)
		}
		in.items = append(in.items, d.items...)
		in.deliveries = append(in.deliveries, d)
	}
	in.people = newPeople(in)
	return in
}

// run is the transaction, step by step.
func (in *intake) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		in.claim,            // payloads and event keys: what is new
		in.changeIdentities, // before anybody is looked up
		in.people.resolve,   // users, found or made
		in.press,            // what stands behind buttons
		in.receive,          // conversations locked, positions taken
		in.write,            // messages, fetches, events, what staff answered, turns, reports, logs
		in.amend,            // edits and deletions of earlier messages
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// messages returns the new messages that are to be stored.
func (in *intake) messages() []*item {
	var out []*item
	for _, it := range in.items {
		if it.fresh && it.Message != nil && it.outcome == "" {
			out = append(out, it)
		}
	}
	return out
}

// settle gives every event its outcome, once it is known what is new and who wrote.
func (in *intake) settle(it *item) {
	switch {
	case it.outcome != "":
	case it.Message != nil && it.scope == "":
		it.outcome, it.why = conversation.OutcomeRecorded, "the sender has no id"
	case it.Message != nil:
		it.outcome = in.fate(it)
	case it.report() != nil:
		it.outcome = conversation.OutcomeOpen
	default:
		it.outcome = conversation.OutcomeRecorded
	}
}

// fate is the outcome of a message. One that is too old is recorded and not answered as if it were fresh: providers redeliver
// for days after an outage.
func (in *intake) fate(it *item) conversation.Outcome {
	switch {
	case !it.Plan.Answer:
		return conversation.OutcomeRecorded
	case conversation.Stale(it.OccurTime, in.now, it.StaleAfter):
		return conversation.OutcomeStale
	default:
		return conversation.OutcomeOpen
	}
}

func (it *item) report() *conversation.DeliveryReport {
	r, _ := it.Content.(*conversation.DeliveryReport)
	return r
}

func (in *intake) receipts() []conversation.Receipt {
	out := make([]conversation.Receipt, 0, len(in.deliveries))
	for _, d := range in.deliveries {
		r := conversation.Receipt{Log: d.Log, Duplicate: d.duplicate(), Opened: in.opened[d.Log], Files: in.files[d.Log]}
		for _, it := range d.items {
			r.Outcomes = append(r.Outcomes, it.outcome)
			r.Paused = append(r.Paused, it.talk != nil && it.talk.paused)
			if it.talk != nil && !slices.Contains(r.Conversations, it.talk.id) {
				r.Conversations = append(r.Conversations, it.talk.id)
			}
		}
		out = append(out, r)
	}
	return out
}

// duplicate reports whether every event was known. Without any event with a key, the bytes decide.
func (d *received) duplicate() bool {
	known := false
	for _, it := range d.items {
		if it.fresh {
			return false
		}
		known = known || it.keyed()
	}
	return known || !d.newPayload
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
