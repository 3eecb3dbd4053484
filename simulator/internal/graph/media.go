package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/media"
)

// linkLife is how long a file's URL works (Meta's media page).
const linkLife = 5 * time.Minute

// upload answers POST /{phone_number_id}/media.
func (a *API) upload(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	call := exchange.Call{Chat: chatOf(n.ID, ""), Method: "media"}
	r.Body = http.MaxBytesReader(w, r.Body, media.MaxBytes+maxJSON)
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		if r.FormValue("messaging_product") != "whatsapp" {
			return parameter("The parameter messaging_product is required.").reply()
		}
		part, header, err := r.FormFile("file")
		if err != nil {
			return parameter("The parameter file is required.").reply()
		}
		defer func() { _ = part.Close() }()
		content, err := io.ReadAll(io.LimitReader(part, media.MaxBytes+1))
		if err != nil || len(content) == 0 || len(content) > media.MaxBytes {
			return failureOf(codeMediaUpload).reply()
		}
		mimeType := r.FormValue("type")
		if mimeType == "" {
			mimeType = header.Header.Get("Content-Type")
		}
		file := a.shelf.Put(content, mimeType, header.Filename)
		return exchange.JSON(http.StatusOK, contentType, map[string]string{"id": file.ID})
	})
}

type mediaLink struct {
	Product  string `json:"messaging_product"`
	URL      string `json:"url"`
	MIMEType string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	Size     string `json:"file_size"`
	ID       string `json:"id"`
}

// object answers GET /{id} for files and numbers.
func (a *API) object(w http.ResponseWriter, r *http.Request, id string) {
	call := exchange.Call{Chat: chatOf("", ""), Method: "media"}
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		if n, err := a.number(id); err == nil {
			return exchange.JSON(http.StatusOK, contentType, map[string]string{
				"id": n.ID, "display_phone_number": "+" + n.DisplayPhone, "verified_name": "Simulador",
				"quality_rating": "GREEN",
			})
		}
		file, ok := a.shelf.Get(id)
		if !ok {
			return unknownObject(id).reply()
		}
		expires := time.Now().Add(linkLife).Unix()
		query := url.Values{"mid": {id}, "ext": {strconv.FormatInt(expires, 10)}, "hash": {file.SHA256[:16]}}
		return exchange.JSON(http.StatusOK, contentType, mediaLink{
			Product: "whatsapp", URL: "http://" + r.Host + AttachmentPath + "?" + query.Encode(),
			MIMEType: file.MIMEType, SHA256: file.SHA256, Size: fmt.Sprint(file.Size), ID: file.ID,
		})
	})
}

// download gives the file itself to holders of a token, while the link lives.
func (a *API) download(w http.ResponseWriter, r *http.Request) {
	_, failed := a.authorize(r, "", false)
	query := r.URL.Query()
	file, ok := a.shelf.Get(query.Get("mid"))
	expires, _ := strconv.ParseInt(query.Get("ext"), 10, 64)
	if failed != nil || !ok || query.Get("hash") != file.SHA256[:16] || time.Now().Unix() > expires {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.MIMEType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(file.Content)
}

// base64Hash is how webhooks give a file's hash, unlike GET /{media-id}, which
// gives it in hexadecimal.
func base64Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}
