package rpcapi

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// FuzzWebhook reads any bytes as a request of the gateway's: what is taken fits into the database, and nothing makes it fail.
func FuzzWebhook(f *testing.F) {
	for _, e := range []*conversationv1.Event{
		{Key: "msg:1", IntegrationId: "i", OccurTime: timestamppb.Now(), Kind: "text"},
		{Key: strings.Repeat("k", maxKeyBytes), ForeignNumber: "1"},
	} {
		raw, err := proto.Marshal(&conversationv1.IngestWebhookRequest{
			Platform: typev1.Platform_PLATFORM_TELEGRAM, Payload: []byte("{}"), RemoteAddress: "192.0.2.1", Events: []*conversationv1.Event{e},
		})
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &conversationv1.IngestWebhookRequest{}
		if proto.Unmarshal(raw, r) != nil {
			t.Skip("no message")
		}
		w, err := webhook(r)
		if err != nil {
			return
		}
		require.Len(t, w.Events, len(r.GetEvents()))
		require.NotNil(t, w.Payload)
		for _, text := range []string{w.RemoteAddress} {
			require.True(t, utf8.ValidString(text) && !strings.ContainsRune(text, 0) && len(text) <= maxLabelBytes, "%q", text)
		}
		for _, e := range w.Events {
			require.NotEmpty(t, e.Key)
			require.LessOrEqual(t, len(e.Key), maxKeyBytes)
		}
	})
}
