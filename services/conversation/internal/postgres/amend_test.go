package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// about makes a message the edit or deletion of an earlier one.
func about(kind conversation.MessageKind, original string) arrival {
	return func(a *conversation.Arrival) {
		a.Message.Kind, a.Message.OriginalMessageID, a.Plan.Answer = kind, original, false
	}
}

func (b *bundle) edits(original, text string, changes ...arrival) conversation.Arrival {
	return b.says(text, append([]arrival{about(conversation.KindEdit, original)}, changes...)...)
}

func (b *bundle) deletes(original string, changes ...arrival) conversation.Arrival {
	return b.says("", append([]arrival{about(conversation.KindDeletion, original)}, changes...)...)
}

func TestEdits(t *testing.T) {
	t.Parallel()

	t.Run("OpenMessageIsAnsweredAsCorrected", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren el lunez?")
		r := b.receive(asked)
		edit := b.receive(b.edits(asked.Message.MessageID, "¿abren el lunes?", debounced(5*time.Second)))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, edit.Outcomes)
		require.Empty(t, b.claim(10), "the burst goes on")
		b.due()
		turn := b.claimOne()
		require.Equal(t, []string{"¿abren el lunes?"}, b.open(turn))
		b.finish(turn, b.checkpoint(turn, "sí"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
		require.Zero(t, b.count("messages where state = 'open'"))
	})

	t.Run("DraftAboutTheOldTextIsThrownAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren el lunez?")
		b.receive(asked)
		turn := b.claimOne()
		b.receive(b.edits(asked.Message.MessageID, "¿abren el lunes?"))
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrMoved)
		require.Equal(t, []string{"¿abren el lunes?"}, b.open(b.claimOne()))
	})

	t.Run("SameTextAgainThrowsNothingAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren?")
		b.receive(asked)
		turn := b.claimOne()
		b.receive(b.edits(asked.Message.MessageID, "¿abren?"))
		b.finish(turn, b.checkpoint(turn, "sí"))
		require.Zero(t, b.count("turns"))
	})

	t.Run("AnsweredMessageKeepsItsText", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren?")
		b.receive(asked)
		b.answer("sí")
		b.receive(b.edits(asked.Message.MessageID, "¿cierran?"))
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where kind = 'text' and role = 'customer' and text = '¿abren?'"))
		require.Equal(t, 1, b.count("messages where kind = 'edit' and text = '¿cierran?' and state = 'recorded'"))
	})

	t.Run("DecidedAnswerGoesOutAndTheEditIsRecorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren?")
		b.receive(asked)
		turn := b.claimOne()
		a := b.checkpoint(turn, "sí")
		b.receive(b.edits(asked.Message.MessageID, "¿cierran?"))
		b.finish(turn, a)
		require.Zero(t, b.count("turns"))
		require.Equal(t, 1, b.count("messages where state = 'answered' and text = '¿abren?'"))
	})

	t.Run("CaptionGivesAnImageAQuestion", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		image := b.says("", func(a *conversation.Arrival) {
			a.Message.Kind, a.Plan.Sentence = conversation.KindImage, conversation.SentenceImage
		})
		b.receive(image)
		b.receive(b.edits(image.Message.MessageID, "¿cuánto cuesta?"))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Equal(t, "¿cuánto cuesta?", d.Open[0].Text)
		require.Empty(t, d.Open[0].Sentence)
	})

	t.Run("OneBodyMayHoldTheMessageAndItsEdits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("uno")
		b.receive(asked, b.edits(asked.Message.MessageID, "dos"), b.edits(asked.Message.MessageID, "tres"))
		require.Equal(t, []string{"tres"}, b.open(b.claimOne()))
	})

	t.Run("NobodyEditsAnothersMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("¿abren?")
		b.receive(asked)
		b.receive(b.edits(asked.Message.MessageID, "otra cosa", from("CO.otra", "573009999999")))
		require.Equal(t, []string{"¿abren?"}, b.open(b.claimOne()))
		require.Equal(t, 1, b.count("messages where text = '¿abren?'"))
	})

	t.Run("UnknownMessageIsNobodys", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.edits("wamid.nunca", "hola"), b.deletes("wamid.nunca"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded, conversation.OutcomeRecorded}, r.Outcomes)
		require.Zero(t, b.count("turns"))
	})
}

