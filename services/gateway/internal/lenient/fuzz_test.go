package lenient_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

// FuzzLenient: whatever is JSON is read, and nothing is read that PostgreSQL would refuse.
func FuzzLenient(f *testing.F) {
	for _, seed := range []string{
		`{"S":"a","I":7,"B":true,"F":1.5,"L":["x",1,null],"O":{"S":"b"}}`, `{"S":1e999,"I":"7","B":"true","F":"1e400"}`,
		`{"S":"a\u0000\ud800\ud83d\ude00","O":[],"L":{}}`, "{\"S\":\"a\xff\xfe\"}", `null`, `[1]`, `{"S":"`, "", "{} {}", `{"s":"a","S":"b"}`,
	} {
		f.Add([]byte(seed))
	}
	type inner struct {
		S lenient.String
	}
	type value struct {
		S lenient.String
		I lenient.Int
		B lenient.Bool
		F lenient.Float
		L []lenient.String
		O inner
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, again value
		err := lenient.Unmarshal(data, &got)
		require.Equal(t, json.Valid(data), err == nil, "only what is not JSON fails")
		if err != nil {
			return
		}
		for _, s := range append(got.L, got.S, got.O.S) {
			require.True(t, utf8.ValidString(string(s)))
			require.False(t, strings.ContainsRune(string(s), 0))
		}
		require.False(t, math.IsNaN(float64(got.F)) || math.IsInf(float64(got.F), 0))
		require.NoError(t, lenient.Unmarshal(data, &again))
		require.Equal(t, got, again, "a repeat reads the same")
	})
}

// FuzzClip: what is cut stays text, and is the beginning of what it was.
func FuzzClip(f *testing.F) {
	f.Add("ñ😀ñ😀", uint8(3))
	f.Add("a\xffb", uint8(2))
	f.Fuzz(func(t *testing.T, s string, limit uint8) {
		s = lenient.Clean(s)
		clipped := lenient.Clip(s, int(limit))
		require.True(t, utf8.ValidString(clipped))
		require.LessOrEqual(t, len(clipped), int(limit))
		require.True(t, strings.HasPrefix(s, clipped))
		require.True(t, len(s) <= int(limit) == (clipped == s), "nothing is cut that fits")
	})
}
