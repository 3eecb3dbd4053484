package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
)

// forms are the ways in which a value gets into a log: as it is, inside JSON, a URL, hexadecimal digits or base64.
func forms(value string) [][]byte {
	quoted, _ := json.Marshal(value)
	all := [][]byte{
		[]byte(value), quoted[1 : len(quoted)-1], []byte(url.QueryEscape(value)), []byte(url.PathEscape(value)),
		[]byte(hex.EncodeToString([]byte(value))),
	}
	const whole = 2 * Shortest // shorter ones leave too little once the ends are cut off
	if len(value) >= whole {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			all = append(all, inside(encoding, value)...)
		}
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.CompactFunc(all, bytes.Equal)
}

// inside returns what of a value shows in base64, wherever in the encoded bytes it begins: its first and last characters
// depend on what stands beside it.
func inside(encoding *base64.Encoding, value string) [][]byte {
	var all [][]byte
	for before := range 3 {
		encoded := encoding.EncodeToString(append(make([]byte, before), value...))
		from := (before*8 + 5) / 6
		to := (before + len(value)) * 8 / 6
		all = append(all, []byte(encoded[from:to]))
	}
	return all
}
