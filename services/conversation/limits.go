package conversation

// OutcomeLimited is of a question of a customer who had asked too much, and was told so.
const OutcomeLimited Outcome = "limited"

// MaxLookBack is how many messages of a conversation are looked at to know how much somebody has asked.
const MaxLookBack = 20_000

// Limits are how many messages of one customer are answered; 0 for any number.
type Limits struct{ Hourly, Daily int32 }

// Asked is how much a customer has asked.
type Asked struct {
	LastHour, LastDay int32
	// Told says that they were told in the last hour that it was too much.
	Told bool
}

// Exceeded reports whether it was too much.
func (l Limits) Exceeded(a Asked) bool {
	return l.Hourly > 0 && a.LastHour > l.Hourly || l.Daily > 0 && a.LastDay > l.Daily
}

// Limited tells the open messages that are too much from the others. The first of them is answered by a sentence, once an hour;
// the rest is only recorded. Whoever asks less is answered as always, also beside them in a group.
func (l Limits) Limited(open []OpenMessage, asked map[UserID]Asked) (rest []OpenMessage, tell, silent []MessageID) {
	now := map[UserID]Asked{}
	for _, m := range open {
		a, met := now[m.User]
		if !met {
			a = asked[m.User]
		}
		a.LastHour, a.LastDay = a.LastHour+1, a.LastDay+1
		switch {
		case m.User == "" || m.Sentence != SentenceLimit && !l.Exceeded(a):
			rest = append(rest, m)
		case m.Sentence == SentenceLimit: // told before, and not yet sent
			a.Told = true
			rest = append(rest, m)
		case !a.Told:
			a.Told, m.Sentence = true, SentenceLimit
			rest, tell = append(rest, m), append(tell, m.ID)
		default:
			silent = append(silent, m.ID)
		}
		now[m.User] = a
	}
	return rest, tell, silent
}
