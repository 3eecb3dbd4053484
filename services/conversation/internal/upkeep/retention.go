package upkeep

import (
	"cmp"
	"context"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// expireBatch keeps each transaction short.
const expireBatch = 1000

// Retain removes what is older than its integration keeps it.
func (k *Keeper) Retain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	ids, err := k.store.Integrations(ctx)
	var messages, payloads int64
	for _, id := range ids {
		m, p, e := k.retain(ctx, id)
		messages, payloads, err = messages+m, payloads+p, cmp.Or(err, e)
	}
	if err != nil || messages+payloads > 0 {
		k.log.Info("retention", zap.Int64("messages", messages), zap.Int64("payloads", payloads), zap.Error(err))
	}
}

// retain keeps one integration's word, or the service's where it does not say, and where it is known no more. Bodies of webhooks say
// what messages do, so they are kept no longer unless the integration wants them to be.
func (k *Keeper) retain(ctx context.Context, id conversation.IntegrationID) (messages, payloads int64, err error) {
	in, known := k.integrations.Get(id)
	keep := k.keep.Messages
	if in.KeepMessages != nil {
		keep = *in.KeepMessages
	}
	for n := int64(1); keep > 0 && n > 0 && err == nil; messages += n {
		n, err = k.store.ExpireMessages(ctx, id, keep, expireBatch)
	}
	if in.KeepPayloads != nil {
		keep = *in.KeepPayloads
	}
	if keep == 0 || !known || err != nil {
		return messages, 0, err
	}
	for {
		n, next, err := k.store.ExpirePayloads(ctx, in, keep, k.looked[id], expireBatch)
		payloads += n
		if err != nil || next == nil {
			return messages, payloads, err
		}
		k.looked[id] = next
	}
}
