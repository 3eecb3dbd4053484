package channels_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

// TestStatesAreRanked walks every pair of reports on one message: the second never takes it back, and failed is never left.
func TestStatesAreRanked(t *testing.T) {
	t.Parallel()

	const (
		sent, delivered, read, played, failed = channels.DeliverySent, channels.DeliveryDelivered, channels.DeliveryRead, channels.DeliveryPlayed, channels.DeliveryFailed
	)
	for first, rest := range map[channels.DeliveryState]map[channels.DeliveryState]channels.DeliveryState{
		sent:      {sent: sent, delivered: delivered, read: read, played: played, failed: failed},
		delivered: {sent: delivered, delivered: delivered, read: read, played: played, failed: failed},
		read:      {sent: read, delivered: read, read: read, played: played, failed: failed},
		played:    {sent: played, delivered: played, read: played, played: played, failed: failed},
		failed:    {sent: failed, delivered: failed, read: failed, played: failed, failed: failed},
	} {
		require.Len(t, rest, 5)
		for second, want := range rest {
			b := newBench(t, channels.WhatsApp, 1)
			step := b.next("a")
			b.d.Sent(step, "wamid.1")
			for _, state := range []channels.DeliveryState{first, second} {
				b.d.Apply(step, channels.Report{MessageID: "wamid.1", State: state, ErrorCode: 131026, ErrorMessage: "undeliverable"})
			}
			require.Equal(t, want, b.d.State(), "%d then %d", first, second)
			require.Equal(t, want == failed, b.d.Parts[0].ErrorCode != 0, "only a failure has a reason")
			require.True(t, b.next("b").Done, "no report sends anything again")
		}
	}
}

func TestReadBeforeOurAnswerSettlesThePart(t *testing.T) {
	t.Parallel()

	b := newBench(t, channels.WhatsApp, 1)
	step := b.next("a")
	b.d.Apply(step, channels.Report{MessageID: "wamid.1", State: channels.DeliveryRead})
	b.d.Sent(step, "wamid.1")
	require.Equal(t, channels.DeliveryRead, b.d.State(), "our own answer, which comes late, takes nothing back")
}

func TestPricing(t *testing.T) {
	t.Parallel()

	free := channels.Pricing{Model: "PMP", Type: "free_customer_service", Category: "service"}
	billed := channels.Pricing{Billable: true, Model: "PMP", Type: "regular", Category: "service"}
	priced := func(s channels.DeliveryState, p channels.Pricing) channels.Report {
		return channels.Report{MessageID: "wamid.1", State: s, Pricing: p}
	}
	for name, c := range map[string]struct {
		reports []channels.Report
		want    channels.Pricing
	}{
		"None":             {[]channels.Report{priced(channels.DeliverySent, channels.Pricing{})}, channels.Pricing{}},
		"Kept":             {[]channels.Report{priced(channels.DeliverySent, free), priced(channels.DeliveryDelivered, channels.Pricing{})}, free},
		"KeptOnFailure":    {[]channels.Report{priced(channels.DeliverySent, free), priced(channels.DeliveryFailed, channels.Pricing{})}, free},
		"LaterOneWins":     {[]channels.Report{priced(channels.DeliverySent, free), priced(channels.DeliveryDelivered, billed)}, billed},
		"LateOneDoesNot":   {[]channels.Report{priced(channels.DeliveryDelivered, billed), priced(channels.DeliverySent, free)}, billed},
		"LateButOnlyOne":   {[]channels.Report{priced(channels.DeliveryRead, channels.Pricing{}), priced(channels.DeliverySent, free)}, free},
		"BillableIsEnough": {[]channels.Report{priced(channels.DeliverySent, channels.Pricing{Billable: true})}, channels.Pricing{Billable: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, channels.WhatsApp, 1)
			step := b.next("a")
			b.d.Sent(step, "wamid.1")
			for _, r := range c.reports {
				b.d.Apply(step, r)
			}
			require.Equal(t, c.want, b.d.Parts[0].Pricing)
		})
	}
}

