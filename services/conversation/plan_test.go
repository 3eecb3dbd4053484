package conversation_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func TestPlanMessage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message  conversation.InboundMessage
		answer   bool
		text     string
		sentence conversation.Sentence
	}{
		"text":                   {conversation.InboundMessage{Kind: conversation.KindText, Text: " ¿Abren? "}, true, " ¿Abren? ", ""},
		"empty text":             {conversation.InboundMessage{Kind: conversation.KindText, Text: " \n"}, true, " \n", conversation.SentenceEmpty},
		"caption of an image":    {conversation.InboundMessage{Kind: conversation.KindImage, Text: "¿Cuánto?"}, true, "¿Cuánto?", ""},
		"image":                  {conversation.InboundMessage{Kind: conversation.KindImage}, true, "", conversation.SentenceImage},
		"video":                  {conversation.InboundMessage{Kind: conversation.KindVideo}, true, "", conversation.SentenceVideo},
		"document with caption":  {conversation.InboundMessage{Kind: conversation.KindDocument, Text: "¿Sirve?"}, true, "¿Sirve?", ""},
		"document":               {conversation.InboundMessage{Kind: conversation.KindDocument}, true, "", conversation.SentenceDocument},
		"voice":                  {conversation.InboundMessage{Kind: conversation.KindVoice}, true, "", conversation.SentenceVoice},
		"audio":                  {conversation.InboundMessage{Kind: conversation.KindAudio}, true, "", conversation.SentenceVoice},
		"sticker":                {conversation.InboundMessage{Kind: conversation.KindSticker, Text: "👍"}, true, "👍", conversation.SentenceSticker},
		"unsupported":            {conversation.InboundMessage{Kind: conversation.KindUnsupported}, true, "", conversation.SentenceUnsupported},
		"no kind":                {conversation.InboundMessage{}, true, "", conversation.SentenceUnsupported},
		"button":                 {conversation.InboundMessage{Kind: conversation.KindButtonReply, Text: "Horario", ButtonID: "b1"}, true, "Horario", ""},
		"button without a title": {conversation.InboundMessage{Kind: conversation.KindButtonReply, ButtonID: "b1"}, true, "", conversation.SentenceButton},
		"command":                {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/precio zapatos", Command: "precio"}, true, "/precio zapatos", ""},
		"start":                  {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/start", Command: "start"}, true, "/start", conversation.SentenceGreeting},
		"form":                   {conversation.InboundMessage{Kind: conversation.KindFormReply, Text: `{"talla":40,"color_preferido":"azul  marino","extras":["funda",2,null],"vacío":"","flow_token":"t"}`}, true, "talla: 40\ncolor preferido: azul marino\nextras: funda, 2", ""},
		"form of a web app":      {conversation.InboundMessage{Kind: conversation.KindFormReply, Text: "talla 40"}, true, "talla 40", ""},
		"broken form":            {conversation.InboundMessage{Kind: conversation.KindFormReply, Text: `{"talla":40`}, true, `{"talla":40`, ""},
		"form that says nothing": {conversation.InboundMessage{Kind: conversation.KindFormReply, Text: `{"flow_token":"t"}`}, true, "", conversation.SentenceUnsupported},
		"empty form":             {conversation.InboundMessage{Kind: conversation.KindFormReply}, true, "", conversation.SentenceUnsupported},
		"order with a note only": {conversation.InboundMessage{Kind: conversation.KindOrder, Text: "2 × SKU-1"}, true, "2 × SKU-1", ""},
		"order": {
			conversation.InboundMessage{Kind: conversation.KindOrder, Text: "sin azúcar", OrderItems: []conversation.OrderItem{
				{ProductID: "CAFE-500", Quantity: 2, Price: "30.5", Currency: "COP"}, {ProductID: "TE", Quantity: 1},
			}},
			true, "Pedido:\n2 × CAFE-500 (30.5 COP)\n1 × TE\nsin azúcar", "",
		},
		"help":              {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/help", Command: "help"}, true, "/help", conversation.SentenceGreeting},
		"ayuda":             {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/ayuda", Command: "ayuda"}, true, "/ayuda", conversation.SentenceGreeting},
		"help with a thing": {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/help envíos", Command: "help"}, true, "/help envíos", ""},
		"start with a link": {conversation.InboundMessage{Kind: conversation.KindCommand, Text: "/start promo7", Command: "start"}, true, "/start promo7", conversation.SentenceGreeting},
		"location": {
			conversation.InboundMessage{Kind: conversation.KindLocation, Location: &conversation.Location{Latitude: 4.6, Longitude: -74.1, Name: "Tienda"}},
			true, "Ubicación: Tienda, (4.600000, -74.100000)", "",
		},
		"contacts": {
			conversation.InboundMessage{Kind: conversation.KindContacts, Contacts: []conversation.ContactCard{{DisplayName: "Eva", PhoneNumbers: []string{"+57 1", "+57 2"}}}},
			true, "Contacto: Eva (+57 1, +57 2)", "",
		},
		"reaction":    {conversation.InboundMessage{Kind: conversation.KindReaction, Text: "❤️"}, false, "❤️", ""},
		"system":      {conversation.InboundMessage{Kind: conversation.KindSystem, Text: "cambió"}, false, "cambió", ""},
		"edit":        {conversation.InboundMessage{Kind: conversation.KindEdit, Text: "mejor"}, false, "mejor", ""},
		"deletion":    {conversation.InboundMessage{Kind: conversation.KindDeletion}, false, "", ""},
		"echo":        {conversation.InboundMessage{Kind: conversation.KindText, Text: "yo", Echo: true}, false, "yo", ""},
		"bot":         {conversation.InboundMessage{Kind: conversation.KindText, Text: "bip", Sender: conversation.Sender{Bot: true}}, false, "bip", ""},
		"group":       {conversation.InboundMessage{Kind: conversation.KindText, Text: "entre nosotros", Group: true}, false, "entre nosotros", ""},
		"group to us": {conversation.InboundMessage{Kind: conversation.KindText, Text: "@bot ¿abren?", Group: true, Addressed: true}, true, "@bot ¿abren?", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := conversation.PlanMessage(&c.message, "es")
			require.Equal(t, c.answer, p.Answer)
			require.Equal(t, c.text, p.Text)
			require.Equal(t, c.sentence, p.Sentence)
		})
	}
}

func TestPlanSpeaksTheCustomersLanguageOrTheIntegrations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ customer, integration, want string }{
		{"pt-BR", "es", "pt"}, {"en_US", "es", "en"}, {"fr", "en", "en"}, {"", "pt", "pt"}, {"", "", "es"}, {"ja", "zh", "es"},
	} {
		m := conversation.InboundMessage{Kind: conversation.KindText, Text: "x", Sender: conversation.Sender{LanguageCode: c.customer}}
		require.Equal(t, c.want, conversation.PlanMessage(&m, c.integration).Language)
	}
}

func TestWhatIsTooOldIsStale(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		occurred time.Time
		want     bool
	}{
		"just now": {now, false}, "exactly as old": {now.Add(-24 * time.Hour), false}, "a moment older": {now.Add(-24*time.Hour - 1), true},
		"a week": {now.Add(-7 * 24 * time.Hour), true}, "no time": {time.Time{}, false}, "ahead of us": {now.Add(time.Hour), false},
		"1970": {time.Unix(0, 0), true},
	} {
		require.Equal(t, c.want, conversation.Stale(c.occurred, now, 24*time.Hour), name)
	}
}

