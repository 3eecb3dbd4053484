package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// world is a mailbox with a few customers and workers, of which any may do its next step at any time.
type world struct {
	*bundle
	random *rand.Rand
	asked  map[string][]string
	// sent is what channels would have delivered: once per request.
	sent     map[string][]string
	requests map[conversation.RequestID]bool
	hands    []hand
	// staffed lets staff write, too; desk lets them write through us.
	staffed, desk bool
	// replies is what they wrote through us, arrived what of it was delivered.
	replies, arrived map[string][]string
}

// hand is a turn that a worker holds, and how far it is.
type hand struct {
	turn  conversation.Turn
	phone string
}

// TestAnyInterleavingAnswersEveryMessageOnceAndInOrder lets customers write and workers claim, decide, send, finish, fail, stop
// and die in random order, and looks at what the customers got in the end.
func TestAnyInterleavingAnswersEveryMessageOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			w := &world{
				bundle: setup(t), random: rand.New(rand.NewPCG(seed, 7)), asked: map[string][]string{}, sent: map[string][]string{},
				requests: map[conversation.RequestID]bool{},
			}
			for range 120 {
				w.step()
			}
			w.settle()
			require.Zero(t, w.count("turns"))
			require.Zero(t, w.count("messages where state in ('open', 'sending')"))
			require.Zero(t, w.count("webhook_events where outcome not in ('answered', 'duplicate')"))
			for phone, questions := range w.asked {
				require.Equal(t, questions, w.sent[phone])
			}
		})
	}
}

// TestAnyInterleavingAnswersEveryMessageOnceByBotOrStaff is the same with staff who write in between: what they answered the bot
// does not, and nobody is left without an answer.
func TestAnyInterleavingAnswersEveryMessageOnceByBotOrStaff(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			w := &world{
				bundle: setup(t), random: rand.New(rand.NewPCG(seed, 13)), asked: map[string][]string{}, sent: map[string][]string{},
				requests: map[conversation.RequestID]bool{}, staffed: true,
			}
			for range 120 {
				w.step()
			}
			w.settle()
			require.Zero(t, w.count("turns"))
			require.Zero(t, w.count("messages where state in ('open', 'sending')"))
			for phone, questions := range w.asked {
				var answered []string
				rows, err := w.pool.Query(t.Context(), `
					select m.text from messages m join users u on u.id = m.user_id join webhook_events e on e.message_id = m.id
					where u.phone = $1 and m.role = 'customer' and e.outcome <> 'answered_by_staff' order by m.position`, phone)
				require.NoError(t, err)
				var text string
				_, err = pgx.ForEachRow(rows, []any{&text}, func() error { answered = append(answered, text); return nil })
				require.NoError(t, err)
				require.Equal(t, answered, w.sent[phone], "the bot answers once and in order what staff did not")
				require.Equal(t, len(questions), w.count("messages m join users u on u.id = m.user_id where u.phone = $1 and m.role = 'customer' and m.state = 'answered'", phone))
			}
		})
	}
}

// TestAnyInterleavingSendsEveryReplyOfStaffOnceAndInOrder is the same with staff who write through us.
func TestAnyInterleavingSendsEveryReplyOfStaffOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			w := &world{
				bundle: setup(t), random: rand.New(rand.NewPCG(seed, 17)), asked: map[string][]string{}, sent: map[string][]string{},
				requests: map[conversation.RequestID]bool{}, desk: true, replies: map[string][]string{}, arrived: map[string][]string{},
			}
			for range 120 {
				w.step()
			}
			w.settle()
			require.Zero(t, w.count("turns"))
			require.Zero(t, w.count("messages where state in ('open', 'sending')"))
			require.NotEmpty(t, w.replies)
			require.Equal(t, w.replies, w.arrived)
			for phone, questions := range w.asked {
				require.Equal(t, len(questions), w.count("messages m join users u on u.id = m.user_id where u.phone = $1 and m.role = 'customer' and m.state = 'answered'", phone))
				require.Equal(t, len(questions)-len(w.sent[phone]), w.count(`messages m join users u on u.id = m.user_id join webhook_events e on e.message_id = m.id
					where u.phone = $1 and e.outcome = 'answered_by_staff'`, phone), "each is answered by one of them")
			}
		})
	}
}

func (w *world) step() {
	if w.desk && w.random.IntN(8) == 0 {
		w.reply()
	}
	if w.staffed && w.random.IntN(8) == 0 {
		phone := fmt.Sprintf("5730000000%02d", w.random.IntN(3))
		w.receive(w.staff("les respondo", func(a *conversation.Arrival) {
			a.StaffPause, a.Message.Address = 0, conversation.Address{PhoneNumber: phone}
		}))
	}
	switch w.random.IntN(10) {
	case 0, 1, 2:
		w.write()
	case 3, 4:
		w.take(1 + w.random.IntN(2))
	default:
		if len(w.hands) > 0 {
			w.advance(w.random.IntN(len(w.hands)))
		}
	}
}

// write lets a customer ask something, sometimes delivered twice.
func (w *world) write() {
	phone := fmt.Sprintf("5730000000%02d", w.random.IntN(3))
	question := fmt.Sprintf("p%d", len(w.asked[phone]))
	a := w.says(question, from("", phone))
	w.receive(a)
	if w.random.IntN(4) == 0 {
		w.receive(a)
	}
	w.asked[phone] = append(w.asked[phone], question)
}

