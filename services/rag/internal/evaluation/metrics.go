package evaluation

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Metrics are shares between 0 and 1, unless said otherwise.
type Metrics struct {
	Questions, Answerable int
	// Retrieval, over the questions that name documents.
	Recall1, Recall5, MRR10, NDCG10 float64
	// Right and RightAndShort are over the answerable, as if nothing were declined; Useful is over all, as it was answered.
	Right, RightAndShort, Useful float64
	// Abstention, and how well the confidence tells answerable questions from others (0.5 is chance).
	AbstentionPrecision, AbstentionRecall, AbstentionF1, AUROC float64
	// CitationPrecision is over the answers with citations to questions that name documents; UnknownCitations is a count.
	CitationPrecision float64
	UnknownCitations  int
	// Latency at the median, at nine and at ninety-nine of a hundred.
	P50, P90, P99 time.Duration
	// Tokens per question.
	InputTokens, OutputTokens float64
}

// Measure takes the measures of results.
func Measure(results []Result) Metrics {
	m := Metrics{Questions: len(results)}
	m.measureRetrieval(results)
	m.measureAnswers(results)
	m.measureAbstention(results)
	m.P50, m.P90, m.P99 = percentile(results, 0.50), percentile(results, 0.90), percentile(results, 0.99)
	return m
}

// share is part of whole, 0 of nothing.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

func (m *Metrics) measureRetrieval(results []Result) {
	var asked, cited, citedRight float64
	for _, r := range results {
		m.UnknownCitations += r.Unknown
		if len(r.Question.Documents) == 0 {
			continue
		}
		asked++
		if rank := r.rank(); rank > 0 && rank <= 10 {
			m.MRR10 += 1 / float64(rank)
			m.Recall1 += truth(rank == 1)
			m.Recall5 += truth(rank <= 5)
		}
		m.NDCG10 += r.ndcg()
		if r.Cited != "" {
			cited++
			citedRight += truth(slices.Contains(r.Question.Documents, r.Cited))
		}
	}
	for _, v := range []*float64{&m.MRR10, &m.Recall1, &m.Recall5, &m.NDCG10} {
		*v = share(*v, asked)
	}
	m.CitationPrecision = share(citedRight, cited)
}

// rank is the place of the first right document among those found, from 1; 0 for none.
func (r Result) rank() int {
	return 1 + slices.IndexFunc(r.Documents, func(name string) bool { return slices.Contains(r.Question.Documents, name) })
}

// ndcg is the normalised discounted cumulative gain of the first ten documents, each right or not.
func (r Result) ndcg() float64 {
	var gain, ideal float64
	for i := range 10 {
		discount := 1 / math.Log2(float64(i+2))
		if i < len(r.Documents) && slices.Contains(r.Question.Documents, r.Documents[i]) {
			gain += discount
		}
		if i < len(r.Question.Documents) {
			ideal += discount
		}
	}
	return share(gain, ideal)
}

func (m *Metrics) measureAnswers(results []Result) {
	for _, r := range results {
		m.InputTokens += float64(r.Usage.InputTokens)
		m.OutputTokens += float64(r.Usage.OutputTokens)
		m.Useful += truth(r.useful())
		if r.Question.answerable() {
			m.Answerable++
			m.Right += truth(r.Right)
			m.RightAndShort += truth(r.Right && r.Short)
		}
	}
	all, answerable := float64(m.Questions), float64(m.Answerable)
	m.InputTokens, m.OutputTokens, m.Useful = share(m.InputTokens, all), share(m.OutputTokens, all), share(m.Useful, all)
	m.Right, m.RightAndShort = share(m.Right, answerable), share(m.RightAndShort, answerable)
}

func (m *Metrics) measureAbstention(results []Result) {
	var declined, rightly float64
	var with, without []float64
	for _, r := range results {
		declined += truth(r.Declined)
		rightly += truth(r.Declined && !r.Question.answerable())
		if r.Question.answerable() {
			with = append(with, r.Confidence)
		} else {
			without = append(without, r.Confidence)
		}
	}
	m.AbstentionPrecision, m.AbstentionRecall = share(rightly, declined), share(rightly, float64(len(without)))
	m.AbstentionF1 = share(2*m.AbstentionPrecision*m.AbstentionRecall, m.AbstentionPrecision+m.AbstentionRecall)
	m.AUROC = auroc(with, without)
}

// auroc is the share of pairs in which the answerable question has the higher confidence; ties count half.
func auroc(with, without []float64) float64 {
	var wins float64
	slices.Sort(without)
	for _, c := range with {
		below, _ := slices.BinarySearch(without, c)
		upTo, _ := slices.BinarySearchFunc(without, c, func(x, c float64) int {
			if x <= c {
				return -1
			}
			return 1
		})
		wins += float64(below) + float64(upTo-below)/2
	}
	return share(wins, float64(len(with)*len(without)))
}

func percentile(results []Result, p float64) time.Duration {
	if len(results) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(results), func(a, b Result) int { return cmp.Compare(a.Latency, b.Latency) })
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))].Latency
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Calibrate returns the threshold at which most results would be useful, and the share of those that would. Results that no
// threshold changes count as they are. It reports false where none of the other questions is without an answer, or all are: then
// every threshold is as good.
func Calibrate(results []Result) (threshold, useful float64, ok bool) {
	served := 0.0 // with a threshold of 0 all others are answered
	answerable := 0
	var sorted []Result
	for _, r := range results {
		if r.Regardless {
			served += truth(r.useful())
			continue
		}
		sorted = append(sorted, r)
		served += truth(r.Question.answerable() && r.Right && r.Short)
		answerable += int(truth(r.Question.answerable()))
	}
	if answerable == 0 || answerable == len(sorted) {
		return 0, 0, false
	}
	slices.SortFunc(sorted, func(a, b Result) int { return cmp.Compare(a.Confidence, b.Confidence) })
	best := served
	for i, r := range sorted {
		// A threshold just above this confidence declines it and all before it.
		served += truth(!r.Question.answerable()) - truth(r.Question.answerable() && r.Right && r.Short)
		next := 1.0
		if i+1 < len(sorted) {
			next = sorted[i+1].Confidence
		}
		if next > r.Confidence && served > best {
			best, threshold = served, (r.Confidence+next)/2
		}
	}
	return threshold, best / float64(len(results)), true
}
