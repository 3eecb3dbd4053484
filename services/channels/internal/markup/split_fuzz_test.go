package markup

import (
	"strings"
	"testing"
)

// FuzzSplit renders texts that are longer than a message: a short one, so often that both platforms need several parts.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"palabra ", "ñ", "👨‍👩‍👧‍👦", "e\u0301", "**a** _b_\n", "[a](https://x.example/a_b) ", "- a\n  - b\n", "```\ncódigo\n```\n\n",
		"|a|b|\n|-|-|\n|c|d|\n\n", "&amp;<b>", "> cita\n", "x", " \n", "\U0001F3F4\U000E0067\U000E007F", "*", "_a", "`a``b`",
	} {
		f.Add(seed, uint16(5000/max(1, len(seed))))
	}
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		const longest = 10_000
		repeated := strings.Repeat(text, min(int(times), longest/max(1, len(text))))
		if problem := brokenPromise(repeated); problem != "" {
			t.Fatal(problem)
		}
	})
}
