package botapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/knobot/knobot/simulator/internal/media"
)

const maxBody = 1 << 20

// arguments are a call's parameters. As on the real server all of them are
// text first: a JSON object's members, form fields and query parameters mean
// the same, and structures come as JSON in text.
type arguments struct {
	values map[string]string
	files  map[string]upload
}

type upload struct {
	name     string
	mimeType string
	content  []byte
}

func (a arguments) get(name string) string { return a.values[name] }

func (a arguments) has(name string) bool {
	_, value := a.values[name]
	_, file := a.files[name]
	return value || file
}

func (a arguments) integer(name string) (int64, bool) {
	n, err := strconv.ParseInt(a.values[name], 10, 64)
	return n, err == nil
}

// truth reads a boolean as the server does.
func (a arguments) truth(name string) bool {
	value := strings.ToLower(a.values[name])
	return value == "true" || value == "yes" || value == "1"
}

// journal is what the journal and the phone keep of the arguments; the webhook
// secret is left out.
func (a arguments) journal() json.RawMessage {
	kept := make(map[string]any, len(a.values))
	for name, value := range a.values {
		switch {
		case name == "secret_token":
			kept[name] = "[secret]"
		case json.Valid([]byte(value)) && name != "text":
			kept[name] = json.RawMessage(value)
		default:
			kept[name] = value
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil { // text and valid JSON always marshal
		panic(err)
	}
	return raw
}

// decode collects the parameters from the query and the body.
func decode(w http.ResponseWriter, r *http.Request) (arguments, *failure) {
	args := arguments{values: make(map[string]string), files: make(map[string]upload)}
	for name, values := range r.URL.Query() {
		args.values[name] = values[0]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	switch kind {
	case "application/json":
		err = args.readJSON(http.MaxBytesReader(w, r.Body, maxBody))
	case "application/x-www-form-urlencoded":
		err = args.readForm(w, r)
	case "multipart/form-data":
		err = args.readMultipart(w, r)
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return args, &failure{code: http.StatusRequestEntityTooLarge, description: "Request Entity Too Large"}
	}
	if err != nil {
		return args, badRequest("can't parse the request's parameters")
	}
	return args, nil
}

func (a arguments) readJSON(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for name, member := range members {
		var text string
		switch {
		case string(member) == "null":
		case json.Unmarshal(member, &text) == nil:
			a.values[name] = text
		default:
			a.values[name] = string(member)
		}
	}
	return nil
}

func (a arguments) readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return err
	}
	for name, values := range r.PostForm {
		a.values[name] = values[0]
	}
	return nil
}

func (a arguments) readMultipart(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, media.MaxBytes+maxBody)
	reader, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" {
			a.values[part.FormName()] = string(content)
		} else {
			a.files[part.FormName()] = upload{part.FileName(), part.Header.Get("Content-Type"), content}
		}
	}
}
