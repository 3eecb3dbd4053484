package postgres_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// human is one of the people who write: the oracle knows who is who, the store only sees ids.
type human struct {
	name  string
	bsuid string
	phone string
	// hides says that Meta does not show the number.
	hides bool
}

// town is a number's customers and what happens to their ids.
type town struct {
	*bundle
	random *rand.Rand
	humans []*human
	// free are numbers that nobody has, with the days since their last owner gave them up.
	free map[string]int
	n    int
}

// TestNoTwoStrangersEverMerge lets people write, hide and change their numbers and BSUIDs, and get numbers that others gave up
// more than 30 days ago, with notices that come late, twice or never, and looks at whose messages a user holds in the end.
func TestNoTwoStrangersEverMerge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			w := &town{bundle: setup(t), random: rand.New(rand.NewPCG(seed, 11)), free: map[string]int{}}
			for range 5 {
				w.humans = append(w.humans, w.born())
			}
			for range 150 {
				w.step()
			}
			require.Zero(t, w.count(`(select user_id from messages where role = 'customer' group by user_id having count(distinct split_part(text, ' ', 1)) > 1) as merged`),
				"a user holds the messages of one person")
			require.Zero(t, w.count(`(select conversation_id from messages where role = 'customer' group by conversation_id having count(distinct split_part(text, ' ', 1)) > 1) as merged`))
			require.Zero(t, w.count(`(select external_id from users where external_id is not null group by external_id having count(*) > 1) as twice`))
			require.Zero(t, w.count(`users where external_id not like 'CC.%'`), "a BSUID is never rewritten")
		})
	}
}

func (w *town) born() *human {
	w.n++
	return &human{name: fmt.Sprintf("p%d", w.n), bsuid: fmt.Sprintf("CC.549%010d", w.n), phone: w.number(), hides: w.random.IntN(3) == 0}
}

// number is one that nobody has: a new one, or one that was given up long enough ago.
func (w *town) number() string {
	for _, phone := range slices.Sorted(maps.Keys(w.free)) {
		if w.free[phone] > 30 {
			delete(w.free, phone)
			return phone
		}
	}
	w.n++
	return fmt.Sprintf([]string{"54911%08d", "52155%08d", "55119%08d", "57300%08d", "5511%08d"}[w.random.IntN(5)], 30_000_000+7_654_321*w.n%69_999_999)
}

func (w *town) step() {
	h := w.humans[w.random.IntN(len(w.humans))]
	switch w.random.IntN(12) {
	case 0:
		w.days(1 + w.random.IntN(40))
	case 1:
		h.hides = !h.hides
	case 2:
		w.moves(h)
	case 3:
		old := h.bsuid
		w.n++
		h.bsuid = fmt.Sprintf("CC.%d", w.n)
		w.tell(w.notice(conversation.UserIDChanged, old, h.bsuid))
	case 4:
		w.humans = append(w.humans, w.born())
	default:
		w.writes(h)
	}
}

// days pass for everybody.
func (w *town) days(n int) {
	w.exec(`update users set last_seen_time = last_seen_time - $1 * interval '1 day',
		phone_seen_time = phone_seen_time - $1 * interval '1 day'`, n)
	for phone := range w.free {
		w.free[phone] += n
	}
}

// moves gives a person another number. Meta tells it, and with it the BSUID that was made anew.
func (w *town) moves(h *human) {
	phone, bsuid := h.phone, h.bsuid
	w.free[phone] = 0
	w.n++
	h.phone, h.bsuid = w.number(), fmt.Sprintf("CC.%d", w.n)
	w.tell(w.notice(conversation.PhoneNumberChanged, phone, h.phone), w.notice(conversation.UserIDChanged, bsuid, h.bsuid))
}

// tell delivers news in any order, some of it twice, some never.
func (w *town) tell(news ...conversation.Arrival) {
	w.random.Shuffle(len(news), func(i, j int) { news[i], news[j] = news[j], news[i] })
	for _, n := range news {
		for range w.random.IntN(3) {
			w.n++
			n.Key = fmt.Sprintf("notice:%d", w.n)
			w.receive(n)
		}
	}
}

// writes sends one or two messages, with the ids that Meta shows: the number is left out where it is hidden, and the BSUID in old
// kinds of payload, in which the number comes in either form.
func (w *town) writes(h *human) {
	var body []conversation.Arrival
	for range 1 + w.random.IntN(2) {
		bsuid, phone := h.bsuid, w.spelt(h.phone)
		switch {
		case h.hides:
			phone = ""
		case w.random.IntN(5) == 0:
			bsuid = ""
		}
		body = append(body, w.says(h.name+" escribe", from(bsuid, phone)))
	}
	w.receive(body...)
}

// spelt writes a number in one of its two forms.
func (w *town) spelt(phone string) string {
	if key := conversation.PhoneKey(phone); w.random.IntN(2) == 0 {
		return key
	}
	return phone
}