func TestCurableLateFailure(t *testing.T) {
	t.Parallel()
	said := func(s channels.DeliveryState) channels.Report {
		return channels.Report{MessageID: "wamid.1", State: s, ErrorCode: 131000, Curable: s == channels.DeliveryFailed}
	}
	lost := func(t *testing.T) (*bench, channels.Step) {
		t.Helper()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.d.Sent(step, "wamid.1")
		require.Equal(t, 1, b.d.Apply(step, said(channels.DeliveryFailed)))
		require.Equal(t, channels.DeliveryFailed, b.d.State(), "whoever looks meanwhile sees that it failed")
		return b, step
	}

	t.Run("SendsTheSameAgainAFewTimes", func(t *testing.T) {
		t.Parallel()
		b, _ := lost(t)
		asked := newBench(t, channels.WhatsApp, 1).d
		for times := 2; times <= 4; times++ {
			require.Empty(t, b.d.Parts[0].Content)
			require.True(t, b.d.Restore(asked))
			step := b.next("a")
			require.Equal(t, times, step.Try, "a step of its own: no report of the lost one is taken for this one's")
			require.Equal(t, asked.Parts[0].Content, b.d.Parts[0].Content)
			b.d.Sent(step, "wamid.again")
			failures := b.d.Apply(step, said(channels.DeliveryFailed))
			require.Equal(t, times <= 3, failures == times, "%d failures", failures)
		}
		require.True(t, b.next("a").Done, "the fourth failure is the last")
		require.Equal(t, channels.DeliveryFailed, b.d.State())
		require.False(t, b.d.MaybeDuplicate, "none of them reached anybody")
	})

	t.Run("MayBeReportedAgain", func(t *testing.T) {
		t.Parallel()
		b, step := lost(t)
		require.Equal(t, 1, b.d.Apply(step, said(channels.DeliveryFailed)), "as when the first outcome was lost")
		next := b.next("a")
		require.Zero(t, b.d.Apply(step, said(channels.DeliveryFailed)), "the next try is none of its business")
		b.d.Sent(next, "wamid.2")
		require.Equal(t, channels.DeliverySent, b.d.State())
	})

	t.Run("BeforeOurAnswer", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		require.Equal(t, 1, b.d.Apply(step, said(channels.DeliveryFailed)))
		b.d.Sent(step, "wamid.1")
		require.Equal(t, 2, b.next("a").Try)
	})

	t.Run("SentThatComesLaterSettlesNothingDeliveredDoes", func(t *testing.T) {
		t.Parallel()
		b, step := lost(t)
		b.d.Apply(step, said(channels.DeliverySent))
		require.False(t, b.d.Settled())
		b.d.Apply(step, said(channels.DeliveryDelivered))
		require.True(t, b.next("a").Done)
		require.Equal(t, channels.DeliveryDelivered, b.d.State())
	})

	t.Run("NeverWhatReachedTheCustomer", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.d.Sent(step, "wamid.1")
		b.d.Apply(step, said(channels.DeliveryRead))
		require.Zero(t, b.d.Apply(step, said(channels.DeliveryFailed)))
		require.True(t, b.next("a").Done)
	})

	t.Run("TemplateComesBackToo", func(t *testing.T) {
		t.Parallel()
		b, _ := lost(t)
		asked := newBench(t, channels.WhatsApp, 1).d
		asked.Template = &channels.Template{Name: "volver"}
		require.True(t, b.d.Restore(asked))
		require.Equal(t, asked.Template, b.d.Template)
	})

	t.Run("IsNotRestoredFromOtherMessages", func(t *testing.T) {
		t.Parallel()
		b, _ := lost(t)
		asked := newBench(t, channels.WhatsApp, 2).d
		require.False(t, b.d.Restore(asked))
		b.d.Sent(b.next("a"), "wamid.2")
		require.True(t, b.d.Restore(asked), "nothing is to be sent")
	})
}
