package rpcapi

import (
	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
)

func retention(r *channelsv1.Retention) channels.Retention {
	return channels.Retention{
		Messages: durationDomain(r.GetMessages()), Media: durationDomain(r.GetMedia()), WebhookPayloads: durationDomain(r.GetWebhookPayloads()),
	}
}

func retentionProto(r channels.Retention) *channelsv1.Retention {
	if r == (channels.Retention{}) {
		return nil
	}
	return &channelsv1.Retention{
		Messages: durationProto(r.Messages), Media: durationProto(r.Media), WebhookPayloads: durationProto(r.WebhookPayloads),
	}
}

func customerLimits(l *channelsv1.CustomerLimits) channels.CustomerLimits {
	if l == nil {
		return channels.CustomerLimits{}
	}
	return channels.CustomerLimits{Hourly: l.Hourly, Daily: l.Daily}
}

func customerLimitsProto(l channels.CustomerLimits) *channelsv1.CustomerLimits {
	if l == (channels.CustomerLimits{}) {
		return nil
	}
	return &channelsv1.CustomerLimits{Hourly: l.Hourly, Daily: l.Daily}
}
