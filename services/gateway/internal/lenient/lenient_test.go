package lenient_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/gateway/internal/lenient"
)

func TestValuesOfAnotherTypeAreZero(t *testing.T) {
	t.Parallel()
	type value struct {
		S lenient.String
		I lenient.Int
		B lenient.Bool
		F lenient.Float
	}
	for name, c := range map[string]struct {
		json string
		want value
	}{
		"as documented":   {`{"S":"a","I":7,"B":true,"F":1.5}`, value{"a", 7, true, 1.5}},
		"strings":         {`{"S":"a","I":"7","B":"true","F":"1.5"}`, value{"a", 7, true, 1.5}},
		"numbers":         {`{"S":-12.5,"I":-7,"B":1,"F":-1}`, value{"-12.5", -7, false, -1}},
		"nulls":           {`{"S":null,"I":null,"B":null,"F":null}`, value{}},
		"objects":         {`{"S":{},"I":{},"B":{},"F":{}}`, value{}},
		"lists":           {`{"S":[1],"I":[1],"B":[true],"F":[1]}`, value{}},
		"words":           {`{"S":true,"I":"x","B":"yes","F":"NaN"}`, value{}},
		"out of range":    {`{"S":1e999,"I":99999999999999999999,"B":false,"F":1e999}`, value{S: "1e999"}},
		"fractions":       {`{"I":1.5,"F":"1e400"}`, value{}},
		"NUL and escapes": {`{"S":"a\u0000\u00f1\ud83d\ude00\ud800b"}`, value{S: "añ😀\ufffdb"}},
		"invalid UTF-8":   {"{\"S\":\"a\xff\xfeb\"}", value{S: "a\ufffdb"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got value
			require.NoError(t, lenient.Unmarshal([]byte(c.json), &got))
			require.Equal(t, c.want, got)
		})
	}
}

func TestMismatchCostsOnlyItself(t *testing.T) {
	t.Parallel()
	var got struct {
		A []string
		B struct{ C int }
		D lenient.String
		E []json.RawMessage
	}
	require.NoError(t, lenient.Unmarshal([]byte(`{"A":{"x":1},"B":[1],"D":"kept","E":[1,"x",null,{}]}`), &got))
	require.Equal(t, lenient.String("kept"), got.D)
	require.Len(t, got.E, 4)
}

func TestOnlyWhatIsNotJSONFails(t *testing.T) {
	t.Parallel()
	var v struct{ A int }
	require.Error(t, lenient.Unmarshal([]byte(`{"A":`), &v))
	require.Error(t, lenient.Unmarshal(nil, &v))
	require.NoError(t, lenient.Unmarshal([]byte(`[1]`), &v))
}

func TestClipKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for limit := range 12 {
		s := lenient.Clip(lenient.String("ñ😀ñ😀"), limit)
		require.True(t, utf8.ValidString(s))
		require.LessOrEqual(t, len(s), limit)
	}
	require.Equal(t, "abc", lenient.Clip(lenient.String("abc"), 3))
}

func TestLongKeysStayApart(t *testing.T) {
	t.Parallel()
	require.Equal(t, "msg::-1:2", lenient.Key("msg", "", "-1", "2"))
	long := strings.Repeat("x", 300)
	require.NotEqual(t, lenient.Key("msg", long, "1"), lenient.Key("msg", long, "2"))
	require.Len(t, lenient.Key("msg", long), len("sha256:")+64)
}

func TestInsaneTimesAreUnset(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, seconds := range []lenient.Int{0, -1, 1000, 1795000000000, 1<<63 - 1, -1 << 63, lenient.Int(now.Unix()) + 90_000} {
		require.True(t, lenient.Time(seconds, now).IsZero(), seconds)
	}
	require.Equal(t, now.Add(-time.Hour), lenient.Time(lenient.Int(now.Unix())-3600, now))
}
