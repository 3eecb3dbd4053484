package rpcapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
)

// onlyUser returns the one user that there is.
func (b *bundle) onlyUser() *conversationv1.User {
	b.t.Helper()
	list, err := b.users.ListUsers(b.t.Context(), &conversationv1.ListUsersRequest{})
	require.NoError(b.t, err)
	require.Len(b.t, list.GetUsers(), 1)
	return list.GetUsers()[0]
}

// export reads a whole document, and the number of its pieces.
func (b *bundle) export(id string) ([]byte, int, error) {
	b.t.Helper()
	stream, err := b.users.ExportUser(b.t.Context(), &conversationv1.ExportUserRequest{Id: id})
	require.NoError(b.t, err)
	var all bytes.Buffer
	for pieces := 0; ; pieces++ {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all.Bytes(), pieces, nil
		}
		if err != nil {
			return nil, pieces, err
		}
		require.Equal(b.t, "application/json", piece.GetBody().GetContentType())
		all.Write(piece.GetBody().GetData())
		all.WriteByte('\n') // as HTTP shows the pieces
	}
}

func TestDeletedUserIsHiddenAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(b.text("573001234567", "hola"))
	user := b.onlyUser()
	talks, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	talk := talks.GetConversations()[0].GetId()
	_, err = b.users.GetErasure(t.Context(), &conversationv1.GetErasureRequest{UserId: user.GetId()})
	refused(t, err, fault.NotFound, "NOT_FOUND")

	for range 2 {
		deleted, err := b.users.DeleteUser(t.Context(), &conversationv1.DeleteUserRequest{Id: user.GetId()})
		require.NoError(t, err)
		require.Equal(t, conversationv1.Erasure_STATE_RUNNING, deleted.GetErasure().GetState())
		require.Equal(t, user.GetId(), deleted.GetErasure().GetUserId())
		require.Nil(t, deleted.GetErasure().GetDoneTime())
	}
	require.EqualValues(t, 2, b.woken.Load())
	_, err = b.users.GetUser(t.Context(), &conversationv1.GetUserRequest{Id: user.GetId()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	list, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{})
	require.NoError(t, err)
	require.Empty(t, list.GetUsers())
	talks, err = b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	require.Empty(t, talks.GetConversations())
	_, err = b.conversations.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: talk})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	_, _, err = b.export(user.GetId())
	refused(t, err, fault.NotFound, "NOT_FOUND")

	b.post(b.text("573001234567", "hola de nuevo"))
	again := b.onlyUser()
	require.NotEqual(t, user.GetId(), again.GetId())
	require.Equal(t, user.GetUsername(), again.GetUsername())
}

func TestExportIsOneDocumentInPieces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 45 { // more than two pages
		b.post(b.text("573001234567", `dice "hola" \ `+strings.Repeat("ñ", 100)))
	}
	group := b.text("", "en el grupo")
	group.GetMessage().Sender = &conversationv1.Sender{UserId: "71234567", DisplayName: "Leo"}
	group.GetMessage().Group, group.GetMessage().Addressed = true, true
	group.GetMessage().Address = &typev1.Address{Recipient: &typev1.Address_Chat{Chat: &typev1.TelegramChat{Id: -100}}}
	b.post(group)
	list, err := b.users.ListUsers(t.Context(), &conversationv1.ListUsersRequest{PageSize: 2})
	require.NoError(t, err)
	document, pieces, err := b.export(list.GetUsers()[1].GetId())
	require.NoError(t, err)
	require.Greater(t, pieces, 2)
	var got struct {
		User struct {
			Username   string
			Identities map[string]any
		}
		Conversations []struct {
			Conversation struct{ Metadata map[string]string }
			Messages     []struct {
				Text     string
				Webhooks []map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(document, &got), string(document))
	require.Equal(t, "whatsapp_573001234567", got.User.Username)
	require.Equal(t, "573001234567", got.User.Identities["phone_number"])
	require.Len(t, got.Conversations, 1)
	require.Equal(t, "573001234567", got.Conversations[0].Conversation.Metadata["platform_user_id"])
	require.Len(t, got.Conversations[0].Messages, 45)
	require.Contains(t, got.Conversations[0].Messages[44].Text, `dice "hola" \ ñ`)
	require.Len(t, got.Conversations[0].Messages[44].Webhooks[0]["payload_sha256"], 64)
	require.NotContains(t, string(document), "Leo")

	document, _, err = b.export(list.GetUsers()[0].GetId())
	require.NoError(t, err)
	require.Contains(t, string(document), "en el grupo")
	require.NoError(t, json.Unmarshal(document, &got), string(document))
}

func TestPrivacyRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for id, want := range map[string]fault.Kind{"x": fault.Invalid, uuid.NewString(): fault.NotFound} {
		_, err := b.users.DeleteUser(t.Context(), &conversationv1.DeleteUserRequest{Id: id})
		require.Equal(t, want, fault.KindOf(err))
		_, err = b.users.GetErasure(t.Context(), &conversationv1.GetErasureRequest{UserId: id})
		require.Equal(t, want, fault.KindOf(err))
		_, _, err = b.export(id)
		require.Equal(t, want, fault.KindOf(err))
	}
}
