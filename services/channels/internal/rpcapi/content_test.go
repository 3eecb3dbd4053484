package rpcapi_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

func withMedia(text string, m *channelsv1.OutboundMedia) *channelsv1.Content {
	return &channelsv1.Content{Text: text, Attachment: &channelsv1.Content_Media{Media: m}}
}

func linked(kind channelsv1.OutboundMedia_Kind, url string) *channelsv1.OutboundMedia {
	return &channelsv1.OutboundMedia{Kind: kind, Source: &channelsv1.OutboundMedia_Url{Url: url}}
}

func stored(id string) *channelsv1.OutboundMedia {
	return &channelsv1.OutboundMedia{Source: &channelsv1.OutboundMedia_MediaId{MediaId: id}}
}

func withList(l *channelsv1.List) *channelsv1.Content {
	return &channelsv1.Content{Text: "Elige", Attachment: &channelsv1.Content_List{List: l}}
}

// listOf is a section with a row for each id.
func listOf(title string, ids ...string) *channelsv1.ListSection {
	s := &channelsv1.ListSection{Title: title}
	for _, id := range ids {
		s.Rows = append(s.Rows, &channelsv1.ListRow{Id: id, Title: "Fila"})
	}
	return s
}

func withReaction(message, emoji string) *channelsv1.Content {
	return &channelsv1.Content{Attachment: &channelsv1.Content_Reaction{Reaction: &channelsv1.Reaction{MessageId: message, Emoji: emoji}}}
}

func withContactRequest() *channelsv1.Content {
	return &channelsv1.Content{Text: "¿Su número?", Attachment: &channelsv1.Content_ContactRequest{ContactRequest: &channelsv1.ContactRequest{}}}
}

func sendContent(id string, to *typev1.Address, c *channelsv1.Content) *channelsv1.SendMessageRequest {
	return &channelsv1.SendMessageRequest{RequestId: id, Address: to, Content: c}
}

// TestEveryContentReachesBothPlatforms sends each kind and looks at what the provider was asked last.
func TestEveryContentReachesBothPlatforms(t *testing.T) {
	t.Parallel()

	b := setup(t)
	whatsApp, telegram := b.WhatsApp(t).ID, b.Telegram(t).ID
	for _, id := range []string{whatsApp, telegram} {
		b.library.Put(channels.StoredFile{ID: "f-" + id, IntegrationID: id, MIMEType: "application/pdf", Filename: "a.pdf"}, "bytes")
	}
	list := withList(&channelsv1.List{ButtonTitle: "Temas", Sections: []*channelsv1.ListSection{listOf("A", "1", "2"), listOf("B", "3")}})
	for name, c := range map[string]struct {
		content          func(integration string) *channelsv1.Content
		whatsApp, method string
	}{
		"Link": {func(string) *channelsv1.Content {
			return withMedia("**Foto**", linked(channelsv1.OutboundMedia_KIND_IMAGE, "https://example.com/a.jpg"))
		}, "image", "sendPhoto"},
		"Stored":   {func(id string) *channelsv1.Content { return withMedia("", stored("f-"+id)) }, "document", "sendDocument"},
		"List":     {func(string) *channelsv1.Content { return list }, "interactive", "sendMessage"},
		"Reaction": {func(string) *channelsv1.Content { return withReaction("42", "❤️") }, "reaction", "setMessageReaction"},
		"Removal":  {func(string) *channelsv1.Content { return withReaction("42", "") }, "reaction", "setMessageReaction"},
		"Contact":  {func(string) *channelsv1.Content { return withContactRequest() }, "interactive", "sendMessage"},
	} {
		r, err := b.channels.SendMessage(t.Context(), sendContent("w"+name, user(whatsApp), c.content(whatsApp)))
		require.NoError(t, err, name)
		require.Len(t, r.GetDelivery().GetParts(), 1, name)
		asked := b.providers.asked()
		require.Equal(t, c.whatsApp, asked[len(asked)-1].body["type"], name)

		_, err = b.channels.SendMessage(t.Context(), sendContent("t"+name, chat(telegram), c.content(telegram)))
		require.NoError(t, err, name)
		asked = b.providers.asked()
		require.Equal(t, c.method, path.Base(asked[len(asked)-1].path), name)
	}
}

func TestBadContentIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()

	b := setup(t)
	bot, number := b.Telegram(t).ID, b.WhatsApp(t).ID
	group := chat(bot)
	group.GetChat().Id = -1001
	business := chat(bot)
	business.GetChat().BusinessConnectionId = "bc1"
	image := channelsv1.OutboundMedia_KIND_IMAGE
	good := linked(image, "https://example.com/a.jpg")
	buttons := []*channelsv1.ButtonRow{{Buttons: []*channelsv1.Button{{Id: "a", Title: "A"}}}}
	over := func(c *channelsv1.Content, text string) *channelsv1.Content {
		c.Text, c.ButtonRows = text, buttons
		return c
	}
	one := func(r *channelsv1.ListRow) *channelsv1.Content {
		return withList(&channelsv1.List{Sections: []*channelsv1.ListSection{{Rows: []*channelsv1.ListRow{r}}}})
	}
	sections := func(s ...*channelsv1.ListSection) *channelsv1.Content { return withList(&channelsv1.List{Sections: s}) }
	const invalid, conflict = "INVALID_REQUEST", "CONTENT_CONFLICT"
	for name, c := range map[string]struct {
		to      *typev1.Address
		content *channelsv1.Content
		reason  string
	}{
		"reaction with text":        {chat(bot), &channelsv1.Content{Text: "x", Attachment: withReaction("1", "👍").GetAttachment()}, conflict},
		"reaction with buttons":     {chat(bot), over(withReaction("1", "👍"), ""), conflict},
		"reaction to nothing":       {user(number), withReaction("", "👍"), invalid},
		"reaction of two emoji":     {user(number), withReaction("wamid.1", "👍👍"), invalid},
		"reaction of a letter":      {user(number), withReaction("wamid.1", "a"), invalid},
		"reaction to a foreign id":  {chat(bot), withReaction("wamid.1", "👍"), invalid},
		"reaction in a business":    {business, withReaction("1", "👍"), conflict},
		"sticker with caption":      {chat(bot), withMedia("x", linked(channelsv1.OutboundMedia_KIND_STICKER, "https://example.com/a.webp")), conflict},
		"sticker with buttons":      {chat(bot), over(withMedia("", linked(channelsv1.OutboundMedia_KIND_STICKER, "https://example.com/a.webp")), ""), conflict},
		"file without source":       {chat(bot), withMedia("x", &channelsv1.OutboundMedia{Kind: image}), invalid},
		"url without kind":          {chat(bot), withMedia("x", linked(0, "https://example.com/a.jpg")), invalid},
		"kind of the future":        {chat(bot), withMedia("x", linked(99, "https://example.com/a.jpg")), invalid},
		"http":                      {chat(bot), withMedia("x", linked(image, "http://example.com/a.jpg")), "MEDIA_URL_REFUSED"},
		"user in the url":           {chat(bot), withMedia("x", linked(image, "https://ana:secreto@example.com/a.jpg")), "MEDIA_URL_REFUSED"},
		"no host":                   {chat(bot), withMedia("x", linked(image, "https:///a.jpg")), "MEDIA_URL_REFUSED"},
		"loopback":                  {chat(bot), withMedia("x", linked(image, "https://127.0.0.1/a.jpg")), "MEDIA_URL_REFUSED"},
		"loopback of version 6":     {chat(bot), withMedia("x", linked(image, "https://[::1]/a.jpg")), "MEDIA_URL_REFUSED"},
		"private network":           {chat(bot), withMedia("x", linked(image, "https://10.0.0.1/a.jpg")), "MEDIA_URL_REFUSED"},
		"name of this network":      {chat(bot), withMedia("x", linked(image, "https://files/a.jpg")), "MEDIA_URL_REFUSED"},
		"local name":                {chat(bot), withMedia("x", linked(image, "https://nas.local./a.jpg")), "MEDIA_URL_REFUSED"},
		"empty url":                 {chat(bot), withMedia("x", linked(image, "")), invalid},
		"long url":                  {chat(bot), withMedia("x", linked(image, "https://example.com/"+strings.Repeat("a", 2048))), invalid},
		"long file name":            {chat(bot), withMedia("x", &channelsv1.OutboundMedia{Kind: image, Source: good.GetSource(), Filename: strings.Repeat("a", 241)}), invalid},
		"line break in a file name": {chat(bot), withMedia("x", &channelsv1.OutboundMedia{Kind: image, Source: good.GetSource(), Filename: "a\nb"}), invalid},
		"file buttons without text": {chat(bot), over(withMedia("", good), ""), "TEXT_EMPTY"},
		"list with buttons":         {chat(bot), over(sections(listOf("", "1")), "x"), conflict},
		"list without text":         {chat(bot), &channelsv1.Content{Attachment: sections(listOf("", "1")).GetAttachment()}, "TEXT_EMPTY"},
		"list without rows":         {chat(bot), sections(), invalid},
		"section without rows":      {chat(bot), sections(listOf("A", "1"), listOf("B")), invalid},
		"eleven rows":               {chat(bot), sections(listOf("A", "1", "2", "3", "4", "5", "6"), listOf("B", "7", "8", "9", "10", "11")), invalid},
		"row id twice":              {chat(bot), sections(listOf("A", "1"), listOf("B", "1")), invalid},
		"sections without titles":   {chat(bot), sections(listOf("A", "1"), listOf("", "2")), invalid},
		"long section title":        {chat(bot), sections(listOf(strings.Repeat("ñ", 25), "1")), invalid},
		"long list button":          {chat(bot), withList(&channelsv1.List{ButtonTitle: strings.Repeat("ñ", 21), Sections: []*channelsv1.ListSection{listOf("", "1")}}), invalid},
		"long row title":            {chat(bot), one(&channelsv1.ListRow{Id: "1", Title: strings.Repeat("😀", 13)}), invalid},
		"row without title":         {chat(bot), one(&channelsv1.ListRow{Id: "1"}), invalid},
		"row without id":            {chat(bot), one(&channelsv1.ListRow{Title: "A"}), invalid},
		"long row id":               {chat(bot), one(&channelsv1.ListRow{Id: strings.Repeat("a", 33), Title: "A"}), invalid},
		"row id not ASCII":          {chat(bot), one(&channelsv1.ListRow{Id: "ñ", Title: "A"}), invalid},
		"long description":          {chat(bot), one(&channelsv1.ListRow{Id: "1", Title: "A", Description: strings.Repeat("ñ", 73)}), invalid},
		"contact with buttons":      {chat(bot), over(withContactRequest(), "x"), conflict},
		"contact in a group":        {group, withContactRequest(), conflict},
		"contact in a business":     {business, withContactRequest(), conflict},
		"contact without text":      {user(number), &channelsv1.Content{Attachment: withContactRequest().GetAttachment()}, "TEXT_EMPTY"},
	} {
		_, err := b.channels.SendMessage(t.Context(), sendContent("r1", c.to, c.content))
		require.Equal(t, c.reason, fault.ReasonOf(err), "%s: %v", name, err)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
	}
	quoting := sendContent("r1", user(number), withReaction("wamid.1", "👍"))
	quoting.ReplyToMessageId = "wamid.2"
	_, err := b.channels.SendMessage(t.Context(), quoting)
	requireFault(t, err, fault.Invalid, conflict)
	require.Empty(t, b.providers.asked())
}

