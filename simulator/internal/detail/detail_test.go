package detail_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/internal/detail"
)

func TestEveryKindHasWords(t *testing.T) {
	t.Parallel()
	for raw, words := range map[string]string{
		`{"latitude":4.7,"longitude":-74,"name":"La Ceiba","address":"Calle 1"}`:                          "La Ceiba · Calle 1 · 4.7, -74",
		`{"location":{"latitude":4.7,"longitude":-74},"title":"La Ceiba","address":"Calle 1"}`:            "La Ceiba · Calle 1 · 4.7, -74",
		`{"phone_number":"+573001234567","first_name":"Ana"}`:                                             "Ana · +573001234567",
		`[{"name":{"formatted_name":"Ana Díaz"},"phones":[{"phone":"+57 1"}]},{"name":"Beto"}]`:           "Ana Díaz · +57 1; Beto",
		`{"catalog_id":"1","text":"para hoy","product_items":[{"product_retailer_id":"A","quantity":2}]}`: "2 × A · para hoy",
		`{"emoji":"🎲","value":2}`:                                        "🎲",
		`{"question":"¿Rojo?","options":[]}`:                             "¿Rojo?",
		`{"payload":"p","text":"Sí"}`:                                    "Sí",
		`{"type":"button_reply","button_reply":{"id":"a","title":"Sí"}}`: "Sí",
		`{"type":"list_reply","list_reply":{"id":"a","title":"Envíos"}}`: "Envíos",
		`{"unknown":true}`:                                               `{"unknown":true}`,
		`7`:                                                              "7",
	} {
		require.Equal(t, words, detail.Of(json.RawMessage(raw)), raw)
	}
	long := detail.Of(json.RawMessage(`"` + strings.Repeat("ñ", 500) + `"`))
	require.Len(t, []rune(long), 161)
}
