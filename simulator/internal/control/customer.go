package control

import (
	"errors"
	"io"
	"net/http"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/media"
)

func (a *API) say(w http.ResponseWriter, r *http.Request) error {
	var u simulator.Utterance
	if err := decode(w, r, &u); err != nil {
		return err
	}
	net, err := a.network(u.Platform)
	if err != nil {
		return err
	}
	m, err := net.Say(u)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, m)
}

func (a *API) sayTogether(w http.ResponseWriter, r *http.Request) error {
	var batch struct {
		Messages []simulator.Utterance `json:"messages"`
	}
	if err := decode(w, r, &batch); err != nil {
		return err
	}
	for _, u := range batch.Messages {
		if u.Platform != simulator.WhatsApp {
			return errors.New("only WhatsApp puts several messages into one webhook")
		}
	}
	said, err := a.Graph.SayTogether(batch.Messages)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, said)
}

func (a *API) press(w http.ResponseWriter, r *http.Request) error {
	var p simulator.Press
	if err := decode(w, r, &p); err != nil {
		return err
	}
	net, err := a.network(p.Platform)
	if err != nil {
		return err
	}
	m, err := net.Press(p)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, m)
}

func (a *API) move(w http.ResponseWriter, r *http.Request) error {
	var m simulator.Move
	if err := decode(w, r, &m); err != nil {
		return err
	}
	if m.Platform == simulator.Telegram {
		return errors.New("only WhatsApp's customers have a number to change")
	}
	info, err := a.Graph.Move(m)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, info)
}

func (a *API) connect(w http.ResponseWriter, r *http.Request) error {
	var c simulator.Connection
	if err := decode(w, r, &c); err != nil {
		return err
	}
	c, err := a.Bots.Connect(c)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, c)
}

func (a *API) raw(w http.ResponseWriter, r *http.Request) error {
	var raw simulator.Raw
	if err := decode(w, r, &raw); err != nil {
		return err
	}
	net, err := a.network(raw.Platform)
	if err != nil {
		return err
	}
	body := raw.Bytes
	if body == nil {
		body = raw.Payload
	}
	answer, err := net.Raw(r.Context(), raw, body)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, answer)
}

// addMedia keeps the body as a file; its type is the Content-Type.
func (a *API) addMedia(w http.ResponseWriter, r *http.Request) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, media.MaxBytes))
	if err != nil || len(content) == 0 {
		return errors.New("the file is empty or too large")
	}
	file := a.Shelf.Put(content, r.Header.Get("Content-Type"), r.URL.Query().Get("filename"))
	return respond(w, http.StatusCreated, file.Media)
}

func (a *API) getMedia(w http.ResponseWriter, r *http.Request) error {
	file, ok := a.Shelf.Get(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return nil
	}
	// The file is anybody's: it must not become a page of this origin.
	w.Header().Set("Content-Type", file.MIMEType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(file.Content)
	return nil
}

func chatOf(r *http.Request) simulator.Chat {
	return simulator.Chat{
		Platform: simulator.Platform(r.PathValue("platform")), Account: r.PathValue("account"), User: r.PathValue("user"),
	}
}

func (a *API) changePhone(w http.ResponseWriter, r *http.Request) error {
	var phone simulator.Phone
	if err := decode(w, r, &phone); err != nil {
		return err
	}
	where := chatOf(r)
	net, err := a.network(where.Platform)
	if err != nil {
		return err
	}
	info, err := net.OpenPhone(where, phone)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, info)
}
