package graph_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
)

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("PutsTheMessageOnThePhoneWithItsRequest", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			b.greet(t)
			w := b.post(t, text("*Sí*, abrimos a las 9"))
			require.Equal(t, http.StatusOK, w.Code)
			shown := b.store.Messages(chatOfCustomer(), 1)
			require.Len(t, shown, 1)
			require.Equal(t, "*Sí*, abrimos a las 9", shown[0].Text)
			require.Contains(t, string(shown[0].Request), `"messaging_product":"whatsapp"`)
			calls, _ := b.calls.Since(0)
			require.Len(t, calls, 1)
			require.Equal(t, shown[0].ID, calls[0].Message)
			require.Equal(t, customer, calls[0].User)
			require.NotContains(t, string(calls[0].Request), token)
		})
	})

	t.Run("OnlyWithinTwentyFourHoursOfTheCustomersLastMessage", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			require.Equal(t, 131047, code(t, b.post(t, text("a stranger"))))
			b.greet(t)
			<-time.After(24*time.Hour - time.Minute)
			require.Zero(t, code(t, b.post(t, text("in time"))))
			<-time.After(2 * time.Minute)
			require.Equal(t, 131047, code(t, b.post(t, text("too late"))))
			template := map[string]any{
				"messaging_product": "whatsapp", "to": "+" + customer, "type": "template",
				"template": map[string]any{"name": "aviso", "language": map[string]string{"code": "es"}},
			}
			require.Zero(t, code(t, b.post(t, template)), "templates are always allowed")
		})
	})

	t.Run("ReachesACustomerWithoutPhoneByUserID", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			person := simulator.Person{Name: "Ana", UserID: userID, HidePhone: true}
			_, err := b.api.Say(simulator.Utterance{From: customer, Text: "Hola", Person: person})
			require.NoError(t, err)
			body := map[string]any{"messaging_product": "whatsapp", "recipient": userID, "text": map[string]string{"body": "Hola"}}
			require.Zero(t, code(t, b.post(t, body)))
			require.Len(t, b.store.Messages(chatOfCustomer(), 1), 1)
		})
	})

	t.Run("ReadMarksTheMessageAndShowsTyping", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			read := map[string]any{
				"messaging_product": "whatsapp", "status": "read", "message_id": m.ID,
				"typing_indicator": map[string]string{"type": "text"},
			}
			require.Equal(t, http.StatusOK, b.post(t, read).Code)
			info, _ := b.store.Info(m.Chat)
			require.Equal(t, 25*time.Second, time.Until(info.TypingUntil))
			require.Equal(t, simulator.StateRead, b.store.Messages(m.Chat, 0)[0].State)
			calls, _ := b.calls.Since(0)
			require.Equal(t, "read", calls[0].Method)
			read["message_id"] = "wamid.unknown"
			require.Equal(t, 100, code(t, b.post(t, read)))
		})
	})

	t.Run("AReactionSitsOnItsMessage", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			m := b.greet(t)
			body := map[string]any{
				"messaging_product": "whatsapp", "to": "+" + customer, "type": "reaction",
				"reaction": map[string]string{"message_id": m.ID, "emoji": "👍"},
			}
			require.Zero(t, code(t, b.post(t, body)))
			require.Equal(t, []string{"👍"}, b.store.Messages(m.Chat, 0)[0].Reactions)
			body["reaction"] = map[string]string{"message_id": m.ID, "emoji": ""}
			require.Zero(t, code(t, b.post(t, body)))
			all := b.store.Messages(m.Chat, 0)
			require.Empty(t, all[0].Reactions)
			require.Len(t, all, 1)
		})
	})

	t.Run("LimitsHoldWhenAskedFor", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			_, err := b.api.AddNumber(simulator.Number{ID: numberID, AccessToken: token, Limits: true})
			require.NoError(t, err)
			b.greet(t)
			for range 45 {
				require.Zero(t, code(t, b.post(t, text("hola"))))
			}
			require.Equal(t, 131056, code(t, b.post(t, text("hola"))))
			<-time.After(6 * time.Second)
			require.Zero(t, code(t, b.post(t, text("hola"))))
		})
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	button := func(id, title string) map[string]any {
		return map[string]any{"type": "reply", "reply": map[string]string{"id": id, "title": title}}
	}
	buttons := func(list ...map[string]any) map[string]any {
		return map[string]any{"type": "button", "body": map[string]string{"text": "Elige"}, "action": map[string]any{"buttons": list}}
	}
	rows := func(n int) map[string]any {
		var list []map[string]string
		for i := range n {
			list = append(list, map[string]string{"id": fmt.Sprint(i), "title": fmt.Sprint(i)})
		}
		sections := []map[string]any{{"title": "Temas", "rows": list}}
		return map[string]any{
			"type": "list", "body": map[string]string{"text": "Elige"},
			"action": map[string]any{"button": "Ver", "sections": sections},
		}
	}
	row := func(change map[string]string) map[string]any {
		fields := map[string]string{"id": "1", "title": "a"}
		for name, value := range change {
			fields[name] = value
		}
		list := rows(1)
		list["action"].(map[string]any)["sections"] = []map[string]any{{"title": "Temas", "rows": []map[string]string{fields}}}
		return map[string]any{"type": "interactive", "interactive": list}
	}
	kind := func(name string, body string) map[string]any {
		return map[string]any{"type": "interactive", "interactive": map[string]any{
			"type": name, "body": map[string]string{"text": body}, "action": map[string]any{},
		}}
	}
	cases := map[string]struct {
		change map[string]any
		code   int
	}{
		"RowWithoutID":          {row(map[string]string{"id": ""}), 131009},
		"RowTitleTooLong":       {row(map[string]string{"title": strings.Repeat("a", 25)}), 131009},
		"RowTextTooLong":        {row(map[string]string{"description": strings.Repeat("a", 73)}), 131009},
		"InteractiveNoAction":   {map[string]any{"type": "interactive", "interactive": map[string]any{"type": "button"}}, 131008},
		"InteractiveNoBody":     {kind("button", ""), 131008},
		"InteractiveLongBody":   {kind("button", strings.Repeat("a", 1025)), 131009},
		"InteractiveOfNoKind":   {kind("dice", "a"), 131009},
		"VideoAbsent":           {map[string]any{"type": "video"}, 131008},
		"LocationAbsent":        {map[string]any{"type": "location"}, 131008},
		"ContactsAbsent":        {map[string]any{"type": "contacts"}, 131008},
		"ContactRequest":        {contactRequest("request_contact_info"), 0},
		"ContactRequestUnnamed": {kind("request_contact_info", "¿Nos da su número?"), 131009},
		"RowAtItsLimits":        {row(map[string]string{"title": strings.Repeat("a", 24), "description": strings.Repeat("a", 72)}), 0},
		"NoProduct":             {map[string]any{"messaging_product": nil}, 100},
		"WrongProduct":          {map[string]any{"messaging_product": "telegram"}, 100},
		"NoRecipient":           {map[string]any{"to": nil}, 100},
		"PhoneWithoutPlus":      {map[string]any{"to": customer}, 131009},
		"PhoneWithLetters":      {map[string]any{"to": "+57abc"}, 131009},
		"BadUserID":             {map[string]any{"to": nil, "recipient": "ana"}, 131009},
		"GroupRecipient":        {map[string]any{"recipient_type": "group"}, 131009},
		"UnknownType":           {map[string]any{"type": "carrier_pigeon"}, 100},
		"TextAbsent":            {map[string]any{"text": nil}, 131008},
		"TextEmpty":             {map[string]any{"text": map[string]string{"body": " "}}, 100},
		"TextTooLong":           {map[string]any{"text": map[string]string{"body": strings.Repeat("ñ", 4097)}}, 100},
		"TextOfTheWrongShape":   {map[string]any{"text": "hola"}, 100},
		"TemplateAbsent":        {map[string]any{"type": "template"}, 131008},
		"TemplateWithoutName":   {map[string]any{"type": "template", "template": map[string]any{}}, 100},
		"InteractiveAbsent":     {map[string]any{"type": "interactive"}, 131008},
		"NoButtons":             {map[string]any{"type": "interactive", "interactive": buttons()}, 131009},
		"FourButtons":           {map[string]any{"type": "interactive", "interactive": buttons(button("1", "a"), button("2", "b"), button("3", "c"), button("4", "d"))}, 131009},
		"TitleOfTwentyOne":      {map[string]any{"type": "interactive", "interactive": buttons(button("1", strings.Repeat("a", 21)))}, 131009},
		"TwoButtonsOfOneID":     {map[string]any{"type": "interactive", "interactive": buttons(button("1", "a"), button("1", "b"))}, 131009},
		"TwoButtonsOfOneTitle":  {map[string]any{"type": "interactive", "interactive": buttons(button("1", "a"), button("2", "a"))}, 131009},
		"ElevenRows":            {map[string]any{"type": "interactive", "interactive": rows(11)}, 131009},
		"NoRows":                {map[string]any{"type": "interactive", "interactive": rows(0)}, 131009},
		"ReactionToNothing":     {map[string]any{"type": "reaction", "reaction": map[string]string{"message_id": "wamid.x"}}, 131009},
		"ImageWithIDAndLink":    {map[string]any{"type": "image", "image": map[string]string{"id": "1", "link": "https://x.co"}}, 100},
		"ImageThatIsNotThere":   {map[string]any{"type": "image", "image": map[string]string{"id": "1"}}, 131009},
		"ImageFromAFile":        {map[string]any{"type": "image", "image": map[string]string{"link": "file:///etc/passwd"}}, 131009},
		"EchoTooLong":           {map[string]any{"biz_opaque_callback_data": strings.Repeat("a", 513)}, 100},
		"ReadOfAnotherStatus":   {map[string]any{"status": "delivered"}, 100},
		"TemplateNotApproved":   {map[string]any{"type": "template", "template": map[string]any{"name": "otra", "language": map[string]string{"code": "es"}}}, 132001},
		"LongestTextIsAccepted": {map[string]any{"text": map[string]string{"body": strings.Repeat("ñ", 4096)}}, 0},
		"ThreeButtonsAccepted":  {map[string]any{"type": "interactive", "interactive": buttons(button("1", "a"), button("2", "b"), button("3", strings.Repeat("ñ", 20)))}, 0},
		"TenRowsAccepted":       {map[string]any{"type": "interactive", "interactive": rows(10)}, 0},
		"ApprovedTemplate":      {map[string]any{"type": "template", "template": map[string]any{"name": "aviso", "language": map[string]string{"code": "es"}}}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, b bundle) {
				_, err := b.api.AddNumber(simulator.Number{ID: numberID, AccessToken: token, Templates: []string{"aviso/es"}})
				require.NoError(t, err)
				b.greet(t)
				body := text("hola")
				for key, value := range c.change {
					body[key] = value
					if value == nil {
						delete(body, key)
					}
				}
				require.Equal(t, c.code, code(t, b.post(t, body)))
				want := 1
				if c.code == 0 {
					want = 2
				}
				require.Len(t, b.store.Messages(chatOfCustomer(), 0), want, "what is refused does not show")
			})
		})
	}

	t.Run("BodyThatIsNoJSON", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, b bundle) {
			require.Equal(t, 100, code(t, b.post(t, "{")))
			require.Equal(t, 100, code(t, b.post(t, strings.Repeat("a", 2<<20))))
		})
	})
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, header string
		code, status int
	}{
		"WrongToken":             {"/v26.0/" + numberID + "/messages", "Bearer nobody", 190, 401},
		"NoBearer":               {"/v26.0/" + numberID + "/messages", token, 190, 401},
		"NumberOfSomebodyElse":   {"/v26.0/222/messages", "Bearer " + token, 100, 400},
		"UnknownNumber":          {"/v26.0/333/messages", "Bearer " + token, 100, 400},
		"UnknownEdge":            {"/v26.0/" + numberID + "/calls", "Bearer " + token, 100, 400},
		"PathWithoutVersion":     {"/v/" + numberID + "/messages", "Bearer " + token, 100, 400},
		"PathThatIsTooLong":      {"/v26.0/" + numberID + "/messages/1", "Bearer " + token, 100, 400},
		"AnotherVersionIsServed": {"/v23.0/" + numberID + "/messages", "Bearer " + token, 0, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, b bundle) {
				_, err := b.api.AddNumber(simulator.Number{ID: "222", AccessToken: "OTHER"})
				require.NoError(t, err)
				m, err := b.api.Say(simulator.Utterance{Account: numberID, From: customer, Text: "Hola"})
				require.NoError(t, err)
				require.Equal(t, numberID, m.Account)
				r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(
					`{"messaging_product":"whatsapp","to":"+`+customer+`","text":{"body":"hola"}}`))
				r.Header.Set("Authorization", c.header)
				w := b.call(r)
				require.Equal(t, c.code, code(t, w))
				require.Equal(t, c.status, w.Code)
			})
		})
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b bundle) {
		uploaded := decoded(t, b.upload(t))
		require.Len(t, uploaded, 1)
		id, _ := uploaded["id"].(string)

		link := decoded(t, b.call(httptest.NewRequest(http.MethodGet, "/v26.0/"+id+"?phone_number_id="+numberID, nil)))
		address, err := url.Parse(link["url"].(string))
		require.NoError(t, err)
		require.Equal(t, "image/jpeg", link["mime_type"])
		require.Equal(t, "9", link["file_size"], "Meta gives the size as text")
		download := func(bearer string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, address.RequestURI(), nil)
			r.Header.Set("Authorization", bearer)
			return b.call(r)
		}
		require.Equal(t, "a picture", download("Bearer "+token).Body.String())
		require.Equal(t, http.StatusNotFound, download("Bearer nobody").Code)
		<-time.After(5*time.Minute + time.Second)
		require.Equal(t, http.StatusNotFound, download("Bearer "+token).Code, "the link has died")
		require.Equal(t, 100, code(t, b.call(httptest.NewRequest(http.MethodGet, "/v26.0/999", nil))))
	})
}

// upload sends a file as the business.
func (b bundle) upload(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	require.NoError(t, writer.WriteField("messaging_product", "whatsapp"))
	require.NoError(t, writer.WriteField("type", "image/jpeg"))
	part, err := writer.CreateFormFile("file", "foto.jpg")
	require.NoError(t, err)
	_, err = part.Write([]byte("a picture"))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	r := httptest.NewRequest(http.MethodPost, "/v26.0/"+numberID+"/media", &form)
	r.Header.Set("Content-Type", writer.FormDataContentType())
	return b.call(r)
}

func chatOfCustomer() simulator.Chat {
	return simulator.Chat{Platform: simulator.WhatsApp, Account: numberID, User: customer}
}

func contactRequest(action string) map[string]any {
	return map[string]any{"type": "interactive", "interactive": map[string]any{
		"type": "request_contact_info", "body": map[string]string{"text": "¿Nos da su número?"}, "action": map[string]string{"name": action},
	}}
}
