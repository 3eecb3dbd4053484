package channels_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

const (
	lease    = 30 * time.Second
	echoWait = time.Minute
)

var timing = channels.Timing{Lease: lease, EchoWait: echoWait}

// bench is a delivery and a clock, without a database.
type bench struct {
	*testing.T
	d   channels.Delivery
	now time.Time
}

func newBench(t *testing.T, p channels.Platform, parts int) *bench {
	t.Helper()
	b := &bench{T: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	b.d = channels.Delivery{RequestID: "r1", IntegrationID: "i1", Platform: p}
	for range parts {
		b.d.Parts = append(b.d.Parts, channels.DeliveryPart{
			Content: channels.Part{Text: "hola"}, Progress: channels.Progress{Phase: channels.PhasePending},
		})
	}
	return b
}

func (b *bench) next(token string) channels.Step {
	b.Helper()
	step, err := b.d.Next(token, timing, b.now, nil)
	require.NoError(b, err)
	return step
}

func (b *bench) mustWait(token string, reason error) time.Duration {
	b.Helper()
	_, err := b.d.Next(token, timing, b.now, nil)
	require.ErrorIs(b, err, reason)
	var wait *channels.WaitError
	require.ErrorAs(b, err, &wait)
	return wait.RetryAfter
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

func TestDelivery(t *testing.T) {
	t.Parallel()

	t.Run("PartsGoOutInOrderAndOnce", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 2)
		first := b.next("a")
		require.Equal(t, channels.Step{Part: 0, Try: 1}, first)
		b.d.Sent(first, "wamid.1")
		second := b.next("a")
		require.Equal(t, channels.Step{Part: 1, Try: 1}, second)
		b.d.Sent(second, "wamid.2")
		require.True(t, b.next("a").Done)
		require.True(t, b.next("b").Done, "a second call finds the recorded result")
		require.Equal(t, channels.DeliverySent, b.d.State())
		require.Empty(t, b.d.Parts[0].Content, "what was said is not kept")
	})

	t.Run("SecondCallWaitsWhileTheFirstIsInFlight", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.Telegram, 1)
		b.next("a")
		b.pass(10 * time.Second)
		require.Equal(t, lease-10*time.Second, b.mustWait("b", channels.ErrInFlight))
	})

	t.Run("WhatsAppDoubtWaitsForTheEchoThenIsSentOnceMore", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		b.next("a")
		b.pass(lease + time.Second) // a died
		require.Equal(t, echoWait-lease-time.Second, b.mustWait("b", channels.ErrInDoubt))
		b.pass(echoWait)
		require.Equal(t, channels.Step{Part: 0, Try: 2}, b.next("b"))
		require.True(t, b.d.MaybeDuplicate)
	})

	t.Run("TelegramDoubtIsSentOnceMoreAtOnce", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.Telegram, 1)
		step := b.next("a")
		require.ErrorIs(t, b.d.Doubtful("a", step, timing, b.now), channels.ErrInDoubt)
		require.Equal(t, channels.Step{Part: 0, Try: 2}, b.next("b"))
		require.True(t, b.d.MaybeDuplicate)
	})

	t.Run("SecondDoubtIsNeverSentAThirdTime", func(t *testing.T) {
		t.Parallel()
		for _, p := range []channels.Platform{channels.Telegram, channels.WhatsApp} {
			b := newBench(t, p, 1)
			b.next("a")
			b.pass(lease + echoWait)
			b.next("b")
			b.pass(lease + echoWait)
			require.True(t, b.next("c").Done)
			require.Equal(t, channels.PhaseUnknown, b.d.Parts[0].Phase)
			require.True(t, b.d.Unknown())
			require.True(t, b.d.MaybeDuplicate)
		}
	})

	t.Run("ResendThatIsKnownNotToHaveGoneOutIsTriedAgain", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.Telegram, 1)
		b.next("a")
		b.pass(lease)
		step := b.next("b")
		b.d.NotSent("b", step, &channels.SendError{Class: channels.ClassRetry}, false)
		require.Equal(t, 3, b.next("c").Try)
	})

	t.Run("LateAnswerOfALostLeaseSettlesThePart", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		first := b.next("a")
		b.pass(lease + echoWait)
		second := b.next("b")
		b.d.Sent(first, "wamid.1")
		require.True(t, b.next("c").Done)
		b.d.Sent(second, "wamid.2")
		require.Equal(t, "wamid.1", b.d.Parts[0].MessageID)
	})

	t.Run("LateRefusalOfALostLeaseDoesNotTouchTheNextTry", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.Telegram, 1)
		first := b.next("a")
		b.pass(lease)
		b.next("b")
		b.d.NotSent("a", first, &channels.SendError{Class: channels.ClassInvalid}, true)
		require.Equal(t, channels.PhaseSending, b.d.Parts[0].Phase)
		b.mustWait("c", channels.ErrInFlight)
	})

	t.Run("RefusedPartIsTriedAgainWhenAsked", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		b.d.NotSent("a", b.next("a"), &channels.SendError{Class: channels.ClassWindowClosed, Code: 131047, Message: "closed"}, true)
		require.Equal(t, channels.DeliveryFailed, b.d.State())
		require.Equal(t, 2, b.next("b").Try)
		require.False(t, b.d.MaybeDuplicate, "the first is known not to have gone out")
	})

	t.Run("StoredFileMayTakeLonger", func(t *testing.T) {
		t.Parallel()
		slow := channels.Timing{Lease: lease, EchoWait: echoWait, Upload: 2 * time.Minute}
		file := channels.Attachment{Media: &channels.Media{Kind: channels.MediaImage, ID: "f"}}
		linked := channels.Attachment{Media: &channels.Media{Kind: channels.MediaImage, URL: "https://example.com/a"}}
		for name, c := range map[string]struct {
			edit func(d *channels.Delivery)
			more time.Duration
		}{
			"Stored": {func(d *channels.Delivery) { d.Parts[0].Content.Attachment = file }, slow.Upload},
			"ByURL":  {func(d *channels.Delivery) { d.Parts[0].Content.Attachment = linked }, 0},
			"Template": {func(d *channels.Delivery) {
				d.Template = &channels.Template{Components: []channels.TemplateComponent{{Parameters: []channels.TemplateParameter{{Media: file.Media}}}}}
			}, slow.Upload},
		} {
			b := newBench(t, channels.WhatsApp, 1)
			c.edit(&b.d)
			step, err := b.d.Next("a", slow, b.now, nil)
			require.NoError(t, err)
			require.Equal(t, b.now.Add(lease+c.more), b.d.Lease.Until, name)
			b.pass(c.more + lease) // the call took all of its time
			var wait *channels.WaitError
			require.ErrorAs(t, b.d.Doubtful("a", step, slow, b.now), &wait)
			require.Equal(t, echoWait-lease, wait.RetryAfter, name)
			_, err = b.d.Next("b", slow, b.now, nil)
			require.ErrorIs(t, err, channels.ErrInDoubt, name)
			b.pass(echoWait - lease)
			step, err = b.d.Next("b", slow, b.now, nil)
			require.NoError(t, err)
			require.Equal(t, 2, step.Try, name)
		}
	})

	t.Run("RefusedPermitSendsNothingAndKeepsNobodyAway", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		stopped := errors.New("stopped")
		_, err := b.d.Next("a", timing, b.now, stopped)
		require.ErrorIs(t, err, stopped)
		require.Equal(t, 1, b.next("b").Try)
	})
}

