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