func TestDeletions(t *testing.T) {
	t.Parallel()

	t.Run("OpenMessageIsNotAnsweredAnyMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("mi clave es 1234")
		r := b.receive(asked)
		turn := b.claimOne()
		b.receive(b.deletes(asked.Message.MessageID))
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "borrador"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		require.Zero(t, b.count("turns"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeDeleted}, b.outcomes(r.Log))
		said := b.messages(turn.Conversation)
		require.Equal(t, "deleted", said[0].Text)
		require.Equal(t, conversation.MessageRecorded, said[0].State)
		require.Zero(t, b.count("messages where text like '%1234%'"))
	})

	t.Run("TheRestIsStillAnswered", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("uno")
		b.receive(asked, b.says("dos"))
		turn := b.claimOne()
		b.receive(b.deletes(asked.Message.MessageID))
		_, err := b.store.Checkpoint(t.Context(), turn, draft(turn, "a uno y dos"))
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		turn = b.claimOne()
		require.Equal(t, []string{"dos"}, b.open(turn))
		b.finish(turn, b.checkpoint(turn, "a dos"))
		require.Zero(t, b.count("turns"))
	})

	t.Run("NothingOfItStaysInHistoryOrQuotes", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("secreto")
		b.receive(asked)
		b.receive(b.edits(asked.Message.MessageID, "secreto corregido"))
		b.answer("respuesta")
		for len(b.claim(1)) > 0 { // what the edit left open
			b.exec(`delete from turns`)
		}
		b.receive(b.deletes(asked.Message.MessageID))
		b.receive(b.says("¿y?", replyTo(asked.Message.MessageID)))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{{Role: conversation.Assistant, Text: "respuesta"}}, d.History)
		require.Empty(t, d.Open[0].Context)
		require.Zero(t, b.count("messages where text like '%secreto%'"))
	})

	t.Run("EditAfterADeletionBringsNothingBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("uno")
		b.receive(asked)
		b.receive(b.deletes(asked.Message.MessageID), b.edits(asked.Message.MessageID, "dos"))
		b.receive(b.edits(asked.Message.MessageID, "tres"))
		require.Zero(t, b.count("turns"))
	})

	t.Run("DecidedAnswerGoesOut", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("uno")
		r := b.receive(asked)
		turn := b.claimOne()
		a := b.checkpoint(turn, "respuesta")
		b.receive(b.deletes(asked.Message.MessageID))
		b.finish(turn, a)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeAnswered}, b.outcomes(r.Log))
		require.Zero(t, b.count("turns"))
	})

	t.Run("OwnersMessageInABusinessChatLeavesTheHistoryToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		chat := conversation.Chat{ID: 7, BusinessConnectionID: "bc"}
		said := b.staff("clave 1234", telegram("99", "duena", chat, false), func(a *conversation.Arrival) { a.Message.Echo, a.StaffPause = true, 0 })
		b.receive(said)
		b.receive(b.deletes(said.Message.MessageID, telegram("7", "", chat, false)))
		b.receive(b.says("hola", telegram("7", "eva", chat, false)))
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Empty(t, d.History)
		require.Zero(t, b.count("messages where text like '%1234%'"))
	})

	t.Run("HeldQuestionIsLetGo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		asked := b.says("uno")
		b.receive(asked)
		turn := b.claimOne()
		require.NoError(t, b.store.Hold(t.Context(), turn, b.checkpoint(turn, "respuesta"), nil))
		b.receive(b.deletes(asked.Message.MessageID))
		require.Zero(t, b.count("conversations where held_from is not null"))
	})
}

func replyTo(id string) arrival {
	return func(a *conversation.Arrival) { a.Message.ReplyToMessageID = id }
}

func TestQuotes(t *testing.T) {
	t.Parallel()
	context := func(t *testing.T, b *bundle) string {
		t.Helper()
		d, err := b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		return d.Open[len(d.Open)-1].Context
	}

	t.Run("TextComesFromTheProviderIfItSendsIt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("¿y este?", replyTo("wamid.lejos"), func(a *conversation.Arrival) { a.Message.QuotedText = "casco" }))
		require.Equal(t, "casco", context(t, b))
	})

	t.Run("CustomersOwnMessageIsLookedUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.says("el casco rojo")
		b.receive(first)
		b.answer("a 40")
		b.receive(b.says("¿y este?", replyTo(first.Message.MessageID)))
		require.Equal(t, "el casco rojo", context(t, b))
	})

	t.Run("OursIsLookedUpByAnyOfItsParts", func(t *testing.T) {
		t.Parallel()
		for _, part := range []string{"wamid.a", "wamid.b", "wamid.c"} {
			b := setup(t)
			b.receive(b.says("¿qué cascos hay?"))
			turn := b.claimOne()
			require.NoError(t, b.store.Finish(t.Context(), turn, b.checkpoint(turn, "rojo y azul"), conversation.Sent{
				PlatformMessageID: "wamid.a", Parts: []string{"wamid.b", "", "wamid.c"},
			}))
			b.receive(b.says("¿y este?", replyTo(part)))
			require.Equal(t, "rojo y azul", context(t, b))
		}
	})

	t.Run("OtherConversationsAreNotLookedInto", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		secret := b.says("secreto de Ana")
		b.receive(secret)
		b.answer("ok")
		b.receive(b.says("¿y este?", from("CO.otra", "573009999999"), replyTo(secret.Message.MessageID)))
		require.Empty(t, context(t, b))
	})

	t.Run("AdvertIsContextToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("quiero información", func(a *conversation.Arrival) {
			a.Message.Referral = &conversation.Referral{Headline: "Feria de café", Body: "Todo a mitad", SourceURL: "https://x", SourceID: "4"}
		}))
		require.Equal(t, "Feria de café\nTodo a mitad", context(t, b))
	})

	t.Run("ListsShowThem", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.says("el casco rojo")
		b.receive(first)
		b.answer("a 40")
		b.receive(b.says("¿y este?", replyTo("wamid.ours")))
		turn := b.claimOne()
		require.NoError(t, b.store.Bury(t.Context(), conversation.Turn{
			Lease: turn.Lease, First: turn.First, Seq: turn.Seq, Answer: ptr(b.checkpoint(turn, "tarde")),
		}, "MESSAGE_REFUSED", ""))
		said := b.messages(turn.Conversation)
		require.Len(t, said, 4)
		require.Equal(t, "wamid.ours", said[2].ReplyToMessageID)
		require.Equal(t, "a 40", said[2].Quoted)
		require.Empty(t, said[2].Error, "of a customer's message it stands on its event")
		require.Equal(t, "MESSAGE_REFUSED", said[3].Error)
		require.Empty(t, said[0].Quoted+said[0].ReplyToMessageID)
	})
}

func ptr[T any](v T) *T { return &v }