func TestAmendedMessageStaysOfItsKind(t *testing.T) {
	t.Parallel()
	edit := &conversation.InboundMessage{Kind: conversation.KindEdit, Text: "¿Y mañana?"}
	p := conversation.PlanAmended(conversation.KindText, edit, "es")
	require.Equal(t, "¿Y mañana?", p.Text)
	require.Empty(t, p.Sentence)
	edit.Text = ""
	require.Equal(t, conversation.SentenceImage, conversation.PlanAmended(conversation.KindImage, edit, "es").Sentence)
	require.Equal(t, conversation.KindEdit, edit.Kind)
}

func TestContextIsPlainAndBounded(t *testing.T) {
	t.Parallel()
	require.Empty(t, conversation.Context(" \n", nil))
	require.Equal(t, "Casco Andes", conversation.Context("Casco\x07 Andes\x1b", nil))
	require.Equal(t, "Cita\nOferta\nCascos a mitad de precio", conversation.Context("Cita", &conversation.Referral{
		Headline: "Oferta", Body: "Cascos a mitad de precio", SourceID: "120210000", SourceURL: "https://fb.me/x",
	}))
	require.Equal(t, "SKU-7", conversation.Context("", &conversation.Referral{SourceID: "SKU-7"}))
	require.Len(t, []rune(conversation.Context(strings.Repeat("ñ", 5000), nil)), conversation.MaxContext)
}

func TestPlanPressIsTheLabel(t *testing.T) {
	t.Parallel()
	p := conversation.PlanPress(&conversation.ButtonPress{Title: "Sí", ButtonID: "b1"}, "es")
	require.True(t, p.Answer)
	require.Equal(t, "Sí", p.Text)
	p = conversation.PlanPress(&conversation.ButtonPress{ButtonID: "b1"}, "es")
	require.Empty(t, p.Text, "an id is nothing to ask")
	require.Equal(t, conversation.SentenceButton, p.Sentence)
	p.Ask("Envíos: Plazos")
	require.Equal(t, "Envíos: Plazos", p.Text)
	require.Empty(t, p.Sentence)
}

func TestTextIsCutAtACharacter(t *testing.T) {
	t.Parallel()
	m := conversation.InboundMessage{Kind: conversation.KindText, Text: "x" + strings.Repeat("ñ", conversation.MaxTextBytes)}
	p := conversation.PlanMessage(&m, "es")
	require.LessOrEqual(t, len(p.Text), conversation.MaxTextBytes)
	require.Greater(t, len(p.Text), conversation.MaxTextBytes-4)
	require.True(t, utf8.ValidString(p.Text))
}

func TestSentencesExistInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, s := range []conversation.Sentence{
		conversation.SentenceGreeting, conversation.SentenceApology, conversation.SentenceVoice, conversation.SentenceImage,
		conversation.SentenceVideo, conversation.SentenceDocument, conversation.SentenceSticker, conversation.SentenceUnsupported,
		conversation.SentenceEmpty, conversation.SentenceInaudible, conversation.SentenceButton,
	} {
		es, en, pt := s.In("es-CO"), s.In("en"), s.In("pt_BR")
		require.NotEqual(t, es, en)
		require.NotEqual(t, es, pt)
		require.NotEqual(t, en, pt)
		require.Equal(t, es, s.In("fr"))
	}
	require.Contains(t, conversation.PlanMessage(&conversation.InboundMessage{
		Kind: conversation.KindLocation, Location: &conversation.Location{}, Sender: conversation.Sender{LanguageCode: "pt"},
	}, "es").Text, "Localização")
}
