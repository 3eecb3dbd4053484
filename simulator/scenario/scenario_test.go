package scenario_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator/scenario"
)

// play runs a scenario against an echo and returns the transcript.
func play(t *testing.T, text string) (string, *echo, error) {
	t.Helper()
	s, err := scenario.Load(strings.NewReader(text))
	require.NoError(t, err)
	sim, e := start(t)
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := fstest.MapFS{"nota.txt": {Data: []byte("hola")}}
	err = scenario.Run(ctx, sim, s, scenario.Options{Dir: dir, Out: &out})
	return out.String(), e, err
}

const (
	waitFor = 10 * time.Second
	tick    = 5 * time.Millisecond
)

const two = `
customers:
  ana: {platform: whatsapp, from: "573001234567", name: Ana}
  beto: {platform: telegram, from: "8123", name: Beto}
files:
  nota: {type: text/plain, name: nota.txt, path: nota.txt}
steps:
`

func TestScenario(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ steps, transcript string }{
		"AnAnswerIsExpected": {`
- {as: ana, say: Hola, label: saludo, expect: [{contains: ECO, lacks: adiós, kind: text, reply_to: saludo}, {state: read}]}`, "ana < eco: Hola"},
		"ButtonsArePressed": {`
- {as: ana, say: los botones, expect: [{button: SÍ}]}
- {as: ana, press: "no"}
- {as: beto, say: los botones, expect: [{button: "yes"}]}
- {as: beto, press: Sí}`, "beto > [Sí]"},
		"RowsAreChosen": {`
- {as: ana, say: la lista, expect: [{button: r1}]}
- {as: ana, press: Envíos}`, "ana > [Envíos]"},
		"NumbersAreShared": {`
- {as: ana, say: pida el número, expect: [{kind: interactive}]}
- {as: ana, press: Compartir contacto}
- {as: beto, say: pida el número, expect: [{button: Compartir}]}
- {as: beto, press: Compartir}`, "[contact] Beto · +573000008123"},
		"TemplatesAreAnswered": {`
- {as: ana, say: una plantilla, expect: [{kind: template, contains: aviso}]}
- {as: ana, press: SEGUIR}`, "[button] SEGUIR"},
		"DraftsAndTypingAreSeen": {`
- {as: beto, say: con borrador, expect: [{typing: true}, {draft: true}, {contains: "eco:"}]}`, "beto ~ eco: …"},
		"ReactionsAreSeen": {`
- {as: ana, say: una reacción, expect: [{reaction: 🙏}], quiet: 50ms}
- {as: beto, say: una reacción, expect: [{reaction: 🙏}]}`, "2 steps, 3 expectations met, 0 failed"},
		"FilesGoBothWays": {`
- {as: ana, send: {kind: document, media: nota}}
- {as: ana, say: la foto, expect: [{kind: image, contains: foto}]}
- {as: beto, say: la foto, expect: [{kind: photo}]}`, "ana > [document] <nota.txt>"},
		"FaultsStrikeAndAreCalledOff": {`
- {fault: {kind: server_error, count: -1}}
- {as: ana, say: Hola, quiet: 200ms}
- {clear_faults: true}
- {as: ana, say: Hola, expect: [{}]}`, "* fault server_error"},
		"TheCustomerMoves": {`
- {as: ana, say: Hola, wait: 10s}
- {as: ana, move: {phone: "573009999999"}}
- {as: ana, say: sigo aquí, expect: [{contains: sigo}]}`, "ana * is now 573009999999"},
		"RepeatsAThousandChanges": {`
- {fault: {kind: webhook_batch}}
- {as: ana, send: {kind: unsupported}, repeat: 1000}`, "2 steps"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transcript, _, err := play(t, two+c.steps)
			require.NoError(t, err, transcript)
			require.Contains(t, transcript, c.transcript)
		})
	}
}

func TestAThousandChangesComeInOneBody(t *testing.T) {
	t.Parallel()
	transcript, e, err := play(t, two+`
- {fault: {kind: webhook_batch, delay: 1m}}
- {as: ana, send: {kind: unsupported}, repeat: 1000}
- {as: ana, say: y ya, expect: [{}]}`)
	require.NoError(t, err, transcript)
	require.Eventually(t, func() bool {
		for _, body := range e.received() {
			if len(values(body)) == 1000 {
				return true
			}
		}
		return false
	}, waitFor, tick)
}

func TestWhatIsNotMetFails(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string]string{
		"WrongWords":     `- {as: ana, say: Hola, expect: [{contains: nunca, within: 100ms}]}`,
		"UnwantedWords":  `- {as: ana, say: Hola, expect: [{lacks: eco, within: 100ms}]}`,
		"NoAnswer":       `- {as: ana, send: {kind: unsupported}, wait: 100ms}`,
		"UnwantedAnswer": `- {as: ana, say: Hola, quiet: 5s}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transcript, _, err := play(t, two+steps)
			require.ErrorIs(t, err, scenario.ErrFailed)
			require.Contains(t, transcript, "FAILED: expected")
		})
	}
	t.Run("WhatTheSimulatorRefusesStopsIt", func(t *testing.T) {
		t.Parallel()
		_, _, err := play(t, two+`- {as: ana, press: nada}`)
		require.EqualError(t, err, `step 1: no message has a button "nada"`)
	})
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"a: [":                                "no YAML",
		"{}":                                  "no steps",
		"[]":                                  "cannot unmarshal",
		two + "- {as: ana, sya: Hola}":        `step 1: json: unknown field "sya"`,
		two + "- {as: eva, say: Hola}":        `no customer "eva"`,
		two + "- {say: Hola}":                 "needs a customer",
		two + "- {as: ana, say: a, press: b}": "does 2 things",
		"customers: {ana: {form: '1'}}":       `customer "ana": json: unknown field "form"`,
		two + "- {as: ana, say: a, expect: [{contians: b}]}": `unknown field "contians"`,
	} {
		_, err := scenario.Load(strings.NewReader(text))
		require.ErrorContains(t, err, reason, text)
	}
}

func TestTheSamplesRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"todo", "fallos"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../scenarios/" + name + ".yaml")
			require.NoError(t, err)
			// The echo answers at once, so that silence need not be long.
			transcript, _, err := play(t, strings.ReplaceAll(string(text), "quiet: 3s", "quiet: 100ms"))
			require.NoError(t, err, transcript)
		})
	}
}