func TestDeliveryReports(t *testing.T) {
	t.Parallel()
	report := func(s channels.DeliveryState) channels.Report { return channels.Report{MessageID: "wamid.1", State: s} }

	t.Run("EchoSettlesADoubt", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.d.Apply(step, report(channels.DeliverySent))
		require.NoError(t, b.d.Doubtful("a", step, timing, b.now), "the report was faster than our timeout")
		require.True(t, b.next("a").Done)
		require.Equal(t, "wamid.1", b.d.Parts[0].MessageID)
		require.False(t, b.d.MaybeDuplicate)
	})

	t.Run("LateSentNeverReplacesDelivered", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.d.Sent(step, "wamid.1")
		b.d.Apply(step, report(channels.DeliveryDelivered))
		b.d.Apply(step, report(channels.DeliverySent))
		require.Equal(t, channels.DeliveryDelivered, b.d.State())
		b.d.Apply(step, report(channels.DeliveryFailed))
		b.d.Apply(step, report(channels.DeliveryRead))
		require.Equal(t, channels.DeliveryFailed, b.d.State(), "failed is never left")
	})

	t.Run("FailureBeforeOurAnswerStaysAFailure", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.d.Apply(step, channels.Report{MessageID: "wamid.1", State: channels.DeliveryFailed, ErrorCode: 131047, ErrorMessage: "closed"})
		b.d.Sent(step, "wamid.1")
		require.Equal(t, channels.DeliveryFailed, b.d.State())
		require.Equal(t, 131047, b.d.Parts[0].ErrorCode)
		require.True(t, b.next("b").Done)
	})

	t.Run("FailureOfTheTryInDoubtFreesThePart", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		step := b.next("a")
		b.pass(lease)
		b.d.Apply(step, report(channels.DeliveryFailed))
		require.Equal(t, 2, b.next("b").Try)
		require.False(t, b.d.MaybeDuplicate)
	})

	t.Run("FailureOfAnEarlierTrySaysNothingOfTheLater", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		first := b.next("a")
		b.pass(lease + echoWait)
		second := b.next("b")
		b.d.Sent(second, "wamid.2")
		b.d.Apply(first, report(channels.DeliveryFailed))
		require.Equal(t, channels.DeliverySent, b.d.State())
	})

	t.Run("WholeStateIsTheLowest", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 2)
		b.d.Sent(b.next("a"), "wamid.1")
		require.Equal(t, channels.DeliveryUnspecified, b.d.State())
		b.d.Sent(b.next("a"), "wamid.2")
		b.d.Apply(channels.Step{Part: 0, Try: 1}, report(channels.DeliveryRead))
		require.Equal(t, channels.DeliverySent, b.d.State())
	})

	t.Run("ReportOnAPartThatDoesNotExistIsIgnored", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, channels.WhatsApp, 1)
		b.d.Apply(channels.Step{Part: 7, Try: 1}, report(channels.DeliveryRead))
		require.Equal(t, channels.DeliveryUnspecified, b.d.State())
	})
}

func TestEcho(t *testing.T) {
	t.Parallel()
	id, step, ok := channels.ParseEcho(channels.Echo("a/b", channels.Step{Part: 3, Try: 2}))
	require.True(t, ok)
	require.Equal(t, "a/b", id)
	require.Equal(t, channels.Step{Part: 3, Try: 2}, step)
	for _, foreign := range []string{"", "x", "x/1", "/0/1", "x/0/0", "x/-1/1", "x/a/b", "x/0/1/"} {
		_, _, ok := channels.ParseEcho(foreign)
		require.False(t, ok, foreign)
	}
}