// take claims turns, those that crashed before too.
func (w *world) take(n int) {
	for _, solo := range []bool{false, true} {
		turns, err := w.store.Claim(w.t.Context(), conversation.ClaimRequest{
			Lease: lease, Limit: n, Solo: solo, Rooms: []conversation.Room{{Integration: number, Free: n}},
		})
		require.NoError(w.t, err)
		for _, turn := range turns {
			w.hands = append(w.hands, hand{turn: turn, phone: turn.Address.PhoneNumber})
		}
	}
}

// advance does the next step of a worker, or something that goes wrong instead.
func (w *world) advance(i int) {
	h := &w.hands[i]
	gone := true
	switch n := w.random.IntN(12); {
	case n == 0:
		w.crash(h.turn) // it goes on without knowing, and is fenced off
		gone = false
	case n == 1:
		w.held(w.store.Release(w.t.Context(), h.turn))
	case n == 2:
		w.held(w.store.Fail(w.t.Context(), h.turn, "X", 0))
	case n == 3:
		w.held(w.store.Postpone(w.t.Context(), h.turn, 0))
	case h.turn.Answer == nil:
		gone = !w.decide(h)
	default:
		w.send(*h)
	}
	if gone {
		w.hands = append(w.hands[:i], w.hands[i+1:]...)
	}
}

// decide composes from what waits and takes it through the checkpoint. Reports whether the turn is still in hand.
func (w *world) decide(h *hand) bool {
	d, err := w.store.Dialogue(w.t.Context(), h.turn)
	require.NoError(w.t, err)
	if len(d.Open) == 0 {
		w.held(w.store.Dismiss(w.t.Context(), h.turn))
		return false
	}
	var questions []string
	for _, m := range d.Open {
		questions = append(questions, m.Text)
	}
	if w.random.IntN(3) == 0 {
		w.write() // while composing
	}
	a, err := w.store.Checkpoint(w.t.Context(), h.turn, conversation.Draft{
		Text: strings.Join(questions, " "), Seen: h.turn.Seq, Through: d.Open[len(d.Open)-1].Position,
	})
	if err != nil {
		w.held(err)
		return false
	}
	h.turn.Answer = &a
	return true
}

// send delivers the decided answer, as channels would, and finishes, unless the worker dies between the two.
func (w *world) send(h hand) {
	a := *h.turn.Answer
	w.deliver(h)
	if w.random.IntN(4) == 0 {
		w.write() // between send and finish
	}
	if w.desk && w.random.IntN(4) == 0 {
		w.reply()
	}
	if w.random.IntN(5) == 0 {
		w.exec(`update turns set lease_until = now() - interval '1 second' where lease_token = $1`, h.turn.Token)
		return
	}
	w.held(w.store.Finish(w.t.Context(), h.turn, a, conversation.Sent{}))
}

// deliver does what channels would: the same request again delivers nothing.
func (w *world) deliver(h hand) {
	a := *h.turn.Answer
	if w.requests[a.Request] {
		return
	}
	w.requests[a.Request] = true
	to := w.sent
	if a.Purpose == conversation.ByStaff {
		to = w.arrived
	}
	to[h.phone] = append(to[h.phone], strings.Fields(a.Text)...)
}

// reply lets staff write to a customer through us, sometimes asked for twice.
func (w *world) reply() {
	phone := fmt.Sprintf("5730000000%02d", w.random.IntN(3))
	var talk conversation.ID
	err := w.pool.QueryRow(w.t.Context(), `select id from conversations where platform_user_id = $1`, phone).Scan(&talk)
	if errors.Is(err, pgx.ErrNoRows) {
		return
	}
	require.NoError(w.t, err)
	text := fmt.Sprintf("r%d", len(w.replies[phone]))
	r := conversation.StaffReply{Text: text, Request: conversation.RequestID(uuid.NewString())}
	for range 1 + w.random.IntN(2) {
		_, err := w.store.Reply(w.t.Context(), talk, r)
		require.NoError(w.t, err)
	}
	w.replies[phone] = append(w.replies[phone], text)
}

// held accepts what may happen to a worker: to have lost its turn, or to be told that the customer wrote meanwhile.
func (w *world) held(err error) {
	if !errors.Is(err, conversation.ErrLeaseLost) && !errors.Is(err, conversation.ErrMoved) {
		require.NoError(w.t, err)
	}
}

// settle lets one good worker answer what is left.
func (w *world) settle() {
	w.exec(`update turns set lease_until = now() - interval '1 second' where lease_until is not null`)
	w.hands = nil
	for range 100 {
		w.due()
		w.take(10)
		if len(w.hands) == 0 {
			return
		}
		for _, h := range w.hands {
			if h.turn.Answer == nil && !w.quietly(&h) {
				continue
			}
			a := *h.turn.Answer
			w.deliver(h)
			w.held(w.store.Finish(w.t.Context(), h.turn, a, conversation.Sent{}))
		}
		w.hands = nil
	}
}

// quietly is decide with nothing happening meanwhile.
func (w *world) quietly(h *hand) bool {
	d, err := w.store.Dialogue(w.t.Context(), h.turn)
	require.NoError(w.t, err)
	if len(d.Open) == 0 {
		w.held(w.store.Dismiss(w.t.Context(), h.turn))
		return false
	}
	var questions []string
	for _, m := range d.Open {
		questions = append(questions, m.Text)
	}
	a := w.checkpoint(h.turn, strings.Join(questions, " "))
	h.turn.Answer = &a
	return true
}