func TestContentAtItsLimitsIsTaken(t *testing.T) {
	t.Parallel()

	b := setup(t)
	bot := b.Telegram(t).ID
	rows := make([]*channelsv1.ListRow, 10)
	for i := range rows {
		rows[i] = &channelsv1.ListRow{Id: strings.Repeat("i", 31) + string(rune('a'+i)), Title: strings.Repeat("😀", 12), Description: strings.Repeat("ñ", 72)}
	}
	for id, c := range map[string]*channelsv1.Content{
		"list": withList(&channelsv1.List{ButtonTitle: strings.Repeat("ñ", 20), Sections: []*channelsv1.ListSection{{Title: strings.Repeat("ñ", 24), Rows: rows}}}),
		"url":  withMedia("", linked(channelsv1.OutboundMedia_KIND_VOICE, "https://8.8.8.8:8443/a.ogg?x=1")),
		"name": withMedia("", &channelsv1.OutboundMedia{
			Kind: channelsv1.OutboundMedia_KIND_DOCUMENT, Filename: strings.Repeat("a", 240),
			Source: &channelsv1.OutboundMedia_Url{Url: "https://example.com/" + strings.Repeat("a", 2028)},
		}),
		"family": withReaction("1", "👨‍👩‍👧‍👦"),
	} {
		_, err := b.channels.SendMessage(t.Context(), sendContent(id, chat(bot), c))
		require.NoError(t, err, id)
	}
}

func TestStoredFileIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()

	b := setup(t)
	bot, number := b.Telegram(t).ID, b.WhatsApp(t).ID
	b.library.Put(channels.StoredFile{ID: "f", IntegrationID: number, MIMEType: "application/pdf"}, "bytes")
	_, err := b.channels.SendMessage(t.Context(), sendContent("r1", chat(bot), withMedia("x", stored("f"))))
	requireFault(t, err, fault.Invalid, "MEDIA_OF_ANOTHER_INTEGRATION")
	_, err = b.channels.SendMessage(t.Context(), sendContent("r1", chat(bot), withMedia("x", stored("gone"))))
	requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
	picture := stored("f")
	picture.Kind = channelsv1.OutboundMedia_KIND_IMAGE
	_, err = b.channels.SendMessage(t.Context(), sendContent("r1", user(number), withMedia("x", picture)))
	requireFault(t, err, fault.Invalid, "MEDIA_KIND_MISMATCH")
	require.Empty(t, b.providers.asked())
}
