package analysis

import (
	"math/bits"
	"unicode/utf8"
)

// Words shorter than minTypo letters are too easily another word, and likeness below minLikeness is chance.
const (
	minTypo     = 4
	minLikeness = 0.7
)

// Likeness tells how likely two stems are one word of which one is mistyped: 1 less the share of letters to add, drop,
// change or swap, and 0 where that is no sign of anything.
func Likeness(a, b string) float64 {
	if a == b {
		return 1
	}
	m, n := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	longest, shortest := max(m, n), min(m, n)
	if shortest < minTypo || isNumber(a) || isNumber(b) {
		return 0
	}
	allowed := int(float64(longest) * (1 - minLikeness))
	if longest-shortest > allowed || foreign(a, b) > allowed {
		return 0
	}
	likeness := 1 - float64(distance([]rune(a), []rune(b)))/float64(longest)
	if likeness < minLikeness {
		return 0
	}
	return likeness
}

// foreign is how many different letters of one word do not stand in the other, or fewer: each of them is at least one letter to
// change. It spares nearly every pair of words the whole comparison.
func foreign(a, b string) int {
	x, y := letters(a), letters(b)
	return max(bits.OnesCount64(x&^y), bits.OnesCount64(y&^x))
}

// letters has a bit for each letter of a word; some share one.
func letters(word string) (set uint64) {
	for _, r := range word {
		set |= 1 << (r % 64)
	}
	return set
}

// isNumber tells whether a word begins with a digit: numbers and codes are never near enough.
func isNumber(word string) bool { return word[0] >= '0' && word[0] <= '9' }

// distance is the number of letters to add, drop or change, or of neighbours to swap, to make y of x.
func distance(x, y []rune) int {
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
