package delivery_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/pacing"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// bundle is a service on a database, an integration and a provider.
type bundle struct {
	*channelstest.Bundle
	delivery    *delivery.Service
	library     *channelstest.Library
	integration channels.Integration
	to          channels.Address
	// limits are so high that only tests of pacing meet them.
	limits pacing.Limits
	// metrics are the last replica's.
	metrics *prometheus.Registry
}

// unlimited is more than any test sends.
func unlimited() pacing.Limits {
	l := pacing.Limit{Every: time.Microsecond, Burst: 1000}
	return pacing.Limits{Number: l, Pair: l, Bot: l, Chat: l, Group: l}
}

func setup(t *testing.T, p channels.Platform) *bundle {
	t.Helper()
	b := &bundle{Bundle: channelstest.New(t), library: channelstest.NewLibrary(), limits: unlimited()}
	b.delivery = b.service()
	if p == channels.WhatsApp {
		b.integration = b.WhatsApp(t)
		b.to = channels.Address{IntegrationID: b.integration.ID, WhatsApp: &channels.WhatsAppUser{Phone: "573001234567"}}
		return b
	}
	b.integration = b.Telegram(t)
	b.to = channels.Address{IntegrationID: b.integration.ID, Telegram: &channels.TelegramChat{ID: 7}}
	return b
}

// service is one replica.
func (b *bundle) service() *delivery.Service {
	// One message for each line keeps rendering out of these tests.
	provider := delivery.Provider{Sender: b.Provider, Reach: b.Provider.Reach, Render: lines, Classify: classify}
	b.metrics = prometheus.NewRegistry()
	config := delivery.Config{
		EchoWait: time.Minute, CallTimeout: 10 * time.Second, UploadTimeout: time.Minute, Media: b.library, Metrics: b.metrics,
	}
	return delivery.New(config, b.Store, b.Integrations,
		pacing.New(b.limits, b.Store), map[channels.Platform]delivery.Provider{channels.WhatsApp: provider, channels.Telegram: provider}, b.Log)
}

func (b *bundle) message(text string) delivery.Message {
	return delivery.Message{RequestID: "request-1", To: b.to, Content: channels.Content{Markdown: text}}
}

// pass makes time go by for leases, tries and pauses.
func (b *bundle) pass(t *testing.T, d time.Duration) {
	t.Helper()
	b.Exec(t, `update deliveries set lease_until = lease_until - $1::interval`, d)
	b.Exec(t, `update delivery_parts set try_time = try_time - $1::interval`, d)
	b.Exec(t, `update pauses set until_time = until_time - $1::interval`, d)
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
}

// lines renders one message for each line, with the attachment in the first.
func lines(c channels.Content) []channels.Part {
	var parts []channels.Part
	for line := range strings.SplitSeq(c.Markdown, "\n") {
		parts = append(parts, channels.Part{Text: line, Plain: line})
	}
	parts[0].Attachment = c.Attachment
	parts[len(parts)-1].Buttons = c.Buttons
	return parts
}

func classify(code int) channels.Class {
	switch code {
	case 131047:
		return channels.ClassWindowClosed
	case 131042:
		return channels.ClassStopIntegration
	default:
		return channels.ClassDropRecipient
	}
}
