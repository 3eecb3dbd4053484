// Package lenient reads JSON the way a receiver of webhooks must: a value of another type than documented costs that
// value and nothing else, ids may come as strings or as numbers, and no text that PostgreSQL would refuse gets through.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unmarshal decodes data into v and forgives values of another type than v expects: they stay zero. It returns an
// error only when data is not JSON.
func Unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return nil // encoding/json goes on after a mismatch and fills in everything else.
	}
	return err
}

// String is text that may come as a JSON string or number. NUL and invalid UTF-8 are cleaned.
type String string

// UnmarshalJSON never fails: anything but a string or number is empty.
func (s *String) UnmarshalJSON(data []byte) error {
	*s = String(text(data))
	return nil
}

func text(data []byte) string {
	switch {
	case len(data) == 0:
		return ""
	case data[0] == '"':
		return Clean(unquote(data))
	case data[0] == '-' || (data[0] >= '0' && data[0] <= '9'):
		return string(data)
	default:
		return ""
	}
}

func unquote(data []byte) string {
	if len(data) >= 2 && bytes.IndexByte(data, '\\') < 0 {
		return string(data[1 : len(data)-1])
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		return ""
	}
	return s
}

// Int is a whole number that may come as a JSON number or as digits in a string.
type Int int64

// UnmarshalJSON never fails: what is not a whole number of 64 bits is 0.
func (i *Int) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(text(data), 10, 64)
	if err != nil {
		n = 0
	}
	*i = Int(n)
	return nil
}

// Bool is true for JSON true and the string "true", and false for all else.
type Bool bool

// UnmarshalJSON never fails.
func (b *Bool) UnmarshalJSON(data []byte) error {
	*b = Bool(string(data) == "true" || string(data) == `"true"`)
	return nil
}

// Float is a number that may come as a JSON number or as a string.
type Float float64

// UnmarshalJSON never fails: what is not a finite number is 0.
func (f *Float) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseFloat(text(data), 64)
	if err != nil || n != n || n > 1e300 || n < -1e300 {
		n = 0
	}
	*f = Float(n)
	return nil
}

// Clean removes NUL, which PostgreSQL's text does not take, and replaces what is not UTF-8.
func Clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}

// Clip cuts s to at most limit bytes without breaking a character.
func Clip[S ~string](s S, limit int) string {
	if len(s) <= limit {
		return string(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return string(s[:limit])
}
